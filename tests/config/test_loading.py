import copy
import json
from pathlib import Path

import pytest
from allennlp.common.checks import ConfigurationError

from hmtl.config.legacy import translate
from hmtl.config.loading import (
    complete,
    differences,
    level_names,
    load_config,
    task_names,
    value_at,
)
from tests.fixtures import TASKS, Config, tiny_config


def write(directory: Path, text: str, name: str = "config.json") -> Path:
    path = directory / name
    path.write_text(text)
    return path


def load(directory: Path, config: Config, overrides: str = "") -> Config:
    return load_config(write(directory, json.dumps(config)), overrides)


def completed(config: Config) -> Config:
    return complete(translate(config))


@pytest.fixture
def config() -> Config:
    return tiny_config()


# Loading


def test_load_config_keeps_order_of_tasks(tmp_path: Path) -> None:
    config = tiny_config(tasks=("relation", "ner", "coref", "emd"))
    assert task_names(load(tmp_path, config)) == ["relation", "ner", "coref", "emd"]


def test_load_config_reads_jsonnet(tmp_path: Path, config: Config) -> None:
    text = (
        f"local epochs = 7;\n{json.dumps(config)} + {{multi_task_trainer+: {{num_epochs: epochs}}}}"
    )
    loaded = load_config(write(tmp_path, text, "config.jsonnet"))
    assert loaded["multi_task_trainer"]["num_epochs"] == 7
    assert set(task_names(loaded)) == set(TASKS)


def test_load_config_names_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"absent\.json does not exist"):
        load_config(tmp_path / "absent.json")


def test_load_config_refuses_directory(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="is a directory"):
        load_config(tmp_path)


def test_load_config_names_line_of_bad_json(tmp_path: Path) -> None:
    path = write(tmp_path, '{\n  "model": {},\n  "iterators" {}\n}')
    with pytest.raises(ConfigurationError, match=r"config\.json cannot be read as JSON.*:3:"):
        load_config(path)


def test_load_config_refuses_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_bytes(b'{"model": "\xff"}')
    with pytest.raises(ConfigurationError, match="is no text in UTF-8 .* at byte 11"):
        load_config(path)


def test_load_config_refuses_what_is_no_object(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="must hold a JSON object, not list"):
        load_config(write(tmp_path, "[]"))


def test_overrides_replace_entries(tmp_path: Path, config: Config) -> None:
    overrides = '{"multi_task_trainer.num_epochs": 9, "seed": 3, "data_root": "elsewhere"}'
    loaded = load(tmp_path, config, overrides)
    assert loaded["multi_task_trainer"]["num_epochs"] == 9
    assert loaded["multi_task_trainer"]["no_tqdm"] is True
    assert (loaded["seed"], loaded["data_root"]) == (3, "elsewhere")


