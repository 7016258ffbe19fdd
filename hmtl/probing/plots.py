"""Pictures of what probing found: does information grow from the bottom of the model to its top?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import matplotlib
import numpy
from PIL import Image

matplotlib.use("Agg")

from matplotlib import pyplot  # noqa: E402  (only after the backend is chosen)
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

from hmtl.common.files import replacing  # noqa: E402
from hmtl.probing.layers import EMBEDDER, ENCODER  # noqa: E402
from hmtl.probing.results import MAJORITY, Results, standard_error  # noqa: E402

DPI = 110
COLOURS = 200
COLUMNS = 4
# Standard errors from the mean at which the colours of the heat map end.
MOST_ERRORS = 4.0
# How far apart models stand at a layer; layers are 1 apart.
SHIFT = 0.09
# In percent; at an accuracy of 0 or 100 there would be none.
LEAST_ERROR = 0.1


def heat_map(results: Sequence[Results], path: Path) -> None:
    """
    Accuracies by layer (bottom at the bottom, as in the model) and task. A cell's colour tells how many
    standard errors it lies from the mean of its column: what is no more than chance is pale.

    # Parameters

    results : `Sequence[Results]`
        Several models stand one above the other, the first on top.
    path : `Path`
        Of the PNG.
    """
    tasks = results[0].tasks
    rows = [(each, layer) for each in results for layer in reversed(each.layers)]
    # The same beside every model, so shown once, below all.
    rows += [(results[0], baseline) for baseline in results[0].baselines]
    accuracies = numpy.array([[_mean(each, row, task) for task in tasks] for each, row in rows])
    distances = _standard_errors_from_mean(accuracies, results[0], tasks)
    figure, axes = pyplot.subplots(
        figsize=(2.6 + 1.0 * len(tasks), 1.3 + 0.36 * len(rows)), layout="constrained"
    )
    image = axes.imshow(distances, cmap="RdBu", vmin=-MOST_ERRORS, vmax=MOST_ERRORS, aspect="auto")
    axes.set_xticks(range(len(tasks)), tasks, rotation=25, ha="right")
    axes.set_yticks(range(len(rows)), [_label(each, row, results) for each, row in rows])
    for (y, x), accuracy in numpy.ndenumerate(accuracies):
        if not math.isnan(accuracy):
            colour = "white" if abs(distances[y, x]) > MOST_ERRORS / 2 else "black"
            axes.text(x, y, f"{accuracy:.1f}", ha="center", va="center", color=colour, fontsize=8)
    _separate(axes, [each for each, _ in rows])
    figure.colorbar(image, label="standard errors from the column's mean", extend="both")
    axes.set_title("Test accuracy of probes (%), by layer")
    _save(figure, path)


def line_plot(results: Sequence[Results], path: Path) -> None:
    """
    A panel per task: accuracy over the layers from the bottom up, in a colour per model; a line leads to
    each layer from the one that it stacks on. Bars are the standard errors that the number of sentences in
    the test partition gives; the baselines are level lines.

    # Parameters

    results : `Sequence[Results]`
    path : `Path`
        Of the PNG.
    """
    tasks = results[0].tasks
    layers = _all_layers(results)
    columns = min(COLUMNS, len(tasks) + 1)
    # One panel more than there are tasks: the legend's.
    lines = math.ceil((len(tasks) + 1) / columns)
    figure, panels = pyplot.subplots(
        lines, columns, figsize=(3.1 * columns, 2.7 * lines), layout="constrained", squeeze=False
    )
    flat = list(panels.flat)
    for axes, task in zip(flat, tasks):
        _draw_task(axes, results, task, layers)
    for axes in flat[len(tasks) :]:
        axes.axis("off")
    handles, labels = flat[0].get_legend_handles_labels()
    flat[len(tasks)].legend(handles, labels, loc="center", fontsize=9, frameon=False)
    figure.suptitle("Test accuracy of probes (%), from the bottom of the model to its top")
    _save(figure, path)


def _draw_task(axes: Axes, results: Sequence[Results], task: str, layers: list[str]) -> None:
    axes.axhline(
        results[0].facts(task)[MAJORITY]["acc"], color="0.6", ls=":", label="majority class"
    )
    for row in results[0].baselines:
        axes.axhline(_mean(results[0], row, task), color="0.4", ls="--", label=row)
    for number, each in enumerate(results):
        # Side by side, so that bars do not hide one another.
        shift = (number - (len(results) - 1) / 2) * SHIFT
        place = {layer: index + shift for index, layer in enumerate(layers)}
        _draw_model(axes, each, task, place, f"C{number}")
    axes.set_xticks(range(len(layers)), [_short(layer) for layer in layers], fontsize=8)
    axes.set_xlim(-0.4, len(layers) - 0.6)
    axes.tick_params(axis="y", labelsize=8)
    axes.set_title(task, fontsize=10)


def _draw_model(axes: Axes, each: Results, task: str, place: dict[str, float], colour: str) -> None:
    found = {
        layer: summary.mean
        for layer in each.layers
        if (summary := each.summary(task, layer)) is not None
    }
    for layer in found:
        below = each.below(layer)
        if below in found:
            ends = [place[below], place[layer]]
            axes.plot(ends, [found[below], found[layer]], color=colour)
    axes.errorbar(
        [place[layer] for layer in found],
        list(found.values()),
        [standard_error(mean, each.facts(task)["ntest"]) for mean in found.values()],
        ls="none",
        marker="o",
        ms=4,
        capsize=2,
        color=colour,
        label=each.name,
    )


def _standard_errors_from_mean(
    accuracies: numpy.ndarray, results: Results, tasks: Sequence[str]
) -> numpy.ndarray:
    """Shapes `(num_rows, num_tasks)`."""
    mean = numpy.nanmean(accuracies, axis=0)
    counts = [results.facts(task)["ntest"] for task in tasks]
    errors = [standard_error(each, count) for each, count in zip(mean, counts)]
    return (accuracies - mean) / numpy.maximum(errors, LEAST_ERROR)


def _all_layers(results: Sequence[Results]) -> list[str]:
    """Of all models: those of the largest, then what others have besides."""
    layers: list[str] = []
    for each in sorted(results, key=lambda one: -len(one.layers)):
        layers += [layer for layer in each.layers if layer not in layers]
    return layers


def _label(each: Results, row: str, results: Sequence[Results]) -> str:
    named = len(results) > 1 and row in each.layers
    return f"{each.name}: {_short(row)}" if named else _short(row)


def _short(row: str) -> str:
    return "embedder" if row == EMBEDDER else row.removeprefix(ENCODER)


def _mean(results: Results, row: str, task: str) -> float:
    summary = results.summary(task, row)
    return math.nan if summary is None else summary.mean


def _separate(axes: Axes, owners: Sequence[Results]) -> None:
    for place, (one, next_one) in enumerate(zip(owners, owners[1:])):
        if one is not next_one:
            axes.axhline(place + 0.5, color="white", lw=3)


def _save(figure: Figure, path: Path) -> None:
    content = BytesIO()
    figure.savefig(content, format="png", dpi=DPI)
    pyplot.close(figure)
    # A palette will do, and makes the file a third as large.
    with Image.open(content) as picture, replacing(path) as file:
        picture.convert("RGB").quantize(COLOURS).save(file, format="png", optimize=True)
