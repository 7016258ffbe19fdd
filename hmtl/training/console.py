"""What a run shows in a terminal and in its log."""

import logging
import sys
import time
from typing import Callable, Dict, Iterable, Optional

from tqdm import tqdm

from hmtl.common.reporting import counted, table
from hmtl.config.schema import TrainerConfig
from hmtl.data.batch_stream import Batch
from hmtl.metrics.unpadded_loss import UNPADDED_LOSS
from hmtl.training.callbacks import Callback, EpochReport, RunReport, StepReport

logger = logging.getLogger(__name__)

# Reading losses waits for the device, and a person reads no faster than this.
SECONDS_BETWEEN_REMARKS = 1.0
# Of a log, which keeps everything.
SECONDS_BETWEEN_LINES = 60.0

Remark = Callable[[], str]


class Progress:
    """
    How far something has come: a bar where standard error is a terminal, else a line in the log each minute.

    # Parameters

    title : `str`
    total : `int`
        Steps in all.
    done : `int`, optional (default = `0`)
        Steps that were made before.
    """

    def __init__(self, title: str, total: int, done: int = 0) -> None:
        self._title = title
        self._total = total
        self._before = self._done = done
        self._started = self._told = time.monotonic()
        # `disable=None`: where it is no terminal.
        self._bar = tqdm(
            total=total,
            initial=done,
            desc=title,
            leave=False,
            file=sys.stderr,
            mininterval=0.5,
            disable=None,
        )
        self._interval = SECONDS_BETWEEN_LINES if self._bar.disable else SECONDS_BETWEEN_REMARKS

    def advance(self, remark: Optional[Remark] = None) -> None:
        """Count a step. `remark` is asked, now and then only, for what else there is to say."""
        self._done += 1
        self._bar.update()
        now = time.monotonic()
        if now - self._told >= self._interval:
            self._told = now
            self._tell(remark() if remark else "", now - self._started)

    def _tell(self, remark: str, seconds: float) -> None:
        if not self._bar.disable:
            self._bar.set_postfix_str(remark)
            return
        left = seconds * (self._total - self._done) / (self._done - self._before)
        parts = [
            f"{self._done} of {self._total}",
            f"{_clock(left)} left",
            *([remark] if remark else []),
        ]
        logger.info("%s: %s", self._title, ", ".join(parts))

    def close(self) -> None:
        self._bar.close()


def _clock(seconds: float) -> str:
    return tqdm.format_interval(max(seconds, 0.0))


@Callback.register("console")
class ConsoleCallback(Callback):
    """
    Shows how far an epoch and the run have come, with the mean loss of each task in this epoch, and after
    each epoch a table.

    # Parameters

    settings : `TrainerConfig`
        With `no_tqdm`, it shows the tables only.
    """

    def __init__(self, settings: TrainerConfig) -> None:
        self.show_progress = not settings.no_tqdm
        self._progress: Optional[Progress] = None

    def on_start(self, report: RunReport) -> None:
        self.run = report
        self._step = report.step
        self._started = time.monotonic()
        logger.info(
            "%s: %s, %s an epoch, at most %s",
            "resuming" if report.step else "training",
            counted(len(report.validation_metrics), "tasks"),
            counted(report.steps_per_epoch, "steps"),
            counted(report.num_epochs, "epochs"),
        )

    def on_epoch_start(self, epoch: int, steps_done: int) -> None:
        title = f"epoch {epoch + 1}/{self.run.num_epochs}"
        self._begin(title, self.run.steps_per_epoch, steps_done)

    def on_step(self, report: StepReport) -> None:
        self._step = report.step
        if self._progress is not None:
            self._progress.advance(self._remark)

    def on_validation_start(self, num_batches: int) -> None:
        self._begin("validation", num_batches, 0)

    def on_validation_step(self) -> None:
        if self._progress is not None:
            self._progress.advance()

    def on_epoch(self, report: EpochReport) -> None:
        self._end()
        rows = [
            [
                task_name,
                f"{report.training[task_name]['loss']:.3f}",
                _loss(metrics),
                f"{self.run.validation_metrics[task_name]} {self._headline(task_name, metrics):.4f}",
                "yes" if report.best[task_name] else "",
                f"{report.learning_rates[task_name]:.1e}",
            ]
            for task_name, metrics in report.validation.items()
        ]
        header = ["task", "train loss", "valid. loss", "validation metric", "best so far"]
        logger.info(
            "epoch %d (%.0f s)\n%s",
            report.epoch + 1,
            report.duration_in_seconds,
            table([*header, "next learning rate"], rows),
        )

    def on_end(self) -> None:
        self._end()

    def _remark(self) -> str:
        """Return how long the run will take, validation included once there was one; and the mean losses."""
        run = self.run
        seconds = (time.monotonic() - self._started) / (self._step - run.step)
        left = seconds * (run.num_epochs * run.steps_per_epoch - self._step)
        losses = [
            f"{name} {loss.mean():.3g}" for name, loss in run.running_losses.items() if loss.count
        ]
        return ", ".join([f"at most {_clock(left)} left of the run", *losses])

    def _headline(self, task_name: str, metrics: Dict[str, float]) -> float:
        return metrics[self.run.validation_metrics[task_name]]

    def _begin(self, title: str, total: int, done: int) -> None:
        self._end()
        if self.show_progress:
            self._progress = Progress(title, total, done)

    def _end(self) -> None:
        if self._progress is not None:
            self._progress.close()
            self._progress = None


def _loss(metrics: Dict[str, float]) -> str:
    """Return the loss, with what it is without padding where a head tells that, too."""
    loss = f"{metrics['loss']:.3f}"
    if UNPADDED_LOSS in metrics:
        loss += f" (unpadded {metrics[UNPADDED_LOSS]:.3f})"
    return loss


def progress_bar(batches: Iterable[Batch], title: str, total: int) -> Iterable[Batch]:
    """Show how far an evaluation has come."""
    progress = Progress(title, total)
    try:
        for batch in batches:
            yield batch
            progress.advance()
    finally:
        progress.close()
