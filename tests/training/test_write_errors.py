"""Whatever write is refused: one clear message, and a run that resumes from its last good checkpoint."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from hmtl.errors import DataError
from hmtl.runs.training import train
from hmtl.training.callbacks import Callback, StepReport
from script.torture import Result, result_of
from tests.training.small_runs import small_config
from tests.write_errors import ERRORS, FailingSystem

# As small as a run can be that writes every kind of file, and a second checkpoint over a first.
SMALLER = {
    "tasks": ["ner"],
    "multi_task_trainer__num_epochs": 2,
    "multi_task_trainer__checkpoint_every_n_steps": None,
    "multi_task_trainer__training_metrics_interval": 0,
    "multi_task_trainer__summary_interval": 2,
    "multi_task_trainer__keep_last": 1,
}
NUM_SAMPLES = 8


def run(directory: Path, recover: bool = False) -> Result:
    train(small_config(**SMALLER), directory, recover=recover, force=False)
    return result_of(directory)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Result:
    return run(tmp_path_factory.mktemp("runs") / "run")


@pytest.fixture(scope="module")
def num_calls(tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many calls that write a run makes."""
    with pytest.MonkeyPatch.context() as patch:
        directory = tmp_path_factory.mktemp("runs") / "run"
        return FailingSystem(ERRORS[0]).count(patch, lambda: run(directory))


def refuse_each(
    calls: range, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undisturbed: Result
) -> None:
    for call in calls:
        system = FailingSystem(ERRORS[call % len(ERRORS)])
        directory = tmp_path / f"run-{call}"
        with monkeypatch.context() as patch:
            system.fail_at(patch, call)
            problem = error_of(directory)
        if problem is not None:
            assert "cannot be written: " in problem and "\n" not in problem, (call, problem)
        assert undisturbed.differences(run(directory, recover=True)) == [], (call, system.refused)


def error_of(directory: Path) -> "str | None":
    """The message, where a run ended with one. A refused removal of what is superseded may not matter."""
    try:
        run(directory)
    except DataError as error:
        return str(error)
    return None


def test_run_survives_a_refused_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undisturbed: Result, num_calls: int
) -> None:
    assert num_calls > 5 * NUM_SAMPLES
    calls = range(1, num_calls + 1, num_calls // NUM_SAMPLES)
    refuse_each(calls, tmp_path, monkeypatch, undisturbed)


@pytest.mark.slow
def test_run_survives_every_refused_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undisturbed: Result, num_calls: int
) -> None:
    refuse_each(range(1, num_calls + 1), tmp_path, monkeypatch, undisturbed)


class RemoveAtStep(Callback):
    def __init__(self, directory: Path, step: int) -> None:
        self.directory, self.step = directory, step

    def on_step(self, report: StepReport) -> None:
        if report.step == self.step:
            shutil.rmtree(self.directory)


@pytest.mark.parametrize("removed, step", [("run", 2), ("run", 7), ("run/checkpoints", 7)])
def test_directory_that_is_removed_meanwhile_is_named(
    tmp_path: Path, build_with: Callable, removed: str, step: int
) -> None:
    build_with(RemoveAtStep(tmp_path / removed, step))
    with pytest.raises(DataError) as caught:
        train(small_config(), tmp_path / "run", recover=False, force=False)
    assert f"There is no {tmp_path / removed}" in caught.value.message
    assert not list((tmp_path / "run").glob("checkpoints/*"))
