"""The running of runs, with a stand-in for train.py that takes no time."""

import json
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from hmtl.common.interruption import Interrupted
from hmtl.study.grid import Run, Setup
from hmtl.study.running import Study, command_of, is_finished
from tests.study.studies import stand_in_for_train

# What it does follows from the setup's overrides.
TRAIN = """\
import json, pathlib, signal, sys, time
arguments = sys.argv[1:]
directory = pathlib.Path(arguments[arguments.index("-s") + 1])
overrides = json.loads(arguments[arguments.index("-o") + 1])
directory.mkdir(parents=True, exist_ok=True)
started = time.monotonic()
print("starts", "--recover" in arguments, flush=True)
def stop(number, frame):
    (directory / "stopped").touch()
    sys.exit(143)
signal.signal(signal.SIGTERM, stop)
(directory / "config.json").write_text("{}")
time.sleep(overrides.get("sleep", 0))
if overrides.get("fail"):
    print("error: it went wrong", file=sys.stderr)
    print("and on it goes", file=sys.stderr)
    sys.exit(1)
(directory / "metrics.json").write_text(json.dumps([started, time.monotonic()]))
"""


@pytest.fixture(autouse=True)
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in_for_train(tmp_path, monkeypatch, TRAIN)


def run(name: str, seed: int = 1, **overrides: object) -> Run:
    return Run(Setup(name, "", Path("config.json"), overrides), seed)


def log(study: Path, each: Run) -> str:
    return (study / f"{each.name}.log").read_text()


def test_every_run_is_made_in_its_directory(tmp_path: Path) -> None:
    runs = [run("a", 1), run("a", 2), run("b", 1)]
    study = Study(tmp_path / "study", runs)
    study.run(jobs=2)
    assert study.failures == []
    for each in runs:
        assert is_finished(each, study.directory)
        assert (study.directory / each.setup.name / f"seed-{each.seed}" / "metrics.json").is_file()


def test_a_run_that_fails_takes_no_other_with_it(tmp_path: Path) -> None:
    bad, good = run("bad", fail=True), run("good")
    study = Study(tmp_path / "study", [bad, good])
    study.run(jobs=1)
    (failure,) = study.failures
    assert (failure.run, failure.exit_code) == (bad, 1)
    assert failure.last_words == "error: it went wrong"
    assert is_finished(good, study.directory)


def test_the_log_of_each_run_is_kept_with_its_command(tmp_path: Path) -> None:
    study = Study(tmp_path / "study", [run("a", sleep=0)])
    study.run(jobs=1)
    lines = log(study.directory, study.runs[0]).splitlines()
    assert lines[0].startswith("$ hmtl train -c config.json -s ") and '"seed": 1' in lines[0]
    assert lines[1] == "starts False"


def test_finished_runs_are_skipped_and_broken_ones_go_on(tmp_path: Path) -> None:
    finished, broken = run("finished"), run("broken")
    study = tmp_path / "study"
    for each in (finished, broken):
        (study / each.name).mkdir(parents=True)
        (study / each.name / "config.json").touch()
    (study / finished.name / "metrics.json").touch()
    Study(study, [finished, broken]).run(jobs=1)
    assert not (study / "finished" / "seed-1.log").exists()
    assert log(study, broken).splitlines()[-1] == "starts True"


@pytest.mark.parametrize("jobs", [1, 2])
def test_no_more_runs_than_asked_for_are_made_at_a_time(tmp_path: Path, jobs: int) -> None:
    study = Study(tmp_path / "study", [run("a", seed, sleep=0.1) for seed in range(4)])
    study.run(jobs=jobs)
    spans = [
        json.loads((study.directory / each.name / "metrics.json").read_text())
        for each in study.runs
    ]
    for start, _ in spans:
        assert sum(other <= start < end for other, end in spans) <= jobs


def test_packages_are_handed_on(tmp_path: Path) -> None:
    command = command_of(run("a"), tmp_path, ["my_package"])
    assert command[-2:] == ["--include-package", "my_package"]


@pytest.mark.usefixtures("usual_signals")
def test_a_signal_lets_the_runs_write_their_checkpoints_first(tmp_path: Path) -> None:
    slow, next_one = run("slow", sleep=60), run("next")
    study = Study(tmp_path / "study", [slow, next_one])
    directory = study.directory / slow.name

    def interrupt() -> None:
        while not (directory / "config.json").exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=interrupt).start()
    with pytest.raises(Interrupted, match="the same command resumes them"):
        study.run(jobs=1)
    assert (directory / "stopped").exists()
    assert not (study.directory / next_one.name).exists()


def test_arguments_name_all_that_train_needs(tmp_path: Path) -> None:
    arguments = run("a", 5, tasks=["ner"]).arguments(tmp_path)
    assert arguments[:4] == ["-c", "config.json", "-s", str(tmp_path / "a" / "seed-5")]
    overrides = json.loads(arguments[5])
    assert overrides == {"tasks": ["ner"], "seed": 5, "multi_task_trainer.no_tqdm": True}
