"""The scores of one system or several as tables and as JSON, with how sure they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy

from hmtl.common.reporting import table
from hmtl.evaluating.scoring import Score, Scores
from hmtl.study.bootstrap import CONFIDENCE, difference, resampled_scores

NO_SAMPLES = 0
_FIGURES = ("precision", "recall", "f1_score")
_INTERVAL = f"{CONFIDENCE:.0%} interval"


def as_json(
    systems: Mapping[str, Scores], num_documents: int, match: str, num_samples: int
) -> dict[str, Any]:
    """
    # Parameters

    systems : `Mapping[str, Scores]`
        By name, scored on the same documents; the first is compared with each of the others.
    num_documents : `int`
    match : `str`
    num_samples : `int`
        Of the bootstrap; 0 leaves it out.

    # Returns

    report : `Dict[str, Any]`
        `documents`, `match`, and by system under `systems` its scores, each with `precision`, `recall`,
        `f1_score`, from 0 to 1, and `interval` of the latter; `by_type`, `schemes`. With two systems or more,
        `differences` by system: of each score its `value`, `interval` and `p_value`.
    """
    resampled = _resampled(systems, num_samples)
    report: dict[str, Any] = {"documents": num_documents, "match": match, "systems": {}}
    for name, scores in systems.items():
        of_system: dict[str, Any] = {}
        for score in scores.scores:
            entry: dict[str, Any] = score.figures()
            if num_samples:
                entry["interval"] = _interval(resampled[name][score.group, score.name])
            of_system.setdefault(score.group, {})[score.name] = entry
        report["systems"][name] = {
            "scores": of_system,
            "by_type": {group: _by_type(scores, group) for group in scores.by_type},
            "schemes": {group: each.figures() for group, each in scores.schemes.items()},
        }
    first, *others = systems
    if others and num_samples:
        report["differences"] = {
            name: _differences(systems, resampled, first, name) for name in others
        }
    return report


_Key = tuple[str, str]


def _resampled(
    systems: Mapping[str, Scores], num_samples: int
) -> dict[str, dict[_Key, numpy.ndarray]]:
    """By system and score, its F1 on test sets drawn with replacement, the same ones for all systems."""
    found: dict[str, dict[_Key, numpy.ndarray]] = {name: {} for name in systems}
    if not num_samples:
        return found
    by_key: dict[_Key, dict[str, Score]] = {}
    for name, scores in systems.items():
        for score in scores.scores:
            by_key.setdefault((score.group, score.name), {})[name] = score
    for key, of_systems in by_key.items():
        for name, score in of_systems.items():
            found[name][key] = resampled_scores(score.counts[None], num_samples)[:, 0]
    return found


def _interval(resampled: numpy.ndarray) -> list[float]:
    tail = (1 - CONFIDENCE) / 2
    low, high = numpy.quantile(resampled, [tail, 1 - tail])
    return [float(low), float(high)]


def _by_type(scores: Scores, group: str) -> dict[str, dict[str, float]]:
    counter = scores.by_type[group]
    figures = counter.compute()
    return {
        label: {
            **{
                name: figures[f"{theirs}-{label}"]
                for name, theirs in zip(_FIGURES, ("precision", "recall", "f1-measure"))
            },
            "gold": counter.gold[label],
            "predicted": counter.predicted[label],
        }
        for label in sorted(counter.gold.keys() | counter.predicted.keys())
    }


def _differences(
    systems: Mapping[str, Scores],
    resampled: Mapping[str, Mapping[_Key, numpy.ndarray]],
    first: str,
    other: str,
) -> dict[str, Any]:
    ours = {(each.group, each.name): each for each in systems[first].scores}
    found: dict[str, Any] = {}
    for score in systems[other].scores:
        key = score.group, score.name
        if key in ours:
            result = difference(
                score.figures()["f1_score"],
                ours[key].figures()["f1_score"],
                resampled[other][key],
                resampled[first][key],
            )
            found.setdefault(score.group, {})[score.name] = {
                "value": result.value,
                "interval": [result.low, result.high],
                "p_value": result.p_value,
            }
    return found


def as_text(report: Mapping[str, Any]) -> str:
    """
    Return tables for a terminal, in percent.

    # Parameters

    report : `Mapping[str, Any]`
        As `as_json` gives it.
    """
    parts = []
    for name, system in report["systems"].items():
        if len(report["systems"]) > 1:
            parts.append(f"== {name}")
        parts += _tables_of(system)
    for name, groups in report.get("differences", {}).items():
        rows = [
            [group, measure, _signed(each["value"]), _range(each["interval"], _signed)]
            + [f"{each['p_value']:.4f}"]
            for group, measures in groups.items()
            for measure, each in measures.items()
        ]
        first = next(iter(report["systems"]))
        parts.append(f"== {name} less {first}")
        parts.append(table(["", "F1 of", "difference", _INTERVAL, "p"], rows))
    return "\n\n".join(parts)


def _tables_of(system: Mapping[str, Any]) -> list[str]:
    rows = [
        [group, measure, *_cells(each)]
        + ([_range(each["interval"], _percent)] if "interval" in each else [])
        for group, measures in system["scores"].items()
        for measure, each in measures.items()
    ]
    header = ["", "score", "precision", "recall", "F1", _INTERVAL]
    parts = [table(header[: len(rows[0])], rows)]
    for group, types in system["by_type"].items():
        rows = [
            [label, *_cells(each), str(each["gold"]), str(each["predicted"])]
            for label, each in types.items()
        ]
        parts.append(table([group, "precision", "recall", "F1", "gold", "predicted"], rows))
    for group, schemes in system["schemes"].items():
        rows = [[scheme, *_cells(each)] for scheme, each in schemes.items()]
        parts.append(table([f"{group} by scheme", "precision", "recall", "F1"], rows))
    return parts


def _cells(figures: Mapping[str, float]) -> list[str]:
    return [_percent(figures[name]) for name in _FIGURES]


def _percent(figure: float) -> str:
    return f"{100 * figure:.2f}"


def _signed(figure: float) -> str:
    return f"{100 * figure:+.2f}"


def _range(interval: Sequence[float], shown: Any) -> str:
    return f"{shown(interval[0])} to {shown(interval[1])}"
