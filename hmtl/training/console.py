"""Shows a run to whoever watches it in a terminal."""

import logging
import sys
import time
from typing import Dict, Iterable, Optional

from tqdm import tqdm

from hmtl.reporting import table
from hmtl.training.batch_stream import Batch
from hmtl.training.callbacks import Callback, EpochReport, RunReport, StepReport

logger = logging.getLogger(__name__)

# Reading the loss waits for the device, and a person reads no faster than this.
SECONDS_BETWEEN_LOSSES = 1.0


class ConsoleCallback(Callback):
    """
    Shows a progress bar with the tasks' latest losses, and after each epoch a table.

    # Parameters

    show_progress_bars : `bool`, optional (default = `True`)
        Only where standard error is a terminal or `True`; the tables come all the same.
    """

    def __init__(self, show_progress_bars: bool = True) -> None:
        self.show_progress_bars = show_progress_bars
        self._bar: Optional[tqdm] = None
        self._losses: Dict[str, str] = {}
        self._last_read = 0.0

    def on_start(self, report: RunReport) -> None:
        self.run = report
        verb = "going on" if report.step else "training"
        logger.info(
            "%s: %d tasks, %d steps an epoch, at most %d epochs",
            verb,
            len(report.validation_metrics),
            report.steps_per_epoch,
            report.num_epochs,
        )

    def on_epoch_start(self, epoch: int, steps_done: int) -> None:
        title = f"epoch {epoch + 1}/{self.run.num_epochs}"
        self._open_bar(title, self.run.steps_per_epoch, steps_done)

    def on_step(self, report: StepReport) -> None:
        if self._bar is None:
            return
        now = time.monotonic()
        if now - self._last_read >= SECONDS_BETWEEN_LOSSES:
            self._last_read = now
            self._losses[report.task_name] = f"{float(report.loss):.3g}"
            self._bar.set_postfix(self._losses, refresh=False)
        self._bar.update()

    def on_validation_start(self, num_batches: int) -> None:
        self._open_bar("validation", num_batches, 0)

    def on_validation_step(self) -> None:
        if self._bar is not None:
            self._bar.update()

    def on_epoch(self, report: EpochReport) -> None:
        self._close_bar()
        rows = [
            [
                task_name,
                f"{report.training[task_name]['loss']:.3f}",
                f"{metrics['loss']:.3f}",
                f"{self.run.validation_metrics[task_name]} {self._headline(task_name, metrics):.4f}",
                "best so far" if report.best[task_name] else "",
                f"{report.learning_rates[task_name]:.1e}",
            ]
            for task_name, metrics in report.validation.items()
        ]
        header = ["task", "train loss", "valid. loss", "validation metric", "", "next rate"]
        logger.info(
            "epoch %d (%.0f s)\n%s",
            report.epoch + 1,
            report.duration_in_seconds,
            table(header, rows),
        )

    def on_end(self) -> None:
        self._close_bar()

    def _headline(self, task_name: str, metrics: Dict[str, float]) -> float:
        return metrics[self.run.validation_metrics[task_name]]

    def _open_bar(self, title: str, total: int, done: int) -> None:
        self._close_bar()
        if self.show_progress_bars:
            self._bar = tqdm(
                total=total, initial=done, desc=title, leave=False, file=sys.stderr, mininterval=0.5
            )

    def _close_bar(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def progress_bar(batches: Iterable[Batch], title: str, total: int) -> Iterable[Batch]:
    """Shows how far an evaluation has come."""
    return tqdm(batches, desc=title, total=total, leave=False, file=sys.stderr, mininterval=0.5)
