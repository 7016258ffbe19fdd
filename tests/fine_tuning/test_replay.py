import copy
from typing import Any

import pytest
from allennlp.common.checks import ConfigurationError

from hmtl.fine_tuning.replay import with_replayed_tasks
from tests.fixtures import completed, tiny_config

Config = dict[str, Any]


@pytest.fixture(scope="module")
def trained() -> Config:
    return completed(tiny_config("old", tasks=("ner", "emd", "coref")))


def replaying(replay: dict[str, float], data_root: str = "new", **entries: Any) -> Config:
    config = tiny_config(data_root, tasks=("ner",))
    return {**config, "fine_tuning": {"replay": replay}, **entries}


def test_replayed_task_comes_with_its_level_data_and_batches(trained: Config) -> None:
    config = with_replayed_tasks(replaying({"coref": 0.5}), trained)
    assert config["model"]["coref"] == trained["model"]["coref"]
    assert config["iterators"]["iterator_coref"] == {"type": "basic", "batch_size": 2}
    data_params = config["task_coref"]["data_params"]
    assert data_params["train_data_path"] == "../old/ontonotes/train.gold_conll"
    assert data_params["dataset_reader"] == trained["task_coref"]["data_params"]["dataset_reader"]
    assert list(config)[-1] == "task_coref"


def test_paths_stay_as_they_are_without_a_root(trained: Config) -> None:
    config = with_replayed_tasks(replaying({"coref": 1.0}, data_root=""), trained)
    assert (
        config["task_coref"]["data_params"]["train_data_path"] == "old/ontonotes/train.gold_conll"
    )


def test_replay_says_how_often_tasks_are_drawn(trained: Config) -> None:
    config = replaying({"emd": 0.25, "ner": 2.0})
    config["multi_task_trainer"]["sampling_method"] = "uniform"
    sampling = with_replayed_tasks(config, trained)["multi_task_trainer"]["sampling_method"]
    assert sampling == {"type": "uniform", "factors": {"emd": 0.25, "ner": 2.0}}


def test_task_that_the_config_has_is_its_own(trained: Config) -> None:
    config = replaying({"ner": 0.5})
    config["task_ner"]["data_params"]["train_data_path"] = "mine"
    replayed = with_replayed_tasks(config, trained)
    assert replayed["task_ner"]["data_params"]["train_data_path"] == "mine"


def test_replayed_config_can_be_completed_and_merging_again_changes_nothing(
    trained: Config,
) -> None:
    config = replaying({"emd": 0.1})
    merged = completed(with_replayed_tasks(config, trained))
    assert merged["model"]["emd"]["stacks_on"] == "ner"
    # A run that goes on takes the tasks from its own directory.
    root_of_own = {**merged, "data_root": config["data_root"]}
    assert completed(with_replayed_tasks(copy.deepcopy(merged), root_of_own)) == merged


def test_selected_tasks_are_joined_by_the_replayed_ones(trained: Config) -> None:
    config = with_replayed_tasks(replaying({"emd": 0.1}, tasks=["ner"]), trained)
    assert config["tasks"] == ["ner", "emd"]


def test_replayed_task_is_selected_wherever_its_section_stands(trained: Config) -> None:
    config = {**tiny_config("new"), "tasks": ["ner"], "fine_tuning": {"replay": {"emd": 0.1}}}
    assert with_replayed_tasks(config, trained)["tasks"] == ["ner", "emd"]


def test_task_that_nobody_has_is_refused(trained: Config) -> None:
    with pytest.raises(ConfigurationError, match=r"names 'edm'.*did you mean 'emd'\?"):
        with_replayed_tasks(replaying({"edm": 0.1}), trained)


def test_config_without_replay_is_left_alone(trained: Config) -> None:
    config = tiny_config("", tasks=("ner",))
    assert with_replayed_tasks(config, trained) is config
