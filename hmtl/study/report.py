"""What a study found, in tables and pictures."""

from __future__ import annotations

import logging
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

from tqdm import tqdm

from hmtl.common.document import (
    Code,
    Heading,
    Paragraph,
    Part,
    Picture,
    Table,
    write_parts,
)
from hmtl.study.bootstrap import CONFIDENCE, SAMPLES, Difference
from hmtl.study.comparison import compare
from hmtl.study.convergence import SHARE
from hmtl.study.curves import learning_curves
from hmtl.study.results import FinishedRun, Spread, StudyResults

logger = logging.getLogger(__name__)

SURE = " *"


def write_report(study: StudyResults, directory: Path, baseline: str, num_samples: int) -> None:
    """
    Writes `report.md` with its pictures, and `report.html`, which needs none beside it.

    # Parameters

    study : `StudyResults`
    directory : `Path`
    baseline : `str`
        The setup that the others are compared with.
    num_samples : `int`
        How many test sets the bootstrap draws; 0 leaves the comparison out.

    # Raises

    DataError
        When a file cannot be written.
    """
    write_parts(build_report(study, directory, baseline, num_samples), directory)


def build_report(
    study: StudyResults, directory: Path, baseline: str, num_samples: int = SAMPLES
) -> list[Part]:
    """The parts of the report; see `write_report`."""
    parts: list[Part] = [Heading(study.grid.about or f"The study in {directory}", 1)]
    parts += _setups(study)
    parts += _scores(study)
    if num_samples:
        parts += _differences(study, baseline, num_samples)
    parts += _speed(study)
    parts += _curves(study, baseline)
    parts += _commands(study, directory)
    return parts


def _setups(study: StudyResults) -> list[Part]:
    about = {setup.name: setup.about for setup in study.grid.setups}
    rows = []
    for setup in study.setups:
        runs = study.runs(setup)
        rows.append(
            [
                setup,
                about[setup],
                f"{runs[0].history['parameters']:,}",
                ", ".join(str(run.run.seed) for run in runs),
                ", ".join(str(len(run.history["epochs"])) for run in runs),
                _mean_of([run.seconds for run in runs]),
            ]
        )
    header = ["setup", "what it is", "parameters", "seeds", "epochs", "seconds a run"]
    parts: list[Part] = [Heading("Setups"), Table(header, rows, words=True)]
    if study.missing:
        # Of a setup without any run its name will do.
        names = dict.fromkeys(
            run.name if run.setup.name in study.setups else run.setup.name for run in study.missing
        )
        parts.append(
            Paragraph(
                f"{len(study.missing)} of the grid's {len(study.grid.runs)} runs are not finished, and so "
                f"not in this report: {', '.join(names)}."
            )
        )
    return parts


def _scores(study: StudyResults) -> list[Part]:
    def counting(runs: Sequence[FinishedRun], task: str) -> str:
        figures = _spread([run.score(task) for run in runs])
        title = list(runs[0].scores(task))[-1]
        return figures if title == "F1" else f"{title} {figures}"

    def others(runs: Sequence[FinishedRun], task: str) -> str:
        means = {
            title: _mean([run.scores(task)[title] for run in runs])
            for title in list(runs[0].scores(task))[:-1]
        }
        pair = " / ".join(means.pop(title) for title in ("precision", "recall") if title in means)
        return ", ".join(
            filter(None, (pair, *(f"{title} {mean}" for title, mean in means.items())))
        )

    return [
        Heading("Test F1"),
        Paragraph(
            "In percent, of each task with the weights of its own best epoch on the validation data: mean "
            "and standard deviation over the seeds. Of coreference the mean of MUC, B-cubed and CEAF-e. A "
            "task that is judged by something else says by what."
        ),
        _by_task(study, counting),
        Heading("Precision / recall", 3),
        _by_task(study, others),
    ]


