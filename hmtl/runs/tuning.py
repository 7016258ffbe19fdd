"""Setting temperatures and thresholds with the validation data of a run."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

from hmtl.common.reporting import headline
from hmtl.errors import DataError
from hmtl.metrics.calibration import ScoredAnswers
from hmtl.models.heads.head import Head
from hmtl.runs.assembly import Experiment
from hmtl.runs.calibration import (
    CALIBRATION_FILE,
    Calibration,
    HeadCalibration,
    fingerprint,
    write_calibration,
)
from hmtl.runs.evaluation import load
from hmtl.training.evaluation import evaluate
from hmtl.training.tasks import TaskData

ONE, PER_LABEL = "one", "per-label"
# No threshold is lower: of what is less probable there may be any number.
LEAST_THRESHOLD = 0.05
# A label with fewer gold answers takes the threshold of all together.
LEAST_SUPPORT = 20
SPLIT = "validation"


@dataclass(frozen=True)
class Tuned:
    """
    What was set for a task, and what it changes on the data that it was set with.

    # Parameters

    task : `str`
    calibration : `HeadCalibration`
    headline : `Tuple[str, float, float]`
        What the task is judged by: title, score before and after.
    error : `Tuple[float, float]`
        The expected calibration error before and after.
    """

    task: str
    calibration: HeadCalibration
    headline: Tuple[str, float, float]
    error: Tuple[float, float]


def calibrate(
    serialization_dir: Path, thresholds: Optional[str], temperatures: bool, force: bool
) -> List[Tuned]:
    """
    Set thresholds and temperatures of each task's best weights, and store them in the run.

    # Parameters

    serialization_dir : `Path`
        A run of hmtl train.
    thresholds : `str`, optional
        `ONE` for each task, or one `PER_LABEL`; `None` sets none.
    temperatures : `bool`
        Whether to set these.
    force : `bool`
        Replace what was set before.

    # Raises

    DataError
        When there is no run, or something was set before.
    """
    path = serialization_dir / CALIBRATION_FILE
    if path.exists() and not force:
        raise DataError("is there already. Replace it with --force.", path)
    experiment = load(serialization_dir, splits=(SPLIT,))
    # What was set before has no part in it; the file stays until it is replaced.
    tuned = [
        found
        for data in experiment.tasks
        if data.validation is not None
        and (found := _tuned(experiment, data, thresholds, temperatures)) is not None
    ]
    calibration: Calibration = {each.task: each.calibration for each in tuned}
    write_calibration(serialization_dir, calibration)
    return tuned


def _tuned(
    experiment: Experiment, data: TaskData, thresholds: Optional[str], temperatures: bool
) -> Optional[Tuned]:
    name = data.task.name
    experiment.load_best(name)
    head = experiment.model.heads[name]
    assert isinstance(head, Head)
    head.temperature, head.thresholds = 1.0, {}
    metrics, scored = _scores(experiment, data)
    takes_thresholds = thresholds is not None and head.takes_thresholds
    if not scored.answers and not takes_thresholds:
        return None
    found = HeadCalibration(fingerprint(head))
    before = after = _headline(data, metrics)
    scored_after = scored
    if thresholds is not None and takes_thresholds:
        head.thresholds = dict.fromkeys(head.answer_labels(), LEAST_THRESHOLD)
        # Where nothing reaches the default, something may reach less.
        _, candidates = _scores(experiment, data)
        if not candidates.answers:
            return None
        found = replace(found, thresholds=_thresholds(candidates, head, thresholds))
        head.thresholds = found.thresholds
        metrics, scored_after = _scores(experiment, data)
        after = _headline(data, metrics)
    if temperatures:
        found = replace(found, temperature=scored_after.best_temperature())
    error = (
        scored.expected_calibration_error(),
        scored_after.expected_calibration_error(found.temperature),
    )
    return Tuned(name, found, (before[0], before[1], after[1]), error)


def _scores(experiment: Experiment, data: TaskData) -> Tuple[Dict[str, Any], ScoredAnswers]:
    scored = ScoredAnswers()
    assert data.validation is not None
    metrics = evaluate(
        experiment.model,
        data.task.name,
        data.validation,
        experiment.device,
        progress_bar=experiment.progress_bar,
        scored=scored,
    )
    return metrics, scored


def _headline(data: TaskData, metrics: Dict[str, Any]) -> Tuple[str, float]:
    task = data.task
    found = headline(
        {task.name: {"headline": task.judged_by, "test": {task.name: metrics}}}, task.name
    )
    return list(found.items())[-1]


def _thresholds(scored: ScoredAnswers, head: Head, thresholds: str) -> Dict[str, float]:
    """Return those of the best F1; none where no answer is right."""
    best = scored.best_threshold()
    if best is None:
        return {}
    found = dict.fromkeys(head.answer_labels(), best[0])
    if thresholds == PER_LABEL:
        for label in found:
            own = scored.best_threshold(label)
            if own is not None and scored.gold[label] >= LEAST_SUPPORT:
                found[label] = own[0]
    return found
