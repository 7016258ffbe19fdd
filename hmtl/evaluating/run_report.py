"""Scores of a run on any data, and the report on them."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hmtl.checking.example import example_of
from hmtl.common.document import Heading, Paragraph, Part, Picture, Table, write_parts
from hmtl.common.reporting import CALIBRATION, HEADLINE, headline, headline_columns
from hmtl.errors import DataError
from hmtl.evaluating.answering import Answered, answer, grouping, on_other_data, read_split
from hmtl.evaluating.comparing import by_task, parts_of_comparison
from hmtl.evaluating.report import TaskReport, parts_of_task
from hmtl.evaluating.slices import Training
from hmtl.runs.assembly import Experiment
from hmtl.runs.evaluation import Prepare, config_of_run, load
from hmtl.runs.reliability import RELIABILITY_FILE, reliability_picture
from hmtl.training.distributed import SINGLE_PROCESS, ProcessGroup
from hmtl.training.history import HISTORY_FILE

logger = logging.getLogger(__name__)

# By group, beside `test` in the metrics of a task.
BY_GROUP = "by"


@dataclass(frozen=True)
class Request:
    """
    What to score.

    # Parameters

    paths : `dict[str, str]`
        By task other data than those of the config; without any, all tasks.
    split : `str`
        Of the config's data, where no paths are given.
    by : `str`, optional
        `file` or `genre`, if each group is to be scored by itself.
    gold_mentions : `bool`
        Heads that can are given the gold mentions.
    """

    paths: Mapping[str, str] = field(default_factory=dict)
    split: str = "test"
    by: str | None = None
    gold_mentions: bool = False

    @property
    def is_usual(self) -> bool:
        """Whether it is what a run's own `evaluate_metrics.json` holds."""
        return not (self.paths or self.by) and self.split == "test"

    def prepared(self, directory: Path) -> Prepare:
        """Return what gives a run's config these data as its test data."""
        return lambda config: on_other_data(config, self.paths, self.split, directory)


@dataclass
class Evaluated:
    """
    # Parameters

    metrics : `dict[str, Any]`
        In the form of `evaluate_metrics.json`, each task with its own best weights.
    answered : `list[Answered]`
    training : `dict[str, Training]`
        By task, where it was asked for and the data are there.
    """

    metrics: dict[str, Any]
    answered: list[Answered]
    training: dict[str, Training]


def evaluate_on(
    directory: Path,
    request: Request,
    with_examples: bool = False,
    with_training: bool = False,
    processes: ProcessGroup = SINGLE_PROCESS,
) -> Evaluated:
    """
    Score each task of a run with its own best weights; nothing is written.

    # Parameters

    directory : `Path`
        The run.
    request : `Request`
    with_examples : `bool`, optional (default = `False`)
        Keep what is gold and what is answered.
    with_training : `bool`, optional (default = `False`)
        Read the training data too, if they are there.
    processes : `ProcessGroup`, optional
        Between which the batches are shared out. All have the same metrics; examples and training data are
        rank 0's.

    # Raises

    DataError
        When the directory holds no run, or the data are not what its readers read.
    """
    has_training = with_training and processes.is_main and _has_training_data(directory)
    experiment = load(directory, request.prepared(directory), processes=processes)
    for head in experiment.model.heads.values():
        head.eval_on_gold_mentions = request.gold_mentions or head.eval_on_gold_mentions  # type: ignore
    group_of = grouping(request.by) if request.by else None
    answered, by_weights = answer(experiment, group_of, with_examples, request.is_usual)
    judged_by = {data.task.name: data.task.judged_by for data in experiment.tasks}
    metrics: dict[str, Any] = {
        name: {
            HEADLINE: judged_by[name],
            "test": found,
            "gold_mentions": request.gold_mentions,
        }
        for name, found in by_weights.items()
        if request.is_usual or name in found
    }
    for each in answered:
        if each.scored.answers:
            metrics[each.task][CALIBRATION] = each.scored.compute()
        if each.by_group:
            metrics[each.task][BY_GROUP] = each.by_group
    training = _training(experiment) if has_training else {}
    return Evaluated(metrics, answered, training)


