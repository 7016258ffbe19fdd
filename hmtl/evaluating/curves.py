"""A picture of how a run learned."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot  # noqa: E402  (only after the backend is chosen)

DPI = 100
SIZE = (10.5, 3.8)


def learning_curves(history: Mapping[str, Any]) -> bytes:
    """
    Each task's training and validation loss as parts of the first epoch's, and its validation metric, by
    epoch.

    # Parameters

    history : `Mapping[str, Any]`
        As `history.json` holds it.

    # Returns

    png : `bytes`
    """
    figure, (losses, metrics) = pyplot.subplots(1, 2, figsize=SIZE, layout="constrained")
    epochs = history["epochs"]
    numbers = [epoch["epoch"] + 1 for epoch in epochs]
    for place, (task, metric) in enumerate(history["validation_metrics"].items()):
        colour = f"C{place}"
        for side, style in (("training", ":"), ("validation", "-")):
            found = [epoch[side].get(task, {}).get("loss") for epoch in epochs]
            if all(found):
                losses.plot(numbers, [loss / found[0] for loss in found], style, color=colour)
        scores = [epoch["validation"].get(task, {}).get(metric) for epoch in epochs]
        metrics.plot(numbers, scores, "-", marker=".", color=colour, label=f"{task}: {metric}")
    losses.set_title("loss, as a part of the first epoch's (dotted: training)", fontsize=9)
    metrics.set_title("metric on validation data", fontsize=9)
    for axes in (losses, metrics):
        axes.set_xlabel("epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
    figure.legend(loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    content = BytesIO()
    figure.savefig(content, format="png", dpi=DPI)
    pyplot.close(figure)
    return content.getvalue()