def _differences(study: StudyResults, baseline: str, num_samples: int) -> list[Part]:
    compared = {
        task: compare(study, task, baseline, num_samples)
        for task in tqdm(study.tasks, desc="bootstrap", leave=False, disable=None)
    }

    def cell(runs: Sequence[FinishedRun], task: str) -> str:
        setup = runs[0].run.setup.name
        found = compared[task].get(setup)
        return "" if found is None else _difference(found)

    number = sum(map(len, compared.values()))
    sure = sum(each.is_sure for of_task in compared.values() for each in of_task.values())
    return [
        Heading(f"Differences from {baseline}"),
        Paragraph(
            f"In points of F1, with the {CONFIDENCE:.0%} confidence interval and the two-sided p-value of a "
            f"paired bootstrap: {num_samples:,} test sets drawn with replacement from the sentences (of "
            "coreference: documents) of the real one, all setups scored on the same draws, each with the "
            "mean over its seeds. A star: the interval leaves out 0. It speaks of the choice of test "
            "sentences alone, not of the choice of seeds. "
            f"{sure} of {number} differences are starred; about {(1 - CONFIDENCE) * number:.1f} would be "
            "by chance if there were none."
        ),
        _by_task(study, cell, without=baseline),
    ]


def _speed(study: StudyResults) -> list[Part]:
    parts: list[Part] = [
        Heading(f"How soon {SHARE:.0%} of the best"),
        Paragraph(
            f"The first epoch after which the validation score was at least {SHARE:.0%} of the run's own "
            "best one: steps by then, those of them that were the task's own, and seconds of training and "
            "validation; means over the seeds. Seconds depend on what else the machine did."
        ),
    ]
    for task in study.tasks:
        rows = [row for setup in study.setups if (row := _speed_row(study, setup, task))]
        header = ["setup", "epochs", "steps", "own steps", "seconds"]
        table = Table(header, rows) if rows else Paragraph("No run ever scored above 0.")
        parts += [Heading(task, 3), table]
    return parts


def _speed_row(study: StudyResults, setup: str, task: str) -> list[str]:
    found = [run.reached(task) for run in study.runs(setup, task)]
    whole = [each for each in found if each is not None]
    if not whole:
        return []
    return [
        setup,
        f"{Spread.of([each.epochs for each in whole]).mean:.1f}",  # type: ignore[union-attr]
        _mean_of([each.steps for each in whole]),
        _mean_of([each.own_steps for each in whole]),
        _mean_of([each.seconds for each in whole]),
    ]


def _curves(study: StudyResults, baseline: str) -> list[Part]:
    pictures = [
        Picture(
            f"learning_curve_{task}.png",
            learning_curves(study, task, baseline),
            f"Validation score of {task} over training steps, by setup",
        )
        for task in tqdm(study.tasks, desc="curves", leave=False, disable=None)
    ]
    return [
        Heading("Learning curves"),
        Paragraph("Means over the seeds; a band reaches from the lowest to the highest of them."),
        *pictures,
    ]


def _commands(study: StudyResults, directory: Path) -> list[Part]:
    lines = []
    for setup in study.setups:
        run = study.runs(setup)[0].run
        lines.append(shlex.join(["hmtl", "train", *run.arguments(directory)]))
    return [
        Heading("Commands"),
        Paragraph(
            f"Seeds {', '.join(map(str, study.grid.seeds))}. Each setup's run with its first seed; those "
            "with the others differ in seed and directory."
        ),
        Code(lines),
    ]


def _by_task(
    study: StudyResults,
    cell: Callable[[Sequence[FinishedRun], str], str],
    without: str | None = None,
) -> Table:
    rows = []
    for setup in study.setups:
        if setup != without:
            runs = {task: study.runs(setup, task) for task in study.tasks}
            rows.append(
                [setup, *(cell(of_task, task) if of_task else "" for task, of_task in runs.items())]
            )
    return Table(["setup", *study.tasks], rows)


def _difference(found: Difference) -> str:
    low, high = 100 * found.low, 100 * found.high
    p_value = "p < 0.001" if found.p_value < 0.001 else f"p = {found.p_value:.3f}"
    star = SURE if found.is_sure else ""
    return f"{100 * found.value:+.1f} [{low:+.1f}, {high:+.1f}] {p_value}{star}"


def _spread(figures: Sequence[float]) -> str:
    spread = Spread.of([100 * figure for figure in figures])
    if spread is None:
        return ""
    deviation = "" if spread.deviation is None else f" ± {spread.deviation:.1f}"
    return f"{spread.mean:.1f}{deviation}"


def _mean(figures: Sequence[float]) -> str:
    spread = Spread.of(figures)
    return "" if spread is None else f"{100 * spread.mean:.1f}"


def _mean_of(figures: Sequence[float]) -> str:
    spread = Spread.of(figures)
    return "" if spread is None else f"{spread.mean:,.0f}"