@pytest.mark.parametrize(
    "overrides, message",
    [
        ("{num_epochs: 3}", "--overrides is no JSON"),
        ("3", "--overrides must be a JSON object"),
        ('{"multi_task_trainr.num_epochs": 3}', "multi_task_trainr"),
        ('{"seed.x": 3}', "--overrides does not fit"),
    ],
)
def test_bad_overrides_are_refused(
    tmp_path: Path, config: Config, overrides: str, message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        load(tmp_path, config, overrides)


# Completion


def test_complete_writes_out_the_hierarchy_of_the_reference(config: Config) -> None:
    model = completed(config)["model"]
    below = {name: model[name]["stacks_on"] for name in level_names(completed(config))}
    assert below == {"ner": None, "emd": "ner", "relation": "emd", "coref": "emd"}


def test_complete_writes_out_heads(config: Config) -> None:
    model = completed(config)["model"]
    assert {name: model[name]["tagger"]["type"] for name in TASKS} == {
        "ner": "crf_tagger",
        "emd": "crf_tagger",
        "relation": "relation_extractor",
        "coref": "coreference_resolver",
    }


def test_complete_gives_coreference_its_lexical_dropout(config: Config) -> None:
    model = completed(config)["model"]
    assert model["coref"]["input_dropout"] == 0.2
    assert model["relation"]["input_dropout"] == 0.0


@pytest.mark.parametrize(
    "tasks, below",
    [
        (("emd", "coref"), {"emd": None, "coref": "emd"}),
        (("ner", "coref"), {"ner": None, "coref": "ner"}),
        (("relation",), {"relation": None}),
        (("ner", "relation"), {"ner": None, "relation": "ner"}),
    ],
)
def test_absent_levels_drop_out_of_the_chain(tasks: tuple[str, ...], below: dict) -> None:
    model = completed(tiny_config(tasks=tasks))["model"]
    assert {name: model[name]["stacks_on"] for name in tasks} == below


def test_complete_is_idempotent(config: Config) -> None:
    once = completed(config)
    assert completed(once) == once


def test_complete_leaves_its_argument_alone(config: Config) -> None:
    before = copy.deepcopy(config)
    completed(config)
    assert config == before


def test_tasks_selects_and_orders(config: Config) -> None:
    selected = completed({**config, "tasks": ["coref", "ner"]})
    assert task_names(selected) == ["coref", "ner"]
    assert sorted(level_names(selected)) == ["coref", "ner"]
    assert selected["model"]["coref"]["stacks_on"] == "ner"
    assert "tasks" not in selected


def test_tasks_drops_iterators_of_others(config: Config) -> None:
    selected = completed({**config, "tasks": ["ner"]})
    assert list(selected["iterators"]) == ["iterator"]


def test_tasks_drops_patterns_about_others(config: Config) -> None:
    pairs = [[r"encoders\.encoders\.coref\..*weight.*", "normal"], ["weight", "orthogonal"]]
    config["model"]["initializer"] = {"regexes": pairs}
    selected = completed({**config, "tasks": ["ner"]})
    assert selected["model"]["initializer"] == {"regexes": pairs[1:]}


def test_tasks_skips_chain_of_levels_that_say_nothing(config: Config) -> None:
    # emd stacks on ner by default only, and must still lead there once it is gone.
    config["model"]["coref"]["stacks_on"] = "emd"
    selected = completed({**config, "tasks": ["ner", "coref"]})
    assert selected["model"]["coref"]["stacks_on"] == "ner"


def test_tasks_leaves_shared_encoder_to_who_shared_it(config: Config) -> None:
    del config["model"]["emd"]["encoder"]
    config["model"]["ner"]["input_dropout"] = 0.3
    selected = completed({**config, "tasks": ["emd"]})["model"]["emd"]
    assert selected["encoder"] == config["model"]["ner"]["encoder"]
    assert (selected["input_dropout"], selected["stacks_on"]) == (0.3, None)


def test_tasks_overrides_an_older_model_type(config: Config) -> None:
    config = tiny_config(tasks=("ner", "emd"))
    config["model"]["type"] = "ner_emd"
    assert completed({**config, "tasks": ["emd"]})["model"]["type"] == "hmtl"


@pytest.mark.parametrize("tasks", [[], "ner", ["ner", "parsing"], [["ner"]], {"ner": 1}])
def test_tasks_must_list_tasks_of_the_config(config: Config, tasks: object) -> None:
    with pytest.raises(ConfigurationError, match="tasks is .* write a list .*'ner', 'emd'"):
        completed({**config, "tasks": tasks})


def test_complete_names_missing_model(config: Config) -> None:
    del config["model"]
    with pytest.raises(ConfigurationError, match="lacks the section 'model'"):
        completed(config)


def test_sections_that_are_left_out_have_their_defaults(config: Config) -> None:
    del config["iterators"], config["multi_task_trainer"]
    complete_config = completed(config)
    assert complete_config["iterators"] == {"iterator": {"type": "bucket", "batch_size": 32}}
    assert complete_config["multi_task_trainer"]["optimizer"] == {"type": "adam", "lr": 0.001}


def test_token_indexers_at_the_top_are_those_of_readers_that_name_none(config: Config) -> None:
    indexers = {"tokens": {"type": "single_id", "lowercase_tokens": True}}
    own = config["task_emd"]["data_params"]["dataset_reader"]["token_indexers"]
    del config["task_ner"]["data_params"]["dataset_reader"]["token_indexers"]
    complete_config = completed({**config, "token_indexers": indexers})
    readers = [
        complete_config[f"task_{name}"]["data_params"]["dataset_reader"] for name in ("ner", "emd")
    ]
    assert [reader["token_indexers"] for reader in readers] == [indexers, own]
    assert "token_indexers" not in complete_config


def test_data_path_stands_for_three_paths_of_which_the_last_is_scored(config: Config) -> None:
    data_params = config["task_ner"]["data_params"]
    reader = data_params["dataset_reader"]
    config["task_ner"] = {"data_params": {"dataset_reader": reader, "data_path": "ner/{split}"}}
    task = completed(config)["task_ner"]
    paths = [task["data_params"][f"{split}_data_path"] for split in ("train", "validation", "test")]
    assert paths == ["ner/train", "ner/dev", "ner/test"]
    assert task["task_description"]["evaluate_on_test"] is True
    config["task_ner"]["data_params"]["data_path"] = "ner"
    with pytest.raises(
        ConfigurationError, match=r"data_path is 'ner'; write a path with \{split\}"
    ):
        completed(config)


def test_complete_asks_for_tasks(config: Config) -> None:
    for name in TASKS:
        del config[f"task_{name}"]
    with pytest.raises(ConfigurationError, match="names no task"):
        completed(config)


def test_complete_asks_for_dataset_reader(config: Config) -> None:
    del config["task_emd"]["data_params"]["dataset_reader"]
    with pytest.raises(
        ConfigurationError, match=r"task_emd\.data_params\.dataset_reader is missing"
    ):
        completed(config)


def test_complete_refuses_two_names_of_a_task(config: Config) -> None:
    config["task_emd"]["task_description"]["task_name"] = "mentions"
    with pytest.raises(ConfigurationError, match="task_mentions"):
        completed(config)


def test_complete_refuses_level_without_task(config: Config) -> None:
    config["model"]["emdd"] = config["model"].pop("emd")
    with pytest.raises(ConfigurationError, match=r"model\.emdd is neither"):
        completed(config)


def test_complete_refuses_task_without_level(config: Config) -> None:
    del config["model"]["emd"]
    with pytest.raises(ConfigurationError, match=r"task 'emd' has no level: write model\.emd"):
        completed(config)


def renamed(config: Config, old: str, new: str) -> Config:
    """The config with one task under another name."""
    section = config.pop(f"task_{old}")
    section["task_description"]["task_name"] = new
    config["model"][new] = config["model"].pop(old)
    return {f"task_{new}": section, **config}


def test_task_of_another_name_must_say_its_head(config: Config) -> None:
    config = renamed(config, "ner", "names")
    with pytest.raises(ConfigurationError, match=r"model\.names\.tagger\.type is missing"):
        completed(config)


def test_task_of_another_name_is_completed_once_it_has_both(config: Config) -> None:
    config = renamed(config, "ner", "names")
    config["model"]["names"]["tagger"]["type"] = "crf_tagger"
    config["model"]["names"]["stacks_on"] = "emd"
    assert completed(config)["model"]["emd"]["stacks_on"] is None


@pytest.mark.parametrize(
    "name", ["train", "training", "keys", "type", "initializer", "ner.news", ""]
)
def test_task_names_that_the_model_cannot_hold_are_refused(config: Config, name: str) -> None:
    config = tiny_config(tasks=("emd",))
    config[f"task_{name}"] = config.pop("task_emd")
    del config[f"task_{name}"]["task_description"]["task_name"]
    with pytest.raises(ConfigurationError, match=f"a task cannot be called '{name}'"):
        completed(config)


@pytest.mark.parametrize(
    "model_type, tasks",
    [
        ("ner", ("ner",)),
        ("emd_coref", ("emd", "coref")),
        ("ner_emd_relation", ("ner", "emd", "relation")),
        ("hmtl", TASKS),
    ],
)
def test_model_type_fixes_levels(model_type: str, tasks: tuple[str, ...]) -> None:
    config = tiny_config(tasks=tasks)
    config["model"]["type"] = model_type
    assert completed(config)["model"]["type"] == model_type


def test_model_type_that_contradicts_levels_is_refused(config: Config) -> None:
    config["model"]["type"] = "ner_emd"
    with pytest.raises(
        ConfigurationError, match=r"'ner_emd' stands for the levels \['ner', 'emd'\]"
    ):
        completed(config)


def test_unknown_level_below_is_refused(config: Config) -> None:
    config["model"]["coref"]["stacks_on"] = "edm"
    with pytest.raises(
        ConfigurationError, match=r"model\.coref\.stacks_on names 'edm'.*Choose one of"
    ):
        completed(config)


def test_circle_of_levels_is_refused(config: Config) -> None:
    config["model"]["ner"]["stacks_on"] = "coref"
    with pytest.raises(ConfigurationError, match="in a circle: ner -> coref -> emd -> ner"):
        completed(config)


def test_stacks_on_must_be_a_name(config: Config) -> None:
    config["model"]["coref"]["stacks_on"] = ["emd", "ner"]
    with pytest.raises(ConfigurationError, match=r"model\.coref\.stacks_on is \['emd', 'ner'\]"):
        completed(config)


def with_characters(config: Config, **encoder: int) -> Config:
    config["model"]["text_field_embedder"]["token_embedders"]["token_characters"] = {
        "type": "character_encoding",
        "embedding": {"embedding_dim": 5},
        "encoder": {"type": "cnn", "num_filters": 3, **encoder},
    }
    for name in TASKS:
        reader = config[f"task_{name}"]["data_params"]["dataset_reader"]
        reader["token_indexers"]["token_characters"] = {"type": "characters"}
    return config


def test_width_of_character_encoder_follows_from_embedding(config: Config) -> None:
    embedders = completed(with_characters(config))["model"]["text_field_embedder"][
        "token_embedders"
    ]
    assert embedders["token_characters"]["encoder"]["embedding_dim"] == 5


def test_width_of_character_encoder_that_does_not_fit_is_refused(config: Config) -> None:
    with pytest.raises(ConfigurationError, match=r"encoder\.embedding_dim is 7, but .* gives 5"):
        completed(with_characters(config, embedding_dim=7))


def test_indexers_and_embedders_must_have_the_same_names(config: Config) -> None:
    reader = with_characters(config)["task_emd"]["data_params"]["dataset_reader"]
    del reader["token_indexers"]["token_characters"]
    with pytest.raises(
        ConfigurationError,
        match=r"task_emd.*token_indexers has \['tokens'\].*\['token_characters', 'tokens'\]",
    ):
        completed(config)


# Differences


def test_differences_names_paths(config: Config) -> None:
    other = copy.deepcopy(config)
    other["seed"] = 2
    other["model"]["ner"]["encoder"]["hidden_size"] = 5
    del other["iterators"]["iterator_coref"]
    assert differences(config, other) == [
        "seed",
        "model.ner.encoder.hidden_size",
        "iterators.iterator_coref",
    ]


def test_differences_in_lists_and_short_forms_are_named_where_they_are(config: Config) -> None:
    other = copy.deepcopy(config)
    config["multi_task_trainer"]["optimizer"] = "adam"
    other["multi_task_trainer"]["optimizer"] = {"type": "adam", "lr": 0.1}
    config["x"], other["x"] = [[["a"], {"lr": 1}]], [[["a"], {"lr": 2}]]
    assert differences(config, other) == ["multi_task_trainer.optimizer.lr", "x.0.1.lr"]
    assert value_at(other, "x.0.1.lr") == 2
    assert value_at(config, "multi_task_trainer.optimizer.lr") is None


def test_differences_does_not_tell_null_from_nothing(config: Config) -> None:
    assert differences(config, {**config, "vocabulary": None}) == []


def test_differences_tells_another_order_of_tasks() -> None:
    old, new = tiny_config(tasks=("ner", "emd")), tiny_config(tasks=("emd", "ner"))
    assert differences(old, new) == ["the order of the tasks"]


# What a stranger may have written


def test_config_of_a_run_is_never_evaluated_as_jsonnet(tmp_path: Path, config: Config) -> None:
    (tmp_path / "secret").write_text("s3cret")
    text = json.dumps(config)[:-1] + ', "seed": std.length(importstr "secret")}'
    with pytest.raises(ConfigurationError, match="is no plain JSON .* never evaluated as Jsonnet"):
        load_config(write(tmp_path, text), jsonnet=False)


DEEP = "[" * 5000 + "]" * 5000


@pytest.mark.parametrize("name", ["config.json", "config.jsonnet"])
def test_deeply_nested_config_is_refused(tmp_path: Path, name: str) -> None:
    text = f'{{"model": {DEEP}}}'
    with pytest.raises(ConfigurationError, match="nested more than 64 levels"):
        load_config(write(tmp_path, text, name))


def test_deeply_nested_overrides_are_refused(tmp_path: Path, config: Config) -> None:
    with pytest.raises(ConfigurationError, match="--overrides is nested more than 64 levels"):
        load(tmp_path, config, f'{{"model": {DEEP}}}')


def test_number_of_ten_thousand_digits_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read as JSON"):
        load_config(write(tmp_path, f'{{"seed": {"9" * 10_000}}}'))


def test_jsonnet_that_goes_on_for_ever_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hmtl.config.loading.JSONNET_SECONDS", 0.5)
    text = "local f(n) = if n < 2 then n else f(n - 1) + f(n - 2); {seed: f(90)}"
    with pytest.raises(ConfigurationError, match="does not come to an end within 0.5 seconds"):
        load_config(write(tmp_path, text))


def test_jsonnet_knows_the_variables_of_the_environment(
    tmp_path: Path, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEED_OF_MINE", "17")
    text = f"{json.dumps(config)} + {{seed: std.parseInt(std.extVar('SEED_OF_MINE'))}}"
    assert load_config(write(tmp_path, text))["seed"] == 17


def test_overrides_reach_into_what_a_config_leaves_out(tmp_path: Path, config: Config) -> None:
    del config["multi_task_trainer"], config["model"]["emd"]["tagger"]
    (tmp_path / "config.json").write_text(json.dumps(config))
    overrides = {
        "multi_task_trainer.optimizer.lr": 0.01,
        "model.emd.tagger.label_namespace": "own_labels",
    }
    loaded = load_config(tmp_path / "config.json", json.dumps(overrides))
    assert loaded["multi_task_trainer"]["optimizer"] == {"type": "adam", "lr": 0.01}
    assert loaded["model"]["emd"]["tagger"]["label_namespace"] == "own_labels"
