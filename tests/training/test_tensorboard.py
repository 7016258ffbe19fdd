"""Curves, as TensorBoard reads them."""

import errno
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils._python_dispatch import TorchDispatchMode

from hmtl.config.schema import TrainerConfig
from hmtl.errors import DataError
from hmtl.training import tensorboard
from hmtl.training.callbacks import EpochReport, RunReport, StepReport, flat
from hmtl.training.tensorboard import EventLog, TensorBoardCallback
from script.torture import curves_of

DIRECTORIES = ("train", "train_epochs", "validation")
METRIC = "f1-measure-overall"


def model() -> torch.nn.Module:
    module = torch.nn.Linear(2, 1, bias=False)
    module.weight.data.copy_(torch.tensor([[1.0, 3.0]]))
    module.weight.grad = torch.tensor([[0.0, 4.0]])
    return module


def run_report(epoch: int = 0, step: int = 0) -> RunReport:
    return RunReport(
        epoch=epoch,
        step=step,
        step_in_epoch=0,
        steps_per_epoch=4,
        num_epochs=2,
        validation_metrics={"ner": METRIC},
        model=model(),
    )


def epoch_report() -> EpochReport:
    return EpochReport(
        epoch=0,
        step=4,
        duration_in_seconds=1.0,
        training={"ner": {"loss": 0.5, METRIC: 0.25}},
        validation={"ner": {"loss": 0.75, METRIC: 0.5, "muc": {"precision": 0.125}}},
        proportions={"ner": 0.75},
        learning_rates={"ner": 0.01},
        best={"ner": True},
    )


def curves(directory: Path) -> dict[str, list[tuple[int, float]]]:
    events = EventAccumulator(str(directory)).Reload()
    return {
        tag: [(event.step, event.value) for event in events.Scalars(tag)]
        for tag in events.Tags()["scalars"]
    }


def step_report(step: int, metrics: dict[str, float] | None) -> StepReport:
    """Of a step whose loss is its number."""
    mean_loss = partial(float, (step + 1) / 2)
    return StepReport(step, "ner", torch.tensor(float(step)), metrics, mean_loss)


def written(directory: Path, **options) -> Iterator[dict[str, list[tuple[int, float]]]]:
    """The curves of a run of one epoch of four steps: by step, by epoch, of validation."""
    callback = TensorBoardCallback(directory, TrainerConfig(summary_interval=2, **options))
    callback.on_start(run_report())
    for step in range(1, 5):
        metrics = {METRIC: step / 8} if step == 3 else None
        callback.on_step(step_report(step, metrics))
    callback.on_epoch(epoch_report())
    callback.on_end()
    return (curves(directory / "log" / name) for name in DIRECTORIES)


def test_curves_of_training_have_their_names(tmp_path: Path) -> None:
    by_step, by_epoch, _ = written(tmp_path, log_parameter_statistics=False)
    assert by_step == {
        # As in 2018: the mean of the epoch's losses so far, and a number of steps.
        "training_details/ner/loss": [(2, 1.5), (4, 2.5)],
        f"training_details/ner/{METRIC}": [(3, 0.375)],
    }
    assert by_epoch == {
        "task_ner/loss": [(0, 0.5)],
        f"task_ner/{METRIC}": [(0, 0.25)],
        "training_proportions/ner": [(0, 3.0)],
        "learning_rates/ner": [(0, pytest.approx(0.01))],
    }


def test_curves_of_validation_have_their_names(tmp_path: Path) -> None:
    _, _, validation = written(tmp_path)
    assert validation == {
        "task_ner/loss": [(0, 0.75)],
        f"task_ner/{METRIC}": [(0, 0.5)],
        "task_ner/muc/precision": [(0, 0.125)],
    }


def test_statistics_of_parameters_are_written(tmp_path: Path) -> None:
    training, _, _ = written(tmp_path, log_parameter_statistics=True)
    assert training["parameter_mean/weight"] == [(2, 2.0), (4, 2.0)]
    assert training["parameter_std/weight"] == [(2, 1.0), (4, 1.0)]
    assert "grad_mean/weight" not in training


class Reads(TorchDispatchMode):
    """Counts how often a single number is read: an accelerator is waited for each time."""

    count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.count += func is torch.ops.aten._local_scalar_dense.default
        return func(*args, **(kwargs or {}))


def test_statistics_are_read_together(tmp_path: Path) -> None:
    settings = TrainerConfig(log_gradient_statistics=True, summary_interval=1)
    callback = TensorBoardCallback(tmp_path, settings)
    callback.on_start(run_report())
    with Reads() as reads:
        callback.on_step(StepReport(1, "ner", torch.tensor(0.5), None))
    # The loss.
    assert reads.count == 1


