"""How soon a run is nearly as good as it will be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

# Of the best validation score of the run itself.
SHARE = 0.95


@dataclass(frozen=True)
class Curve:
    """
    A task's validation score after each epoch: with the steps made by then, those of them that were the
    task's own, and the seconds of training and validation.
    """

    steps: list[int]
    own_steps: list[float]
    seconds: list[float]
    scores: list[float]


@dataclass(frozen=True)
class Reached:
    """Where a curve first came to its share: epochs (counted from 1), steps, own steps, seconds."""

    epochs: int
    steps: int
    own_steps: float
    seconds: float


def curve_of(history: Mapping[str, Any], task: str) -> Curve:
    """
    # Parameters

    history : `Mapping[str, Any]`
        As `history.json` holds it.
    task : `str`
    """
    metric = history["validation_metrics"][task]
    epochs = history["epochs"]
    steps = [epoch["step"] for epoch in epochs]
    made = [end - start for start, end in zip([0, *steps], steps)]
    own = [epoch["proportions"][task] * number for epoch, number in zip(epochs, made)]
    return Curve(
        steps,
        list(accumulate(own)),
        [epoch["seconds"] for epoch in epochs],
        [epoch["validation"][task][metric] for epoch in epochs],
    )


def reached(curve: Curve, share: float = SHARE) -> Reached | None:
    """Where a score first was this share of the best one; `None` if it never was above 0."""
    best = max(curve.scores, default=0.0)
    if best <= 0:
        return None
    place = next(index for index, score in enumerate(curve.scores) if score >= share * best)
    return Reached(place + 1, curve.steps[place], curve.own_steps[place], curve.seconds[place])
