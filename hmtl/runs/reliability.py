"""The reliability picture: are answers as often right as their probabilities say?"""

from io import BytesIO
from pathlib import Path
from typing import Any, Mapping, Optional

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hmtl.common.files import replacing
from hmtl.common.reporting import CALIBRATION
from hmtl.metrics.calibration import NUM_BINS

RELIABILITY_FILE = "reliability.png"
DPI = 110


def draw_reliability(metrics: Mapping[str, Any], path: Path) -> None:
    """Write what `reliability_picture` makes, if anything, in place of what is at `path`."""
    png = reliability_picture(metrics)
    if png is not None:
        with replacing(path) as file:
            file.write(png)


def reliability_picture(metrics: Mapping[str, Any]) -> Optional[bytes]:
    """
    Draw a panel for each task (Niculescu-Mizil and Caruana, 2005): the share of right answers over their
    probability, with the number of answers below; on the diagonal the two are the same.

    # Parameters

    metrics : `Mapping[str, Any]`
        As in `evaluate_metrics.json`.

    # Returns

    png : `bytes`, optional
        `None` where no calibration is in it.
    """
    found = {
        task: entry[CALIBRATION]
        for task, entry in metrics.items()
        if isinstance(entry, dict) and CALIBRATION in entry
    }
    if not found:
        return None
    figure = Figure(figsize=(0.4 + 2.7 * len(found), 3.8), layout="constrained")
    panels = figure.subplots(2, len(found), squeeze=False, sharex=True, height_ratios=[4, 1])
    for (task, calibration), (above, below) in zip(found.items(), panels.transpose()):
        _draw(above, below, calibration)
        error = 100 * calibration["expected_calibration_error"]
        above.set_title(f"{task}: error {error:.1f} %", fontsize=10)
    panels[0][0].set_ylabel("right", fontsize=9)
    panels[1][0].set_ylabel("answers", fontsize=9)
    content = BytesIO()
    figure.savefig(content, format="png", dpi=DPI)
    return content.getvalue()


def _draw(above: Axes, below: Axes, calibration: Mapping[str, Any]) -> None:
    numbers, probabilities, rights = zip(*calibration["bins"])
    above.plot([0, 1], [0, 1], color="0.6", ls=":")
    above.plot(probabilities, rights, marker="o", ms=4)
    above.set_ylim(-0.03, 1.03)
    below.bar(probabilities, numbers, width=0.7 / NUM_BINS)
    below.set_xlim(-0.03, 1.03)
    below.set_xlabel("probability", fontsize=9)
    for axes in (above, below):
        axes.tick_params(labelsize=8)