def test_statistics_of_gradients_are_written_on_request(tmp_path: Path) -> None:
    training, _, _ = written(tmp_path, log_parameter_statistics=False, log_gradient_statistics=True)
    assert training["grad_mean/weight"] == [(2, 2.0), (4, 2.0)]
    assert training["grad_std/weight"] == [(2, 2.0), (4, 2.0)]
    assert "parameter_mean/weight" not in training


def test_resumed_run_forgets_what_came_after_its_checkpoint(tmp_path: Path) -> None:
    """Each step and epoch is seen once, although the checkpoint is from before the epoch's end."""
    expected = list(written(tmp_path / "whole"))
    for _ in written(tmp_path / "resumed"):
        callback = TensorBoardCallback(tmp_path / "resumed", TrainerConfig(summary_interval=2))
        callback.on_start(run_report(step=2))
        for step in (3, 4):
            metrics = {METRIC: step / 8} if step == 3 else None
            callback.on_step(step_report(step, metrics))
        callback.on_epoch(epoch_report())
        callback.on_end()
    found = [curves(tmp_path / "resumed" / "log" / name) for name in DIRECTORIES]
    assert found == expected


def test_files_that_an_older_checkpoint_names_are_left_alone(tmp_path: Path) -> None:
    """It holds the sizes to which files of the log were cut back, by their names."""
    (tmp_path / "thesis.tex").write_text("years of work")
    callback = TensorBoardCallback(tmp_path / "run", TrainerConfig())
    callback.load_state_dict({"train": {str(tmp_path / "thesis.tex"): 0}, "validation": {}})
    callback.on_start(run_report(step=2))
    assert (tmp_path / "thesis.tex").read_text() == "years of work"
    assert callback.state_dict() == {}


def test_flat_joins_names_of_nested_metrics() -> None:
    nested = {"a": 1.0, "b": {"c": 2.0, "d": {"e": 3.0}}}
    assert list(flat(nested)) == [("a", 1.0), ("b/c", 2.0), ("b/d/e", 3.0)]


def points(directory: Path) -> list[tuple[int, float]]:
    return curves_of(directory.parent)["log/loss"]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "runs" / "log"


def test_points_are_read_back_while_the_log_is_open(directory: Path) -> None:
    log = EventLog(directory, next_step=1)
    log.add("loss", 0.5, 1)
    log.add("loss", 0.25, 2)
    log.flush()
    assert points(directory) == [(1, 0.5), (2, 0.25)]


def break_off_and_resume(directory: Path, steps: int) -> None:
    """A checkpoint at each step, and a crash two steps later."""
    for step in range(1, steps + 1):
        log = EventLog(directory, next_step=step)
        log.add("loss", float(step), step)
        for lost in (1, 2):
            log.add("loss", 100.0, step + lost)
        log.close()
    log = EventLog(directory, next_step=steps + 1)
    log.add("loss", 0.0, steps + 1)
    log.close()


def test_log_is_one_curve_over_several_recoveries(directory: Path) -> None:
    """All in one second, and more of them than one digit counts."""
    break_off_and_resume(directory, 12)
    assert points(directory) == [*((step, float(step)) for step in range(1, 13)), (13, 0.0)]


def test_clock_that_goes_back_does_not_matter(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = EventLog(directory, next_step=1)
    log.add("loss", 1.0, 1)
    log.add("loss", 100.0, 2)
    log.close()
    monkeypatch.setattr(tensorboard.time, "time", lambda: 10.0**9)
    log = EventLog(directory, next_step=2)
    log.add("loss", 2.0, 2)
    log.close()
    assert points(directory) == [(1, 1.0), (2, 2.0)]


def test_log_with_nothing_to_add_makes_no_file(directory: Path) -> None:
    log = EventLog(directory, next_step=1)
    log.make_durable()
    log.close()
    assert list(directory.iterdir()) == []


def test_other_files_are_left_alone(directory: Path) -> None:
    directory.mkdir(parents=True)
    names = ["notes.txt", tensorboard.EVENT_FILES + "old"]
    for name in names:
        (directory / name).write_text("mine")
    break_off_and_resume(directory, 2)
    assert [(directory / name).read_text() for name in names] == ["mine", "mine"]


def test_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("a file")
    with pytest.raises(DataError, match="log/train: cannot be written: Not a directory"):
        EventLog(tmp_path / "log" / "train", next_step=1)


def test_refused_write_is_told_and_made_up_for(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of it is on the disk: readers go on with the next file."""
    write = os.write

    def refuse(descriptor: int, data: memoryview) -> int:
        if len(data) > 40:
            return write(descriptor, data[:-40])
        raise OSError(errno.ENOSPC, "No space left")

    log = EventLog(directory, next_step=1)
    log.add("loss", 1.0, 1)
    log.add("loss", 2.0, 2)
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", refuse)
        with pytest.raises(DataError, match="log: cannot be written: No space left"):
            log.flush()
        log.close()
    log = EventLog(directory, next_step=1)
    log.add("loss", 1.0, 1)
    log.close()
    assert points(directory) == [(1, 1.0)]
