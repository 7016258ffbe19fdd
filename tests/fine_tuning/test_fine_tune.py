"""From one run to the next, on a corpus of a few sentences."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary

from hmtl.common.tensors import load_tensors
from hmtl.errors import DataError
from hmtl.runs.evaluation import load
from hmtl.training.callbacks import Callback, RunReport
from script.torture import Result, result_of
from tests.fine_tuning.small_runs import completed_config, config_on, run
from tests.reference_files import write_reference_dir
from tests.training.processes import Processes
from tests.training.small_runs import Crash, CrashAtStep, one_thread

Weights = dict[str, torch.Tensor]

TOKENS = "encoders.text_field_embedder.token_embedder_tokens.weight"
TRANSITIONS = "heads.{}.crf.transitions"
ALL_TASKS = ("ner", "emd", "relation", "coref")


class Start(Callback):
    """Keeps the weights that the training starts with, and ends it."""

    def __init__(self) -> None:
        self.weights: Weights = {}

    def on_start(self, report: RunReport) -> None:
        state = report.model.state_dict()
        self.weights = {name: tensor.clone() for name, tensor in state.items()}
        raise Crash


def start_of(config: dict[str, Any], directory: Path, pretrained: Path, build_with: Any) -> Weights:
    """The weights that a fine-tuning starts with."""
    start = Start()
    build_with(start)
    with pytest.raises(Crash):
        run(config, directory, pretrained)
    return start.weights


def words(directory: Path, namespace: str = "tokens") -> list[str]:
    vocab = Vocabulary.from_files(str(directory / "vocabulary"))
    indexed = vocab.get_index_to_token_vocabulary(namespace)
    return [indexed[index] for index in range(len(indexed))]


def test_vocabulary_grows_and_what_was_known_keeps_its_vector(
    new_corpus: Path, pretrained_dir: Path, tmp_path: Path, build_with: Callable
) -> None:
    config = config_on(new_corpus, ALL_TASKS)
    start = start_of(config, tmp_path / "run", pretrained_dir, build_with)
    trained = load_tensors(pretrained_dir / "best_emd.th")
    old, new = words(pretrained_dir), words(tmp_path / "run")
    assert new[: len(old)] == old
    assert {"lima", "snowed"} <= set(new[len(old) :])
    assert torch.equal(start[TOKENS][: len(old)], trained[TOKENS])
    unknown = trained[TOKENS][old.index("@@UNKNOWN@@")]
    assert torch.equal(start[TOKENS][new.index("lima")], unknown)


def test_new_word_begins_with_its_pretrained_vector_if_there_is_one(
    new_corpus: Path, pretrained_dir: Path, tmp_path: Path, build_with: Callable
) -> None:
    vectors = tmp_path / "vectors.txt"
    vectors.write_text("lima 1 2 3 4 5 6\nann 6 5 4 3 2 1\n")
    config = config_on(new_corpus, ("ner",))
    config["model"]["text_field_embedder"]["token_embedders"]["tokens"]["pretrained_file"] = str(
        vectors
    )
    start = start_of(config, tmp_path / "run", pretrained_dir, build_with)
    new = words(tmp_path / "run")
    assert start[TOKENS][new.index("lima")].tolist() == [1, 2, 3, 4, 5, 6]
    trained = load_tensors(pretrained_dir / "best_emd.th")
    assert torch.equal(start[TOKENS][new.index("ann")], trained[TOKENS][new.index("ann")])


@pytest.mark.parametrize("old_labels", ["keep", "drop"])
def test_heads_keep_what_they_know_of_labels_by_name(
    new_corpus: Path, pretrained_dir: Path, tmp_path: Path, build_with: Callable, old_labels: str
) -> None:
    config = config_on(new_corpus, ALL_TASKS, fine_tuning__old_labels=old_labels)
    start = start_of(config, tmp_path / "run", pretrained_dir, build_with)
    trained = load_tensors(pretrained_dir / "best_emd.th")
    namespace, name = "ace_mention_labels", TRANSITIONS.format("emd")
    old, new = words(pretrained_dir, namespace), words(tmp_path / "run", namespace)
    assert "U-CITY" in new
    assert ("U-GPE" in new) is (old_labels == "keep")
    assert start[name].shape == (len(new), len(new))
    for first in set(old) & set(new):
        for second in set(old) & set(new):
            here = start[name][new.index(first), new.index(second)]
            assert here == trained[name][old.index(first), old.index(second)]
    types = words(pretrained_dir, "relation_ace_labels")
    new_types = words(tmp_path / "run", "relation_ace_labels")
    assert torch.equal(
        start["heads.relation.type_projection"][:, new_types.index("ART")],
        trained["heads.relation.type_projection"][:, types.index("ART")],
    )


def test_same_config_starts_where_the_trained_model_stood(
    corpus: Path, pretrained_dir: Path, tmp_path: Path, build_with: Callable
) -> None:
    start = start_of(config_on(corpus, ALL_TASKS), tmp_path / "run", pretrained_dir, build_with)
    trained = load_tensors(pretrained_dir / "best_emd.th")
    assert start.keys() == trained.keys()
    assert all(torch.equal(start[name], trained[name]) for name in start)


def test_level_put_elsewhere_keeps_the_part_for_the_base_embedding(
    corpus: Path, pretrained_dir: Path, tmp_path: Path, build_with: Callable
) -> None:
    # Without names, mentions stack on nothing.
    config = config_on(corpus, ("emd", "relation"), model__relation__stacks_on=None)
    start = start_of(config, tmp_path / "run", pretrained_dir, build_with)
    trained = load_tensors(pretrained_dir / "best_emd.th")
    for level in ("emd", "relation"):
        name = f"encoders.encoders.{level}.forward_layers.0.weight_ih_l0"
        width = start[name].size(1)
        assert width < trained[name].size(1)
        assert torch.equal(start[name], trained[name][:, :width])


def test_level_put_on_another_takes_no_part_of_the_former(
    corpus: Path, pretrained_dir: Path, tmp_path: Path, build_with: Callable
) -> None:
    config = config_on(corpus, ALL_TASKS, model__relation__stacks_on="ner")
    start = start_of(config, tmp_path / "run", pretrained_dir, build_with)
    trained = load_tensors(pretrained_dir / "best_emd.th")
    name = "encoders.encoders.relation.forward_layers.0.weight_ih_l0"
    base = trained[TOKENS].size(1)
    assert torch.equal(start[name][:, :base], trained[name][:, :base])
    assert not (start[name][:, base:] == trained[name][:, base:]).any()


def test_level_may_begin_with_one_of_another_name(
    new_corpus: Path, pretrained_dir: Path, tmp_path: Path, build_with: Callable
) -> None:
    config = config_on(new_corpus, ("ner", "emd"), fine_tuning__initialize_from={"people": "ner"})
    config["task_people"] = config["task_ner"] = json.loads(json.dumps(config["task_ner"]))
    config["task_people"]["task_description"]["task_name"] = "people"
    config["model"]["people"] = {
        **config["model"].pop("ner"),
        "stacks_on": None,
        "tagger": {"type": "crf_tagger", "label_namespace": "ontonotes_ner_labels"},
    }
    config["model"]["emd"]["stacks_on"] = "people"
    del config["task_ner"]
    start = start_of(config, tmp_path / "run", pretrained_dir, build_with)
    trained = load_tensors(pretrained_dir / "best_emd.th")
    for layer in ("weight_ih_l0", "weight_hh_l0"):
        name = "encoders.encoders.{}.forward_layers.0." + layer
        assert torch.equal(start[name.format("people")], trained[name.format("ner")])
    # Mentions know the names below them again.
    name = "encoders.encoders.emd.backward_layers.0.weight_ih_l0"
    assert torch.equal(start[name], trained[name])


def test_parameters_may_start_new(
    corpus: Path, pretrained_dir: Path, tmp_path: Path, build_with: Callable
) -> None:
    config = config_on(corpus, ALL_TASKS, fine_tuning__start_new=["^heads[.]emd"])
    start = start_of(config, tmp_path / "run", pretrained_dir, build_with)
    trained = load_tensors(pretrained_dir / "best_emd.th")
    changed = {name for name in start if not torch.equal(start[name], trained[name])}
    assert {name.split(".")[1] for name in changed} == {"emd"}


def test_table_says_what_becomes_of_each_parameter(
    new_corpus: Path,
    pretrained_dir: Path,
    tmp_path: Path,
    build_with: Callable,
    caplog: pytest.LogCaptureFixture,
) -> None:
    config = config_on(new_corpus, ("ner", "relation"), multi_task_trainer__freeze=["text_field"])
    with caplog.at_level("INFO", "hmtl"):
        start = start_of(config, tmp_path / "run", pretrained_dir, build_with)
    lines = {line.split()[0]: line.split()[1:] for line in caplog.text.splitlines() if "." in line}
    old, new = len(words(pretrained_dir)), len(words(tmp_path / "run"))
    assert lines[TOKENS] == ["extended,", "frozen", f"{old}x6", f"{new}x6"]
    assert lines["heads.relation.bias"] == ["loaded", "5", "5"]
    assert lines["heads.coref.mention_scorer.output.bias"] == ["unused", "1"]
    assert start.keys() <= lines.keys()


def test_forgetting_is_told_of_tasks_kept_and_dropped(
    corpus: Path, pretrained_dir: Path, tmp_path: Path
) -> None:
    config = config_on(corpus, ("ner", "emd", "relation"))
    sampling = {"type": "proportional", "factors": {"ner": 0, "emd": 0}}
    config["multi_task_trainer"]["sampling_method"] = sampling
    metrics = run(config, tmp_path / "run", pretrained_dir)
    assert json.loads((tmp_path / "run" / "metrics.json").read_text()) == metrics
    forgetting = metrics["forgetting"]
    assert set(forgetting) == set(ALL_TASKS)
    pretrained = json.loads((pretrained_dir / "metrics.json").read_text())["emd"]["test"]
    for task in ALL_TASKS:
        assert forgetting[task]["before"] == pretrained[task]
        assert list(forgetting[task]["after"]) == ["relation"]
    for task in ("ner", "emd", "relation"):
        assert forgetting[task]["after"]["relation"] == metrics["relation"]["test"][task]
    assert forgetting["coref"]["metric"] == "coref_f1"
    after = forgetting["coref"]["after"]["relation"]
    # What coreference stands on was trained on, so it is no longer what it was.
    assert after["loss"] != forgetting["coref"]["before"]["loss"]


def test_dropped_task_whose_foundation_changed_has_no_score_after(
    corpus: Path, pretrained_dir: Path, tmp_path: Path
) -> None:
    # Mentions lose the names that they stacked on; what names stand on is still there.
    metrics = run(config_on(corpus, ("emd",)), tmp_path / "run", pretrained_dir)
    after = {task: entry["after"]["emd"] for task, entry in metrics["forgetting"].items()}
    assert after["coref"] is None
    assert after["relation"] is None
    assert after["ner"]["loss"] > 0
    assert after["emd"]["loss"] > 0


def test_forgetting_without_the_old_test_data_is_left_out_with_a_warning(
    corpus: Path, pretrained_dir: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    moved = shutil.copytree(pretrained_dir, tmp_path / "pretrained")
    config = json.loads((moved / "config.json").read_text())
    (moved / "config.json").write_text(json.dumps({**config, "data_root": str(tmp_path / "gone")}))
    metrics = run(config_on(corpus, ("ner",)), tmp_path / "run", moved)
    assert set(metrics["forgetting"]) == {"ner"}
    assert "whether coref is forgotten is not told" in caplog.text
    assert "whether ner is forgotten" not in caplog.text


def test_replayed_task_is_trained_and_kept(
    new_corpus: Path, corpus: Path, pretrained_dir: Path, tmp_path: Path
) -> None:
    config = config_on(new_corpus, ("ner",), fine_tuning={"replay": {"emd": 0.5}})
    metrics = run(config, tmp_path / "run", pretrained_dir)
    assert set(metrics["forgetting"]["emd"]["after"]) == {"ner", "emd"}
    assert (tmp_path / "run" / "best_emd.th").is_file()
    written = json.loads((tmp_path / "run" / "config.json").read_text())
    assert written["model"]["emd"]["stacks_on"] == "ner"
    # The run stands on its own.
    assert {data.task.name for data in load(tmp_path / "run").tasks} == {"ner", "emd"}


RECOVERED = {
    "multi_task_trainer__num_epochs": 3,
    "multi_task_trainer__checkpoint_every_n_steps": 1,
    "multi_task_trainer__freeze": ["text_field_embedder", "encoders[.]ner"],
    "multi_task_trainer__unfreeze": [[1, ["encoders[.]ner"]], [2, ["."]]],
    "multi_task_trainer__optimizer__parameter_groups": [[["^heads"], {"lr": 0.03}]],
    "fine_tuning__replay": {"emd": 0.5},
}


@pytest.fixture(scope="module")
def recovered_config(new_corpus: Path) -> dict[str, Any]:
    config = config_on(new_corpus, ("ner", "relation"), **RECOVERED)
    config["model"]["relation"]["stacks_on"] = "ner"
    return config


@pytest.fixture(scope="module")
def uninterrupted(
    recovered_config: dict[str, Any],
    pretrained_dir: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Result:
    directory = tmp_path_factory.mktemp("runs") / "whole"
    run(recovered_config, directory, pretrained_dir)
    return result_of(directory)


@pytest.mark.parametrize("step", [1, 4, 6])
def test_recovered_fine_tuning_equals_uninterrupted_one_without_the_trained_model(
    recovered_config: dict[str, Any],
    uninterrupted: Result,
    pretrained_dir: Path,
    tmp_path: Path,
    build_with: Callable,
    step: int,
) -> None:
    config = recovered_config
    lent = shutil.copytree(pretrained_dir, tmp_path / "lent")
    build_with(CrashAtStep(step))
    with pytest.raises(Crash):
        run(config, tmp_path / "run", lent)
    shutil.rmtree(lent)
    build_with()
    run(config, tmp_path / "run", lent, recover=True)
    assert uninterrupted.differences(result_of(tmp_path / "run")) == []


@pytest.mark.parametrize("content", ["{", "null"])
def test_damaged_scores_of_before_are_told(
    new_corpus: Path, pretrained_dir: Path, tmp_path: Path, content: str
) -> None:
    config = config_on(new_corpus, ("ner",))
    run(config, tmp_path / "run", pretrained_dir)
    (tmp_path / "run" / "scores_before.json").write_text(content)
    with pytest.raises(DataError, match=r"scores_before\.json:.* put back a copy"):
        run(config, tmp_path / "run", pretrained_dir, recover=True)


def test_fine_tuning_stopped_before_its_first_checkpoint_starts_again(
    new_corpus: Path, pretrained_dir: Path, tmp_path: Path, build_with: Callable
) -> None:
    config = config_on(new_corpus, ("ner",))
    run(config, tmp_path / "whole", pretrained_dir)
    lent = shutil.copytree(pretrained_dir, tmp_path / "lent")
    start_of(config, tmp_path / "run", lent, build_with)
    shutil.rmtree(lent)
    build_with()
    run(config, tmp_path / "run", lent, recover=True)
    assert result_of(tmp_path / "whole").differences(result_of(tmp_path / "run")) == []


def test_fine_tuned_run_can_be_fine_tuned(
    corpus: Path, new_corpus: Path, pretrained_dir: Path, tmp_path: Path
) -> None:
    run(config_on(new_corpus, ("ner",)), tmp_path / "one", pretrained_dir)
    metrics = run(config_on(corpus, ("ner",)), tmp_path / "two", tmp_path / "one", "model_state.th")
    assert metrics["forgetting"]["ner"]["before"]["loss"] > 0


def test_imported_directory_of_2018_can_be_fine_tuned(
    corpus: Path, tmp_path: Path, build_with: Callable
) -> None:
    from hmtl.fine_tuning.reference_run import import_directory

    write_reference_dir(tmp_path / "reference", ("ner", "emd"))
    import_directory(tmp_path / "reference", tmp_path / "imported")
    config = json.loads((tmp_path / "imported" / "config.json").read_text())
    tiny = completed_config(corpus, tasks=("ner", "emd"))
    for name in ("ner", "emd"):
        paths = tiny[f"task_{name}"]["data_params"]
        config[f"task_{name}"]["data_params"].update(
            {key: paths[key] for key in paths if key.endswith("_path")}
        )
    config.update(data_root=str(corpus), multi_task_trainer=tiny["multi_task_trainer"])
    start = start_of(config, tmp_path / "run", tmp_path / "imported", build_with)
    trained = load_tensors(tmp_path / "imported" / "best_emd.th")
    num_words = trained[TOKENS].size(0)
    assert start[TOKENS].size(0) > num_words
    assert torch.equal(start[TOKENS][:num_words], trained[TOKENS])


def refused(match: str, kind: type, *arguments: Any, **options: Any) -> None:
    with pytest.raises(kind, match=match):
        run(*arguments, **options)


def test_missing_trained_model_is_named(corpus: Path, pretrained_dir: Path, tmp_path: Path) -> None:
    config, target = config_on(corpus, ("ner",)), tmp_path / "run"
    refused("no such directory", DataError, config, target, tmp_path / "nowhere")
    refused("no config.json here", DataError, config, target, tmp_path)
    weights = "best_emd.th, best_ner.th, best_relation.th, model_state.th"
    refused(
        rf"no weights 'best_er.th' .*{weights}",
        DataError,
        config,
        target,
        pretrained_dir,
        "best_er.th",
    )
    assert not target.exists()


def test_file_that_holds_no_weights_is_refused(
    corpus: Path, pretrained_dir: Path, tmp_path: Path
) -> None:
    config = config_on(corpus, ("ner",))
    match = "training_state.th: holds other things than weights"
    refused(match, DataError, config, tmp_path / "run", pretrained_dir, "training_state.th")


def test_truncated_weights_are_refused(corpus: Path, pretrained_dir: Path, tmp_path: Path) -> None:
    spoilt = shutil.copytree(
        pretrained_dir, tmp_path / "spoilt", ignore=shutil.ignore_patterns("checkpoints")
    )
    for name in ("best_emd.th", "model_state.th"):
        path = spoilt / name
        path.write_bytes(path.read_bytes()[:1000])
        refused("truncated", DataError, config_on(corpus, ("ner",)), tmp_path / "run", spoilt, name)


@pytest.mark.parametrize("name", ["best_emd.th", "model_state.th"])
def test_run_keeps_the_whole_copy_that_it_began_with(
    corpus: Path, pretrained_dir: Path, tmp_path: Path, build_with: Callable, name: str
) -> None:
    spoilt = shutil.copytree(pretrained_dir, tmp_path / "spoilt")
    (spoilt / name).write_bytes((spoilt / name).read_bytes()[:1000])
    build_with(Start())
    with pytest.raises(Crash):
        run(config_on(corpus, ("ner",)), tmp_path / "run", spoilt, name)
    kept = tmp_path / "run" / "pretrained" / name
    assert kept.read_bytes() == (pretrained_dir / name).read_bytes()


def test_weights_of_another_model_than_beside_them_are_refused(
    corpus: Path, pretrained_dir: Path, tmp_path: Path
) -> None:
    mixed = shutil.copytree(pretrained_dir, tmp_path / "mixed")
    config = json.loads((mixed / "config.json").read_text())
    config["model"]["ner"]["encoder"]["hidden_size"] = 3
    (mixed / "config.json").write_text(json.dumps(config))
    refused(
        "best_emd.th: these weights do not fit the model",
        DataError,
        config_on(corpus, ("ner",)),
        tmp_path / "run",
        mixed,
    )


def test_parameter_that_cannot_be_carried_over_is_named_with_both_shapes(
    corpus: Path, pretrained_dir: Path, tmp_path: Path
) -> None:
    config = config_on(corpus, ("ner", "relation"), model__relation__tagger__hidden_dim=7)
    match = r"heads\.relation\.first_projection is \(8, 7\), trained \(8, 5\)"
    refused(match, DataError, config, tmp_path / "run", pretrained_dir)
    config["fine_tuning"] = {"start_new": ["heads[.]relation"]}
    run(config, tmp_path / "other", pretrained_dir)


def test_model_with_nothing_in_common_is_refused(
    corpus: Path, pretrained_dir: Path, tmp_path: Path
) -> None:
    config = config_on(corpus, ("ner",), fine_tuning__start_new=["."])
    refused(
        "no weights that the config's model", DataError, config, tmp_path / "run", pretrained_dir
    )


@pytest.mark.parametrize(
    "options, match",
    [
        ({"start_new": ["heads.nre"]}, r"fine_tuning\.start_new\.0 .*matches no parameter"),
        ({"initialize_from": {"ner": "nre"}}, "'ner' begin with 'nre'"),
        ({"old_labels": "remove"}, 'old_labels "remove" is unknown'),
        ({"replay": {"ner": -1}}, r"factors\.ner is -1"),
        ({"replya": {}}, r"unknown key fine_tuning\.replya: did you mean 'replay'"),
    ],
)
def test_options_that_cannot_be_are_refused(
    corpus: Path, pretrained_dir: Path, tmp_path: Path, options: dict, match: str
) -> None:
    config = config_on(corpus, ("ner",), fine_tuning=options)
    refused(match, ConfigurationError, config, tmp_path / "run", pretrained_dir)


def test_new_run_is_not_written_over_the_trained_model(corpus: Path, pretrained_dir: Path) -> None:
    config = config_on(corpus, ("ner",))
    for target in (pretrained_dir, pretrained_dir.parent):
        refused(
            "lies in --serialization_dir",
            ConfigurationError,
            config,
            target,
            pretrained_dir,
            force=True,
        )
    assert (pretrained_dir / "best_emd.th").is_file()


def _fine_tune_by_several(config: dict[str, Any], directory: Path, pretrained: Path) -> None:
    with one_thread():
        run(config, directory, pretrained)


@pytest.mark.slow
def test_two_processes_fine_tune_as_one_does(
    corpus: Path, pretrained_dir: Path, tmp_path: Path
) -> None:
    config = config_on(
        corpus,
        ("ner", "relation"),
        multi_task_trainer__num_epochs=1,
        multi_task_trainer__no_tqdm=True,
    )
    alone = run(config, tmp_path / "alone", pretrained_dir)
    both = Processes(
        tmp_path / "out", _fine_tune_by_several, config, tmp_path / "run", pretrained_dir
    )
    both.succeed()
    assert both.outputs()[1] == ""
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    scores = {task: each["before"] for task, each in metrics["forgetting"].items()}
    # As JSON has them.
    expected = {task: each["before"] for task, each in alone["forgetting"].items()}
    assert scores == json.loads(json.dumps(expected))
    for task in ("ner", "relation"):
        losses = [each[task]["best_epoch_val_metrics"][task]["loss"] for each in (metrics, alone)]
        assert losses[0] == pytest.approx(losses[1], rel=0.05)
