"""Writes a run's figures for TensorBoard."""

from pathlib import Path
from typing import Any, Dict, Iterator, Tuple

from allennlp.common.checks import ConfigurationError

from hmtl.training.callbacks import Callback, EpochReport, RunReport, StepReport
from hmtl.training.event_log import EventLog


class TensorBoardCallback(Callback):
    """
    Writes to `log/train` and `log/validation`.

    # Parameters

    serialization_dir : `Path`
    summary_interval : `int`, optional (default = `100`)
        Steps between two points of a per-step curve.
    log_parameter_statistics : `bool`, optional (default = `True`)
        Mean and standard deviation of every parameter, at that interval.
    log_gradient_statistics : `bool`, optional (default = `False`)
        The same of every gradient.
    """

    def __init__(
        self,
        serialization_dir: Path,
        summary_interval: int = 100,
        log_parameter_statistics: bool = True,
        log_gradient_statistics: bool = False,
    ) -> None:
        if summary_interval < 1:
            raise ConfigurationError(
                f"multi_task_trainer.summary_interval is {summary_interval}; it must be at least 1"
            )
        self.log_dir = serialization_dir / "log"
        self.summary_interval = summary_interval
        self.log_parameter_statistics = log_parameter_statistics
        self.log_gradient_statistics = log_gradient_statistics
        self._positions: Dict[str, Dict[str, int]] = {}

    def on_start(self, report: RunReport) -> None:
        self.model = report.model
        self._steps_per_epoch = report.steps_per_epoch
        self.train_log = self._open("train", report.step)
        self.validation_log = self._open("validation", report.step)

    def _open(self, name: str, steps_done: int) -> EventLog:
        return EventLog(self.log_dir / name, self._positions.get(name, {}), steps_done + 1)

    def on_step(self, report: StepReport) -> None:
        step = report.step
        if report.metrics is not None:
            self._write_step(report.task_name, report.metrics, step)
        if step % self.summary_interval:
            return
        # The mean of the epoch so far, as in 2018.
        loss = float(report.loss) if report.mean_loss is None else report.mean_loss()
        self._write_step(report.task_name, {"loss": loss}, step)
        for name, parameter in self.model.named_parameters():
            if self.log_parameter_statistics:
                self.train_log.add(f"parameter_mean/{name}", parameter.mean().item(), step)
                self.train_log.add(f"parameter_std/{name}", _std(parameter), step)
            if self.log_gradient_statistics and parameter.grad is not None:
                self.train_log.add(f"grad_mean/{name}", parameter.grad.mean().item(), step)
                self.train_log.add(f"grad_std/{name}", _std(parameter.grad), step)

    def on_epoch(self, report: EpochReport) -> None:
        for log, by_task in (
            (self.train_log, report.training),
            (self.validation_log, report.validation),
        ):
            for task_name, metrics in by_task.items():
                for name, value in flat(metrics):
                    log.add(f"task_{task_name}/{name}", value, report.epoch)
        for task_name, proportion in report.proportions.items():
            # A number of steps, as in 2018; the share is in the history.
            steps = round(proportion * self._steps_per_epoch)
            self.train_log.add(f"training_proportions/{task_name}", steps, report.epoch)
            rate = report.learning_rates[task_name]
            self.train_log.add(f"learning_rates/{task_name}", rate, report.epoch)
        for name, value in flat(report.learning):
            self.train_log.add(name, value, report.epoch)

    def on_end(self) -> None:
        self.train_log.close()
        self.validation_log.close()

    def state_dict(self) -> Dict[str, Any]:
        return {
            "train": self.train_log.positions(),
            "validation": self.validation_log.positions(),
        }

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        self._positions = state

    def _write_step(self, task_name: str, metrics: Dict[str, float], step: int) -> None:
        for name, value in flat(metrics):
            self.train_log.add(f"training_details/{task_name}/{name}", value, step)


def _std(tensor: Any) -> float:
    return tensor.std(correction=0).item()


def flat(metrics: Dict[str, Any]) -> Iterator[Tuple[str, float]]:
    """Metrics by name, those in a nested dictionary as `outer/inner`."""
    for name, value in metrics.items():
        if isinstance(value, dict):
            for inner, number in flat(value):
                yield f"{name}/{inner}", number
        else:
            yield name, value
