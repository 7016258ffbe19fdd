"""The runs of a study as submitit's jobs, of this machine, with a stand-in for train.py."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from hmtl.errors import DataError
from hmtl.study import cluster
from hmtl.study.cluster import Cluster
from hmtl.study.grid import Run, Setup
from hmtl.study.running import Study, is_finished
from tests.running import Scripts
from tests.study.studies import grid_file, stand_in_for_train

needs_submitit = pytest.mark.skipif(not find_spec("submitit"), reason="submitit is not installed")
# What it does when it is started first follows from the setup's overrides.
TRAIN = """\
import json, os, pathlib, signal, sys, time
arguments = sys.argv[1:]
directory = pathlib.Path(arguments[arguments.index("-s") + 1])
overrides = json.loads(arguments[arguments.index("-o") + 1])
directory.mkdir(parents=True, exist_ok=True)
(directory / "config.json").write_text("{}")
print("recovers", "--recover" in arguments, flush=True)
def stop(number, frame):
    print("checkpoint", flush=True)
    sys.exit(143)
signal.signal(signal.SIGTERM, stop)
if "--recover" not in arguments or overrides.get("always"):
    if overrides.get("lose"):
        os.kill(os.getppid(), signal.SIGKILL)
        sys.exit(137)
    if overrides.get("fail"):
        sys.exit("error: it went wrong")
    if overrides.get("preempt"):
        # What submitit lets Slurm send before a job's time is up, to all processes.
        os.kill(os.getpid(), signal.SIGUSR2)
        os.kill(os.getppid(), signal.SIGUSR2)
        time.sleep(600)
(directory / "metrics.json").touch()
"""


@pytest.fixture(autouse=True)
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in_for_train(tmp_path, monkeypatch, TRAIN)


def study_of(tmp_path: Path, *runs: Run) -> Study:
    study = Study(tmp_path / "study", runs)
    study.launch = Cluster("local", study.directory, {}).launch
    return study


def run(name: str, **overrides: object) -> Run:
    return Run(Setup(name, "", Path("config.json"), overrides), 1)


def words(study: Study, each: Run) -> list[str]:
    lines = (study.directory / f"{each.name}.log").read_text().splitlines()
    return [line for line in lines if not line.startswith("$ hmtl train")]


@needs_submitit
@pytest.mark.slow
def test_jobs_are_runs_and_a_lost_one_is_taken_up_again(tmp_path: Path) -> None:
    good, bad, lost = run("good"), run("bad", fail=True), run("lost", lose=True)
    study = study_of(tmp_path, good, bad, lost)
    study.run(jobs=3)
    assert [(each.run, each.last_words) for each in study.failures] == [
        (bad, "error: it went wrong")
    ]
    assert is_finished(good, study.directory) and is_finished(lost, study.directory)
    assert words(study, lost) == ["recovers False", "recovers True"]


@needs_submitit
@pytest.mark.slow
def test_a_job_that_is_lost_again_and_again_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "MOST_LOSSES", 1)
    study = study_of(tmp_path, run("lost", lose=True, always=True))
    study.run(jobs=1)
    (failure,) = study.failures
    assert failure.last_words.startswith("error: the job was lost 2 times")


@needs_submitit
@pytest.mark.slow
def test_a_job_that_is_preempted_writes_a_checkpoint_and_goes_on(tmp_path: Path) -> None:
    slow = run("slow", preempt=True)
    study = study_of(tmp_path, slow)
    study.run(jobs=1)
    assert study.failures == []
    assert words(study, slow) == ["recovers False", "checkpoint", "recovers True"]


@needs_submitit
def test_a_parameter_that_submitit_does_not_know_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"--on local, --cluster .*colour"):
        Cluster("local", tmp_path, {"colour": "red"})


@needs_submitit
def test_a_machine_without_slurm_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DataError, match="--on slurm.*srun"):
        Cluster("slurm", tmp_path, {})


@pytest.mark.skipif(bool(find_spec("submitit")), reason="submitit is installed")
def test_that_submitit_is_missing_is_said(run_script: Scripts, tmp_path: Path) -> None:
    words: list[str | Path] = ["--out", tmp_path / "study", "--on", "slurm"]
    done = run_script("hmtl experiment", grid_file(tmp_path), *words)
    assert "pip install 'hmtl[slurm]'" in done.error
    assert not (tmp_path / "study" / ".submitit").exists()


def test_parameters_are_those_of_jobs(run_script: Scripts, tmp_path: Path) -> None:
    done = run_script("hmtl experiment", "grid.json", "--out", tmp_path, "--cluster", "{}")
    assert done.code == 2 and "--cluster describes the jobs of --on" in done.err
