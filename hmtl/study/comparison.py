"""The setups of a study against its baseline, task by task."""

from __future__ import annotations

import logging

import numpy

from hmtl.study.bootstrap import SAMPLES, Difference, difference, f1_of, resampled_scores
from hmtl.study.results import FinishedRun, StudyResults

logger = logging.getLogger(__name__)

# How far the score that the counts give may be from the one that training wrote: batches of one sentence
# are computed in another order than larger ones, which may turn a decision that hung by a thread.
TOLERANCE = 0.002


def compare(
    study: StudyResults, task: str, baseline: str, num_samples: int = SAMPLES
) -> dict[str, Difference]:
    """
    The difference of each setup's mean F1 over its seeds from that of the baseline. The bootstrap draws test
    instances; the seeds are those that there are.

    # Parameters

    study : `StudyResults`
        With counts.
    task : `str`
    baseline : `str`
        A setup.
    num_samples : `int`, optional

    # Returns

    differences : `Dict[str, Difference]`
        By setup; without those that were not tested on the baseline's data, with a warning.
    """
    baseline_runs = [run for run in study.runs(baseline, task) if task in run.counts]
    if not baseline_runs:
        return {}
    runs = [
        run
        for setup in study.setups
        for run in study.runs(setup, task)
        if _is_comparable(run, baseline_runs[0], task)
    ]
    # Shape: (num_runs, num_instances, num_scorers, 4)
    counts = numpy.stack([run.counts[task].counts for run in runs])
    # Of shape (num_runs,) and (num_samples, num_runs).
    scores, resampled = f1_of(counts.sum(axis=1)), resampled_scores(counts, num_samples)
    for run, score in zip(runs, scores.tolist()):
        _check_score(run, task, score)
    of_setup = {
        setup: [place for place, run in enumerate(runs) if run.run.setup.name == setup]
        for setup in study.setups
    }
    base = of_setup[baseline]
    return {
        setup: difference(
            float(scores[places].mean()),
            float(scores[base].mean()),
            resampled[:, places].mean(axis=1),
            resampled[:, base].mean(axis=1),
        )
        for setup, places in of_setup.items()
        if places and setup != baseline
    }


def _is_comparable(run: FinishedRun, other: FinishedRun, task: str) -> bool:
    if task not in run.counts:
        return False
    mine, theirs = run.counts[task], other.counts[task]
    same = mine.data == theirs.data and mine.counts.shape == theirs.counts.shape
    if not same:
        logger.warning(
            "%s was tested on other %s data than the baseline: it is not compared",
            run.run.name,
            task,
        )
    return same


def _check_score(run: FinishedRun, task: str, score: float) -> None:
    written = run.score(task)
    if abs(score - written) > TOLERANCE:
        logger.warning(
            "%s: the F1 of %s is %.4f sentence by sentence, but %.4f in its metrics.json",
            run.run.name,
            task,
            score,
            written,
        )
