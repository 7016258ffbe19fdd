"""The entry points end to end, on a corpus of a few sentences."""

import json
import re
import runpy
import shutil
import sys
from pathlib import Path

import pytest

from hmtl import __version__
from hmtl.commands.main import COMMANDS
from tests.fixtures import TASKS, Config, tiny_config, write_corpus
from tests.running import (
    COMMANDS_OF_2018,
    REPOSITORY,
    Finished,
    Scripts,
    answer_without_heavy_imports,
    run_in_a_process,
)


class World:
    """A corpus and its config in a directory; every run beside them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.corpus = write_corpus(directory / "corpus")
        self.run = directory / "run"

    def config_file(self, config: Config | None = None, name: str = "config.json") -> Path:
        path = self.directory / name
        path.write_text(json.dumps(config or tiny_config(self.corpus)))
        return path


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, Finished]:
    """A run of all four tasks, made as a user makes it."""
    world = World(tmp_path_factory.mktemp("trained"))
    return world, run_in_a_process("train.py", "-c", world.config_file(), "-s", world.run)


# Help and usage


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("arguments, code", [(["--help"], 0), ([], 2)])
def test_help_and_usage_errors_answer_without_heavy_imports(
    command: str, arguments: list[str], code: int
) -> None:
    done = answer_without_heavy_imports(f"hmtl {command}", *arguments)
    assert done.code == code, done
    assert (done.out if code == 0 else done.err).startswith(f"usage: hmtl {command} ")


@pytest.mark.parametrize("arguments, code", [(["--version"], 0), (["--help"], 0), (["trian"], 2)])
def test_command_line_without_a_command(
    run_script: Scripts, arguments: list[str], code: int
) -> None:
    done = run_script("hmtl", *arguments)
    assert done.code == code
    assert {
        "--version": __version__,
        "--help": "import-reference",
        "trian": "did you mean 'train'?",
    }[arguments[0]] in done.out + done.err


def test_scripts_of_2018_are_names_of_commands(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    assert sorted(COMMANDS_OF_2018) == sorted(path.name for path in REPOSITORY.glob("*.py"))
    for script, command in COMMANDS_OF_2018.items():
        monkeypatch.setattr(sys, "argv", [script, "--help"])
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(REPOSITORY / script), run_name="__main__")
        assert ended.value.code == 0
        assert capsys.readouterr().out.startswith(f"usage: hmtl {command} ")


# Training


def test_train_writes_the_files_of_a_run(trained: tuple[World, Finished]) -> None:
    world, done = trained
    assert done.code == 0, done.err
    expected = {"config.json", "vocabulary", "model_state.th", "training_state.th", "log"}
    expected |= {f"best_{task}.th" for task in TASKS} | {"metrics.json"}
    assert expected <= {path.name for path in world.run.iterdir()}
    for part in ("train", "validation"):
        assert list((world.run / "log" / part).glob("events.*"))


def test_train_writes_metrics_of_all_tasks_for_the_best_weights_of_each(
    trained: tuple[World, Finished],
) -> None:
    metrics = json.loads((trained[0].run / "metrics.json").read_text())
    assert list(metrics) == [*TASKS, "training_duration", "nb_epoch_trained"]
    # SPEC 8.6: the reference began at day 01.
    assert re.fullmatch(r"00:00:\d\d:\d\d", metrics["training_duration"])
    assert metrics["nb_epoch_trained"] == 1
    for task in TASKS:
        assert metrics[task]["best_epoch"] == 0
        assert "nb_epoch_trained" in metrics[task]
        assert list(metrics[task]["best_epoch_val_metrics"]) == list(TASKS)
        assert list(metrics[task]["test"]) == list(TASKS)
        headline = "coref_f1" if task == "coref" else "f1-measure-overall"
        assert headline in metrics[task]["best_epoch_val_metrics"][task]
        assert headline in metrics[task]["test"][task]


def test_train_writes_the_complete_config(trained: tuple[World, Finished]) -> None:
    config = json.loads((trained[0].run / "config.json").read_text())
    assert config["model"]["type"] == "hmtl"
    assert config["model"]["relation"]["stacks_on"] == "emd"
    assert config["model"]["ner"]["tagger"]["type"] == "crf_tagger"


def test_train_prints_a_table_of_scores_and_where_the_run_lies(
    trained: tuple[World, Finished],
) -> None:
    world, done = trained
    lines = done.out.splitlines()
    assert [line.split()[0] for line in lines[:6]] == ["test", "--------", *TASKS]
    assert str(world.run) in done.out
    assert "epoch 1" in done.err


def test_train_runs_a_selection_of_tasks(world: World, run_script: Scripts) -> None:
    overrides = '{"tasks": ["relation"]}'
    done = run_script("train.py", "-c", world.config_file(), "-s", world.run, "-o", overrides)
    assert done.code == 0, done.err
    assert [path.name for path in world.run.glob("best_*")] == ["best_relation.th"]


def test_train_refuses_a_directory_that_holds_something(
    trained: tuple[World, Finished],
    run_script: Scripts,
) -> None:
    world, _ = trained
    before = (world.run / "metrics.json").read_bytes()
    done = run_script("train.py", "-c", world.directory / "config.json", "-s", world.run)
    assert re.search(r"is not empty.*--recover.*--force", done.error)
    assert (world.run / "metrics.json").read_bytes() == before


def test_force_replaces_a_run(
    trained: tuple[World, Finished],
    tmp_path: Path,
    run_script: Scripts,
) -> None:
    world, copy = trained[0], tmp_path / "copy"
    shutil.copytree(world.run, copy)
    (copy / "leftover").write_text("")
    overrides = '{"tasks": ["ner"]}'
    config = world.directory / "config.json"
    done = run_script("train.py", "-c", config, "-s", copy, "--force", "-o", overrides)
    assert done.code == 0, done.err
    left = {path.name for path in copy.iterdir()}
    assert "best_ner.th" in left and not {"leftover", "best_emd.th"} & left


def test_force_does_not_replace_what_is_no_run(world: World, run_script: Scripts) -> None:
    world.run.mkdir()
    (world.run / "thesis.tex").write_text("")
    done = run_script("train.py", "-c", world.config_file(), "-s", world.run, "--force")
    assert "holds no run" in done.error
    assert (world.run / "thesis.tex").exists()


# Evaluation


def coref_of(metrics: Config) -> Config:
    return metrics["coref"]["test"]["coref"]


def test_evaluate_gives_what_train_gave(
    trained: tuple[World, Finished],
    run_script: Scripts,
) -> None:
    world, _ = trained
    done = run_script("evaluate.py", "-s", world.run)
    assert done.code == 0, done.err
    evaluated = json.loads((world.run / "evaluate_metrics.json").read_text())
    metrics = json.loads((world.run / "metrics.json").read_text())
    # SPEC 11: tasks only.
    assert list(evaluated) == list(TASKS)
    assert evaluated["ner"]["gold_mentions"] is False
    for task in TASKS:
        assert evaluated[task]["test"] == metrics[task]["test"]
    assert [line.split()[0] for line in done.out.splitlines()[2:6]] == list(TASKS)


def test_evaluate_shows_scores_that_it_cannot_write(
    trained: tuple[World, Finished], run_script: Scripts, tmp_path: Path
) -> None:
    shutil.copytree(trained[0].run, tmp_path / "run")
    path = tmp_path / "run" / "evaluate_metrics.json"
    path.unlink(missing_ok=True)
    # As good as read-only, even for root.
    path.mkdir()
    done = run_script("evaluate.py", "-s", tmp_path / "run")
    assert done.error.startswith(f"error: {path}: cannot be written: ")
    assert [line.split()[0] for line in done.out.splitlines()[2:6]] == list(TASKS)


def test_evaluate_scores_coreference_on_gold_mentions(
    trained: tuple[World, Finished],
    run_script: Scripts,
) -> None:
    # SPEC 8.2: the reference parsed -g and never read it.
    world, _ = trained
    done = run_script("evaluate.py", "-s", world.run, "-g")
    assert done.code == 0, done.err
    evaluated = json.loads((world.run / "evaluate_metrics.json").read_text())
    metrics = json.loads((world.run / "metrics.json").read_text())
    assert evaluated["coref"]["gold_mentions"] is True
    assert coref_of(metrics)["mention_recall"] < 1.0
    assert coref_of(evaluated)["mention_recall"] == 1.0
    assert evaluated["ner"]["test"]["ner"] == metrics["ner"]["test"]["ner"]


def test_evaluate_names_a_directory_without_a_run(tmp_path: Path, run_script: Scripts) -> None:
    done = run_script("evaluate.py", "-s", tmp_path / "absent")
    assert re.search(r"absent: there is no config.json here", done.error)


# What is wrong, in one message


def broken(world: World, path: str, value: object) -> Path:
    """A config in which the entry at a dotted path is another."""
    config = block = tiny_config(world.corpus)
    *keys, last = path.split(".")
    for key in keys:
        block = block[key]
    block[last] = value
    return world.config_file(config)


@pytest.mark.parametrize(
    "path, value, message",
    [
        (
            "multi_task_trainer.num_epoch",
            3,
            r"multi_task_trainer\.num_epoch: did you mean 'num_epochs'",
        ),
        ("multi_task_trainer.num_epochs", "3", r"num_epochs is \"3\"; write a whole number"),
        ("model.ner.encoder.type", "lstmm", r"model\.ner\.encoder\.type \"lstmm\" is unknown"),
        ("model.ner.encoder.hidden_size", 0, r"model\.ner\.encoder: hidden_size must be greater"),
        ("model.ner.encoder.input_size", 7, r"model\.ner\.encoder .* size 7, .* size 6"),
        ("model.coref.stacks_on", "nre", r"model\.coref\.stacks_on names 'nre'"),
        ("model.ner.tagger.label_namespace", "x", r"model\.ner\.tagger: label_namespace 'x'"),
        (
            "task_ner.data_params.test_data_path",
            "x",
            r"test_data_path leads to .*which does not exist",
        ),
        ("multi_task_trainer.cuda_device", 99, r"cuda_device is 99, but torch sees"),
        ("unseen_labels", "mis", r"unseen_labels \"mis\" is unknown: did you mean .miss."),
    ],
)
def test_wrong_config_is_told_in_one_message(
    world: World,
    run_script: Scripts,
    path: str,
    value: object,
    message: str,
) -> None:
    config = broken(world, path, value)
    assert re.search(message, run_script("train.py", "-c", config, "-s", world.run).error)


def test_label_that_training_never_saw_is_told_before_training(
    world: World,
    run_script: Scripts,
) -> None:
    # SPEC 8.4: in the reference a KeyError after a whole epoch.
    file = world.corpus / "ace/dev/a.like_conll"
    file.write_text(file.read_text().replace("(GPE)", "(FAC)", 1))
    config = world.config_file()
    done = run_script("train.py", "-c", config, "-s", world.run)
    assert re.search(
        r"a\.like_conll:2: the label 'U-FAC' in the validation data of task emd", done.error
    )
    assert not (world.run / "log").exists()


def test_label_that_training_never_saw_can_count_as_a_miss(
    world: World,
    run_script: Scripts,
) -> None:
    file = world.corpus / "ace/test/a.like_conll"
    file.write_text(file.read_text().replace("(GPE)", "(FAC)"))
    overrides = '{"unseen_labels": "miss", "tasks": ["emd"]}'
    done = run_script("train.py", "-c", world.config_file(), "-s", world.run, "-o", overrides)
    assert done.code == 0, done.err
    metrics = json.loads((world.run / "metrics.json").read_text())
    assert metrics["emd"]["test"]["emd"]["recall-FAC"] == 0.0


def test_missing_config_is_told_in_one_message(world: World, run_script: Scripts) -> None:
    done = run_script("train.py", "-c", world.directory / "absent.json", "-s", world.run)
    assert "absent.json does not exist" in done.error


def test_missing_package_is_told_in_one_message(world: World, run_script: Scripts) -> None:
    arguments = ("-c", world.config_file(), "-s", world.run, "--include-package", "no_such_package")
    done = run_script("train.py", *arguments)
    assert "--include-package no_such_package: there is no such package" in done.error


def test_bad_row_is_told_in_one_message_by_a_process_that_fails(world: World) -> None:
    file = world.corpus / "ontonotes/ner/train/a.v4_gold_conll"
    file.write_text(file.read_text().replace("(GPE)", "(GPE", 1))
    done = run_in_a_process("train.py", "-c", world.config_file(), "-s", world.run)
    assert re.search(r"a\.v4_gold_conll:7: ", done.error)
