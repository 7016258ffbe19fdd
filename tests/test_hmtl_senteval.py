"""hmtl_senteval.py, from its command line to its files."""

import json
import re
import shutil
import signal
import sys
from pathlib import Path

import pytest

from hmtl.common.interruption import Interrupted
from hmtl.errors import DataError
from hmtl.probing.features import FeatureStore
from hmtl.probing.study import Request
from tests.probing.runs import train_tiny_run, write_probing_data
from tests.running import REPOSITORY, Scripts

SCRIPT = "hmtl_senteval.py"
STAND_IN = REPOSITORY / "tests" / "probing" / "senteval_stand_in"
LAYERS = ["text_field_embedder", "encoder_ner", "encoder_emd"]
FILES = {"senteval.json", "senteval.md", "senteval_heat_map.png", "senteval_lines.png", "features"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a run of two tasks (`run/`) and probing data (`probing/`)."""
    directory = tmp_path_factory.mktemp("senteval")
    train_tiny_run(directory, ("ner", "emd"))
    # Probing needs the run alone, not the corpora that it was trained on.
    shutil.rmtree(directory / "corpus")
    write_probing_data(directory / "probing")
    return directory


@pytest.fixture
def options(world: Path, tmp_path: Path) -> list[str]:
    """Those of every command here."""
    arguments = ["-s", world / "run", "--data", world, "--output", tmp_path / "out"]
    return [*map(str, arguments), "--seeds", "1", "2", "--device", "cpu"]


def results_in(directory: Path) -> dict[tuple[str, str, int], float]:
    content = json.loads((directory / "senteval.json").read_text())
    return {(each["task"], each["row"], each["seed"]): each["acc"] for each in content["results"]}


def test_all_layers_are_probed(options: list[str], tmp_path: Path, run_script: Scripts) -> None:
    done = run_script(SCRIPT, *options, "-t", "emd", "-l", "all")
    assert done.code == 0, done.err
    assert {path.name for path in (tmp_path / "out").iterdir()} == FILES
    results = results_in(tmp_path / "out")
    rows = ["bag of embeddings", *LAYERS]
    assert set(results) == {(t, r, s) for t in ("Length", "Tense") for r in rows for s in (1, 2)}
    assert all(0 <= accuracy <= 100 for accuracy in results.values())
    table = (tmp_path / "out" / "senteval.md").read_text()
    assert table in done.out
    names = re.findall(r"^\| ([\w ]+) \|", table, re.MULTILINE)
    assert names == ["layer", "majority class", *rows]


def test_one_layer_and_task_by_standardised_vectors(
    options: list[str], tmp_path: Path, run_script: Scripts
) -> None:
    arguments = ["-t", "ner", "-l", "encoder_emd", "--tasks", "Tense", "--standardize"]
    done = run_script(SCRIPT, *options, *arguments)
    assert done.code == 0, done.err
    assert set(results_in(tmp_path / "out")) == {
        ("Tense", row, seed) for row in ("bag of embeddings", "encoder_emd") for seed in (1, 2)
    }


def test_finished_parts_are_kept_and_others_join_them(
    options: list[str], tmp_path: Path, run_script: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run_script(SCRIPT, *options, "-t", "emd", "-l", "encoder_ner", "--tasks", "Length")
    assert first.code == 0, first.err
    before = results_in(tmp_path / "out")
    second = run_script(SCRIPT, *options, "-t", "emd", "-l", "all", "--tasks", "Length")
    assert "4 of 8 parts were finished before" in second.err
    after = results_in(tmp_path / "out")
    assert len(after) == 8 and before.items() <= after.items()
    # And once all is there, nothing is computed at all.
    monkeypatch.delattr(FeatureStore, "open")
    third = run_script(SCRIPT, *options, "-t", "emd", "-l", "all", "--tasks", "Length")
    assert third.code == 0, third.err
    assert results_in(tmp_path / "out") == after


def test_interruption_keeps_what_is_finished_and_says_how_to_go_on(
    options: list[str], tmp_path: Path, run_script: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*arguments: object) -> None:
        raise Interrupted(signal.SIGTERM)

    arguments = ["-t", "emd", "-l", "encoder_ner", "--tasks", "Length"]
    with monkeypatch.context() as patch:
        # The baseline comes first, and needs no layer.
        patch.setattr(FeatureStore, "open", stop)
        done = run_script(SCRIPT, *options, *arguments)
    assert done.code == 128 + signal.SIGTERM
    assert "the same command resumes from there" in done.err
    before = results_in(tmp_path / "out")
    assert {row for _, row, _ in before} == {"bag of embeddings"}
    assert run_script(SCRIPT, *options, *arguments).code == 0
    assert before.items() < results_in(tmp_path / "out").items()


def test_untrained_model_stands_beside_the_trained_one(
    options: list[str], world: Path, tmp_path: Path, run_script: Scripts
) -> None:
    arguments: list[str] = ["--tasks", "Length", "-l", "encoder_ner"]
    untrained = tmp_path / "untrained"
    done = run_script(SCRIPT, *options, *arguments, "--untrained", "--output", untrained)
    assert done.code == 0, done.err
    done = run_script(SCRIPT, *options, *arguments, "-t", "ner", "--beside", untrained)
    assert done.code == 0, done.err
    assert "| run (ner): encoder_ner |" in done.out
    assert "| run (untrained): encoder_ner |" in done.out
    digests = {
        json.loads((path / "senteval.json").read_text())["model"]["sha256"]
        for path in (untrained, tmp_path / "out")
    }
    assert len(digests) == 2


def test_untrained_model_is_the_same_every_time(
    options: list[str], tmp_path: Path, run_script: Scripts
) -> None:
    arguments = ["--untrained", "--tasks", "Length", "-l", "encoder_ner"]
    contents = []
    for name in ("one", "two"):
        done = run_script(SCRIPT, *options, *arguments, "--output", tmp_path / name)
        assert done.code == 0, done.err
        contents.append((tmp_path / name / "senteval.json").read_text())
    assert contents[0] == contents[1]


def test_output_is_in_the_run_if_nothing_else_is_said(
    world: Path, tmp_path: Path, run_script: Scripts
) -> None:
    shutil.copytree(world / "run", tmp_path / "run")
    arguments = ["-t", "ner", "--seeds", "1", "--tasks", "Length", "-l", "encoder_ner"]
    done = run_script(SCRIPT, "-s", tmp_path / "run", "--data", world / "probing", *arguments)
    assert done.code == 0, done.err
    assert {path.name for path in (tmp_path / "run" / "probing" / "best_ner").iterdir()} == FILES


def test_engine_of_senteval_drives_the_probing(
    options: list[str], tmp_path: Path, run_script: Scripts
) -> None:
    try:
        done = run_script(SCRIPT, *options, "-t", "emd", "-l", "all", "--senteval", STAND_IN)
        calls = sys.modules["senteval.engine"].calls
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == "senteval"]:
            del sys.modules[name]
    assert done.code == 0, done.err
    results = results_in(tmp_path / "out")
    assert len(results) == 2 * 4 * 2
    assert sum(name == "prepare" for name, _, _ in calls) == len(results)
    assert "SentEval's engine" in (tmp_path / "out" / "senteval.md").read_text()


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["-t", "srl"], "--task srl: the run has no such task. It has ner, emd."),
        (["-t", "ner", "-l", "encoder_coref"], "no layer 'encoder_coref'.*encoder_emd"),
        (["-t", "ner", "--device", "cuda:99"], "the device 'cuda:99' cannot be used"),
        (["-t", "ner", "--device", "tpu!"], "the device 'tpu!' cannot be used"),
        (["-t", "ner", "--tasks", "Depth"], "no tree_depth.txt, the file of Depth"),
        (["-t", "ner", "--senteval", "nowhere"], "no senteval/engine.py"),
        (["-t", "ner", "--senteval", "x", "--standardize"], "--standardize is for our own probe"),
        (["-t", "ner", "--beside", "nowhere"], "nowhere: holds no senteval.json"),
    ],
)
def test_what_is_not_to_be_had_is_told_in_one_message(
    options: list[str], run_script: Scripts, arguments: list[str], message: str
) -> None:
    assert re.search(message, run_script(SCRIPT, *options, *arguments).error, re.DOTALL)


def test_what_is_not_said_is_as_it_was_in_2018(
    world: Path, tmp_path: Path, run_script: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests: list[Request] = []

    def note(request: Request) -> None:
        requests.append(request)
        raise DataError("noted")

    monkeypatch.setattr("hmtl.probing.study.probe", note)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "SentEval").mkdir()
    assert "noted" in run_script(SCRIPT, "-s", world / "run").error
    (request,) = requests
    assert (request.task, request.layers) == ("ner", ["text_field_embedder"])
    assert (request.data, request.senteval) == (None, Path("SentEval"))


def test_directory_without_a_run_is_refused(
    world: Path, tmp_path: Path, run_script: Scripts
) -> None:
    done = run_script(SCRIPT, "-s", tmp_path, "-t", "ner", "--data", world)
    assert "there is no config.json here" in done.error


def test_malformed_line_is_named(
    world: Path, options: list[str], tmp_path: Path, run_script: Scripts
) -> None:
    broken = write_probing_data(tmp_path / "broken", ("Length",)) / "sentence_length.txt"
    lines = broken.read_text().splitlines()
    lines[4] = lines[4].replace("\t", " ")
    broken.write_text("\n".join(lines) + "\n")
    done = run_script(SCRIPT, *options, "-t", "ner", "--data", tmp_path / "broken")
    assert f"{broken}:5: " in done.error


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["-t", "ner"], "There is no checkout of SentEval in SentEval: give --data"),
        (["-t", "ner", "--untrained", "--data", "x"], "not allowed with argument"),
        (["-t", "ner", "--data", "x", "--tasks", "Nonsense"], "invalid choice: 'Nonsense'"),
        (["-t", "ner", "--data", "x", "--hidden", "-1"], "--hidden -1: expected is 0 or"),
    ],
)
def test_usage_errors(run_script: Scripts, arguments: list[str], message: str) -> None:
    done = run_script(SCRIPT, "-s", "run", *arguments)
    assert done.code == 2
    assert message in done.err