def same_data(request: Request, directory: Path, other: Path) -> Request:
    """Return what to score another run on: the data of this one, for the tasks that both have."""
    config, tasks = config_of_run(directory), config_of_run(other).task_names
    paths = {
        task.name: str(config.path(task.name, request.split))
        for task in config.tasks
        if task.name in tasks
        and (request.split != "test" or task.task_description.evaluate_on_test)
    }
    paths = {task: path for task, path in request.paths.items() if task in tasks} or paths
    if not paths:
        raise DataError(f"has no task in common with {directory}", other)
    return replace(request, paths=paths, split="test")


def _has_training_data(directory: Path) -> bool:
    config = config_of_run(directory)
    paths = [config.path(task.name, "train") for task in config.tasks]
    return all(path.exists() for path in paths)


def _training(experiment: Experiment) -> dict[str, Training]:
    found: dict[str, Training] = {}
    for data in experiment.tasks:
        if data.test is None:
            continue
        training = found[data.task.name] = Training()
        for instance in read_split(experiment, data.task.name, "train"):
            training.add(example_of(instance))
    return found


def group_tables(metrics: Mapping[str, Any]) -> list[tuple[str, list[str], list[list[str]]]]:
    """
    Return for each task with groups its name, and a table's header and rows: a group each.

    # Parameters

    metrics : `Mapping[str, Any]`
        As `Evaluated` has them.
    """
    tables = []
    for task, entry in metrics.items():
        if BY_GROUP in entry:
            as_tasks = {
                group: {HEADLINE: entry[HEADLINE], "test": {group: found}}
                for group, found in entry[BY_GROUP].items()
            }
            titles, cells = headline_columns(as_tasks)
            tables.append((task, [task, *titles], [[group, *cells[group]] for group in cells]))
    return tables


def write_report(
    directory: Path,
    run: Path,
    evaluated: Evaluated,
    compared: tuple[Path, Evaluated] | None = None,
) -> None:
    """
    Write `report.html`, which needs nothing beside it, and `report.md` with its pictures.

    # Parameters

    directory : `Path`
        Is made where it is not there.
    run : `Path`
    evaluated : `Evaluated`
        With examples.
    compared : `tuple[Path, Evaluated]`, optional (default = `None`)
        Another run, on the same data.

    # Raises

    DataError
        When a file cannot be written.
    """
    parts: list[Part] = [Heading(f"What {run.name} gets right and wrong", 1)]
    parts += _summary(evaluated)
    parts += _curves(run)
    reliability = reliability_picture(evaluated.metrics)
    if reliability is not None:
        told = "Of answers of one probability the share that is right; on the diagonal the two are the same."
        parts += [Heading("Are the probabilities right?"), Paragraph(told)]
        parts.append(Picture(RELIABILITY_FILE, reliability, "right answers by their probability"))
    other = by_task(compared[1].answered) if compared else {}
    for each in evaluated.answered:
        report = TaskReport(each, evaluated.training.get(each.task))
        parts += parts_of_task(report, headline(evaluated.metrics, each.task))
        if compared and each.task in other:
            names = _names(run, compared[0])
            parts += parts_of_comparison(each, other[each.task], names)
    write_parts(parts, directory)


def _names(run: Path, other: Path) -> Sequence[str]:
    """As short as tells them apart."""
    return (run.name, other.name) if run.name != other.name else (str(run), str(other))


def _summary(evaluated: Evaluated) -> list[Part]:
    titles, cells = headline_columns(evaluated.metrics)
    numbers = {each.task: len(each.gold) for each in evaluated.answered}
    rows = [[task, str(numbers[task]), *found] for task, found in cells.items()]
    parts: list[Part] = [
        Paragraph("Each task with the weights of its own best epoch. Figures are in percent."),
        Table(["task", "texts", *titles], rows),
    ]
    for task, header, groups in group_tables(evaluated.metrics):
        parts += [Heading(f"{task} by group", 3), Table(header, groups)]
    return parts


def _curves(run: Path) -> Iterable[Part]:
    path = run / HISTORY_FILE
    try:
        history = json.loads(path.read_text(encoding="utf-8"))
        if not history["epochs"]:
            return []
        from hmtl.evaluating.curves import learning_curves

        picture = learning_curves(history)
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        # A run of before has none; one that was imported, too.
        logger.info("no learning curves: %s: %s", path, error)
        return []
    return [
        Heading("How it learned"),
        Picture("curves.png", picture, "losses and metrics by epoch"),
    ]
