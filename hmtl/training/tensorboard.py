"""The curves of a run, for TensorBoard."""

import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, Optional

import torch

from hmtl.common.files import FileBeingWritten, make_durable, refusals
from hmtl.config.schema import TrainerConfig
from hmtl.training.callbacks import Callback, EpochReport, RunReport, StepReport, flat

if TYPE_CHECKING:
    from tensorboard.compat.proto.event_pb2 import Event

# By this TensorBoard knows the files; after it stands a time in seconds.
EVENT_FILES = "events.out.tfevents."
FILE_VERSION = "brain.Event:2"


class EventLog:
    """
    Curves of a run over one axis: training steps, or epochs. A run that is resumed writes to a new file,
    which begins with a mark: of what earlier files have, readers forget the points from there on.

    It is what torch's `SummaryWriter(purge_step=...)` writes. That one names its files by second, process
    and a counter, so that after a quick recovery, or with another machine's clock, a reader may take them
    in the wrong order and forget the wrong points; and what the system refuses ends in a thread of its own.

    # Parameters

    directory : `Path`
        Made if it is not there.
    next_step : `int`
        The first place on the axis that will be logged.

    # Raises

    DataError
        When something cannot be written; so does each method.
    """

    def __init__(self, directory: Path, next_step: int) -> None:
        self.directory = directory
        self.next_step = next_step
        self._file: Optional[FileBeingWritten] = None
        with refusals(directory):
            directory.mkdir(parents=True, exist_ok=True)

    def add(self, tag: str, value: float, step: int) -> None:
        """
        Add a point, which others see after `flush`.

        # Parameters

        tag : `str`
            The curve's name; what stands before a slash groups it.
        value : `float`
        step : `int`
            Where on the axis.
        """
        # Here, not above: predictions and evaluations log nothing, and it takes long to import.
        from tensorboard.compat.proto.event_pb2 import Event, SessionLog
        from tensorboard.compat.proto.summary_pb2 import Summary

        summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
        with refusals(self.directory):
            if self._file is None:
                # Only now: a run that has nothing left to log leaves no empty file.
                self._file = self._new_file()
                self._write(Event(file_version=FILE_VERSION))
                start = SessionLog(status=SessionLog.START)
                self._write(Event(step=self.next_step, session_log=start))
            self._write(Event(step=step, summary=summary))

    def _new_file(self) -> FileBeingWritten:
        # Readers take the files of a directory in the order of their names.
        names = (path.name for path in self.directory.glob(f"{EVENT_FILES}*"))
        times = [name.removeprefix(EVENT_FILES).partition(".")[0] for name in names]
        moment = max([int(time.time()), *(int(each) + 1 for each in times if each.isdecimal())])
        file = FileBeingWritten(
            self.directory / f"{EVENT_FILES}{moment:010d}.{socket.gethostname()}"
        )
        make_durable(self.directory)
        return file

    def _write(self, event: "Event") -> None:
        from tensorboard.summary.writer.record_writer import RecordWriter

        event.wall_time = time.time()
        RecordWriter(self._file).write(event.SerializeToString())

    def flush(self) -> None:
        """Return once others can read all points, even if this process is killed."""
        if self._file is not None:
            with refusals(self.directory):
                self._file.flush()

    def make_durable(self) -> None:
        """Return once all points would survive a loss of power."""
        if self._file is not None:
            with refusals(self.directory):
                self._file.make_durable()

    def close(self) -> None:
        """Flush, unless that was refused before; nothing is logged any more."""
        if self._file is None:
            return
        if self._file.refusal is None:
            with refusals(self.directory):
                self._file.close()
        else:
            # The run has ended with that message, and from its last checkpoint it will log these again.
            self._file.abandon()
        self._file = None


@Callback.register("tensorboard")
class TensorBoardCallback(Callback):
    """
    Writes to `log/train` by step, to `log/train_epochs` and `log/validation` by epoch: readers are told by
    directory from where on a run that is resumed writes its curves again.

    # Parameters

    serialization_dir : `Path`
    settings : `TrainerConfig`
        Of which it takes `summary_interval`, the steps between two points of a per-step curve, and whether to
        log mean and standard deviation of every parameter and of every gradient at that interval.
    """

    def __init__(self, serialization_dir: Path, settings: TrainerConfig) -> None:
        self.log_dir = serialization_dir / "log"
        self.settings = settings

    def on_start(self, report: RunReport) -> None:
        self.model = report.model
        self._steps_per_epoch = report.steps_per_epoch
        self.step_log = EventLog(self.log_dir / "train", report.step + 1)
        self.epoch_log = EventLog(self.log_dir / "train_epochs", report.epoch)
        self.validation_log = EventLog(self.log_dir / "validation", report.epoch)
        self._logs = (self.step_log, self.epoch_log, self.validation_log)

    def on_step(self, report: StepReport) -> None:
        if report.metrics is not None:
            self._write_step(report.task_name, report.metrics, report.step)
        if report.step % self.settings.summary_interval == 0:
            # The mean of the epoch so far, as in 2018.
            loss = float(report.loss) if report.mean_loss is None else report.mean_loss()
            self._write_step(report.task_name, {"loss": loss}, report.step)
            self._write_statistics(report.step)
        self.step_log.flush()

    def _write_statistics(self, step: int) -> None:
        parameters = [(name, each.detach()) for name, each in self.model.named_parameters()]
        gradients = [
            (name, each.grad.to_dense() if each.grad.is_sparse else each.grad)
            for name, each in self.model.named_parameters()
            if each.grad is not None
        ]
        curves = [
            (f"{what}_{statistic}/{name}", value)
            for what, tensors, is_wanted in (
                ("parameter", parameters, self.settings.log_parameter_statistics),
                ("grad", gradients, self.settings.log_gradient_statistics),
            )
            if is_wanted
            for name, tensor in tensors
            for statistic, value in (("mean", tensor.mean()), ("std", tensor.std(correction=0)))
        ]
        if curves:
            # In one piece: to read each by itself would wait for an accelerator as often.
            values = torch.stack([value.float() for _, value in curves]).tolist()
            for (tag, _), value in zip(curves, values):
                self.step_log.add(tag, value, step)

    def on_epoch(self, report: EpochReport) -> None:
        for log, by_task in (
            (self.epoch_log, report.training),
            (self.validation_log, report.validation),
        ):
            for task_name, metrics in by_task.items():
                for name, value in flat(metrics):
                    log.add(f"task_{task_name}/{name}", value, report.epoch)
        for task_name, proportion in report.proportions.items():
            # A number of steps, as in 2018; the share is in the history.
            steps = round(proportion * self._steps_per_epoch)
            self.epoch_log.add(f"training_proportions/{task_name}", steps, report.epoch)
            rate = report.learning_rates[task_name]
            self.epoch_log.add(f"learning_rates/{task_name}", rate, report.epoch)
        for name, value in flat(report.balancing):
            self.epoch_log.add(name, value, report.epoch)
        self.epoch_log.flush()
        self.validation_log.flush()

    def on_end(self) -> None:
        for log in self._logs:
            log.close()

    def state_dict(self) -> Dict[str, Any]:
        # There is nothing to remember, but what a checkpoint has behind it will not be logged again.
        for log in self._logs:
            log.make_durable()
        return {}

    def _write_step(self, task_name: str, metrics: Dict[str, float], step: int) -> None:
        for name, value in flat(metrics):
            self.step_log.add(f"training_details/{task_name}/{name}", value, step)
