"""What the finished runs of a study came to."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from tqdm import tqdm

from hmtl.common.reporting import headline, headline_columns
from hmtl.config.safety import check_plain_names
from hmtl.config.schema import TASK_PREFIX
from hmtl.errors import DataError
from hmtl.runs.directory import CONFIG_FILE, METRICS_FILE
from hmtl.study.convergence import Curve, Reached, curve_of, reached
from hmtl.study.grid import Grid, Run, read_grid
from hmtl.study.instance_counts import InstanceCounts, instance_counts
from hmtl.study.running import is_finished
from hmtl.training.history import HISTORY_FILE

logger = logging.getLogger(__name__)

GRID_FILE = "grid.json"


@dataclass(frozen=True)
class Spread:
    """The mean of some figures, and their standard deviation (of a sample) if there is more than one."""

    mean: float
    deviation: float | None
    number: int

    @classmethod
    def of(cls, figures: Sequence[float]) -> Spread | None:
        """`None` of none."""
        if not figures:
            return None
        return cls(fmean(figures), stdev(figures) if len(figures) > 1 else None, len(figures))


@dataclass
class FinishedRun:
    """
    A run that came to its end.

    # Parameters

    run : `Run`
    directory : `Path`
    counts : `Dict[str, InstanceCounts]`
        By task; empty before `count_instances`.
    """

    run: Run
    directory: Path
    counts: dict[str, InstanceCounts] = field(default_factory=dict)

    @cached_property
    def config(self) -> dict[str, Any]:
        """The whole config."""
        return self._read(CONFIG_FILE)

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """`metrics.json`."""
        return self._read(METRICS_FILE)

    @cached_property
    def history(self) -> dict[str, Any]:
        """`history.json`."""
        return self._read(HISTORY_FILE)

    def _read(self, name: str) -> dict[str, Any]:
        path = self.directory / name
        try:
            content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise DataError(
                f"cannot be read: {error}. Remove the run's directory and make it again.", path
            ) from error
        return content

    @property
    def tasks(self) -> list[str]:
        """Those that are tested."""
        _, cells = headline_columns(self.metrics)
        names = [name for name, figures in cells.items() if any(figures)]
        # Pictures of the report are called after them.
        check_plain_names(names, "the task", self.directory / METRICS_FILE)
        return names

    def scores(self, task: str) -> dict[str, float]:
        """
        Return what the task is judged by on the test data, with its own best weights, by title; the last is
        the one that counts: F1, from 0 to 1, or what its head says.
        """
        return headline(self.metrics, task)

    def score(self, task: str) -> float:
        """Return the one that counts."""
        return list(self.scores(task).values())[-1]

    def curve(self, task: str) -> Curve:
        """Of the task's validation score."""
        return curve_of(self.history, task)

    def reached(self, task: str) -> Reached | None:
        """How soon it was nearly as good as it would be; `None` where less is better."""
        description = self.config[TASK_PREFIX + task]["task_description"]
        if description.get("validation_metric_decreases", False):
            return None
        return reached(self.curve(task))

    @property
    def seconds(self) -> float:
        """Of training and validation."""
        epochs = self.history["epochs"]
        return epochs[-1]["seconds"] if epochs else 0.0


@dataclass
class StudyResults:
    """
    # Parameters

    grid : `Grid`
    finished : `List[FinishedRun]`
    missing : `List[Run]`
        Those of the grid that are not finished.
    """

    grid: Grid
    finished: list[FinishedRun]
    missing: list[Run]

    @property
    def setups(self) -> list[str]:
        """Those with a finished run, in the grid's order."""
        there = {each.run.setup.name for each in self.finished}
        return [setup.name for setup in self.grid.setups if setup.name in there]

    @property
    def tasks(self) -> list[str]:
        """Of all runs."""
        return list(dict.fromkeys(task for each in self.finished for task in each.tasks))

    def runs(self, setup: str, task: str | None = None) -> list[FinishedRun]:
        """Of a setup, or those of them that have a task."""
        return [
            each
            for each in self.finished
            if each.run.setup.name == setup and (task is None or task in each.tasks)
        ]


def read_study(directory: Path) -> StudyResults:
    """
    # Parameters

    directory : `Path`
        As `hmtl experiment` wrote it.

    # Raises

    DataError
        When the directory holds no study, or none of its runs is finished.
    """
    if not (directory / GRID_FILE).is_file():
        raise DataError(
            f"there is no {GRID_FILE} here, so this is no study. Give the directory that was --out of "
            "hmtl experiment.",
            directory,
        )
    grid = read_grid(directory / GRID_FILE, jsonnet=False)
    runs = [run for run in grid.runs if is_finished(run, directory)]
    if not runs:
        raise DataError("none of this study's runs is finished", directory)
    finished = [FinishedRun(run, directory / run.name) for run in runs]
    return StudyResults(grid, finished, [run for run in grid.runs if run not in runs])


def count_instances(study: StudyResults) -> None:
    """Gives each run its counts by test instance, which are made where they are not there yet."""
    for each in tqdm(study.finished, desc="runs", leave=False, disable=None):
        each.counts = instance_counts(each.directory)
