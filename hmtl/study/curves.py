"""Pictures of how the setups learned."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from itertools import cycle

import matplotlib
import numpy

matplotlib.use("Agg")

from matplotlib import pyplot  # noqa: E402  (only after the backend is chosen)
from matplotlib.axes import Axes  # noqa: E402

from hmtl.study.convergence import Curve  # noqa: E402
from hmtl.study.results import StudyResults  # noqa: E402

DPI = 110
SIZE = (9.5, 4.6)
COLOURS = matplotlib.colormaps["tab10"].colors  # type: ignore[attr-defined]
STYLES = ("-", "--", ":", "-.")
# Of the band between the lowest and the highest of several seeds.
FAINT = 0.12


def learning_curves(study: StudyResults, task: str, baseline: str) -> bytes:
    """
    A task's validation score over the steps: a line per setup, the mean over its seeds, and between the
    lowest and the highest of them a band. The baseline is black.

    # Returns

    png : `bytes`
    """
    figure, axes = pyplot.subplots(figsize=SIZE, layout="constrained")
    looks = cycle([(colour, style) for style in STYLES for colour in COLOURS])
    for setup in study.setups:
        curves = [run.curve(task) for run in study.runs(setup, task)]
        look = ("black", "-") if setup == baseline else next(looks)
        if any(curve.scores for curve in curves):
            _draw(axes, curves, setup, *look)
    axes.set_xlabel("training steps (of all tasks)")
    axes.set_ylabel(f"{_metric(study, task)} on validation data (%)")
    axes.set_title(task)
    axes.grid(alpha=0.3)
    figure.legend(loc="outside right upper", fontsize=8, frameon=False)
    content = BytesIO()
    figure.savefig(content, format="png", dpi=DPI)
    pyplot.close(figure)
    return content.getvalue()


def _draw(axes: Axes, curves: Sequence[Curve], setup: str, colour: object, style: str) -> None:
    # Seeds may have stopped after different epochs: as far as all have come.
    length = min(len(curve.scores) for curve in curves)
    steps = numpy.mean([curve.steps[:length] for curve in curves], axis=0)
    scores = 100 * numpy.array([curve.scores[:length] for curve in curves])
    axes.plot(steps, scores.mean(axis=0), ls=style, color=colour, label=setup, marker=".", ms=4)
    if len(curves) > 1:
        low, high = scores.min(axis=0), scores.max(axis=0)
        axes.fill_between(steps, low, high, color=colour, alpha=FAINT, lw=0)


def _metric(study: StudyResults, task: str) -> str:
    run = next(run for run in study.finished if task in run.tasks)
    metric: str = run.history["validation_metrics"][task]
    return metric
