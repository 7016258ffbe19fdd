"""Two runs on the same data: what one gets right and the other not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy

from hmtl.common.document import Heading, Paragraph, Part, Table
from hmtl.errors import DataError
from hmtl.evaluating.answering import Answered
from hmtl.evaluating.judging import Judged, fractions, is_known, judge
from hmtl.evaluating.report import drawn
from hmtl.study.bootstrap import CONFIDENCE, difference, f1_of, resampled_scores

SAMPLES = 1000
DRAWN = 6


def parts_of_comparison(ours: Answered, theirs: Answered, names: Sequence[str]) -> list[Part]:
    """
    # Parameters

    ours, theirs : `Answered`
        With examples.
    names : `Sequence[str]`
        Of the two runs.

    # Raises

    DataError
        When the two have not read the same texts.
    """
    kind = ours.answers.kind if ours.answers else None
    if kind is None or not ours.gold or not theirs.found or not is_known(kind):
        return []
    _check_same(ours, theirs, names)
    mine = judge(kind, ours.gold, ours.found)
    # Both are judged by the same gold annotation.
    others = judge(kind, ours.gold, theirs.found)
    parts: list[Part] = [
        Heading(f"{names[0]} and {names[1]}", 3),
        _table(mine, others, names),
        Paragraph(_difference(mine, others, names)),
    ]
    gained = [
        _num_right(a) - a.num_errors - _num_right(b) + b.num_errors for a, b in zip(mine, others)
    ]
    order = sorted(range(len(gained)), key=lambda place: gained[place])
    for title, places in (
        (f"Better in {names[0]}", [n for n in reversed(order) if gained[n] > 0]),
        (f"Better in {names[1]}", [n for n in order if gained[n] < 0]),
    ):
        if places:
            parts.append(Heading(title, 4))
        for place in places[:DRAWN]:
            sides = {"gold": mine[place].gold, names[0]: mine[place].found}
            sides[names[1]] = others[place].found
            parts += drawn(kind, mine[place].gold, sides)
    return parts


def _check_same(ours: Answered, theirs: Answered, names: Sequence[str]) -> None:
    texts = [[example.words for example in each.gold] for each in (ours, theirs)]
    if texts[0] != texts[1]:
        raise DataError(
            f"task {ours.task} of {names[1]} is read as other texts than that of {names[0]} "
            f"({len(texts[1])} instances, {len(texts[0])}): its reader has other options. Only runs that "
            "read the same can be compared"
        )


def _num_right(judged: Judged) -> int:
    return sum(judged.gold_items.values())


def _table(mine: Sequence[Judged], others: Sequence[Judged], names: Sequence[str]) -> Table:
    both = only_mine = only_other = neither = 0
    wrong: dict[str, int] = {"both": 0, names[0]: 0, names[1]: 0}
    for one, other in zip(mine, others):
        for item, is_found in one.gold_items.items():
            is_other = other.gold_items[item]
            both += is_found and is_other
            only_mine += is_found and not is_other
            only_other += is_other and not is_found
            neither += not is_found and not is_other
        ours, theirs = set(one.wrong), set(other.wrong)
        wrong["both"] += len(ours & theirs)
        wrong[names[0]] += len(ours - theirs)
        wrong[names[1]] += len(theirs - ours)
    header = ["", "both", f"only {names[0]}", f"only {names[1]}", "neither"]
    rows = [
        ["gold items found", str(both), str(only_mine), str(only_other), str(neither)],
        ["found, but not there", *map(str, wrong.values()), ""],
    ]
    return Table(header, rows)


def _difference(mine: Sequence[Judged], others: Sequence[Judged], names: Sequence[str]) -> str:
    counts = numpy.array([[[fractions([each])] for each in side] for side in (mine, others)])
    scores, resampled = f1_of(counts.sum(axis=1)), resampled_scores(counts, SAMPLES)
    found = difference(float(scores[0]), float(scores[1]), resampled[:, 0], resampled[:, 1])
    return (
        f"F1 of items: {100 * scores[0]:.2f} and {100 * scores[1]:.2f}; difference {100 * found.value:+.2f}, "
        f"{CONFIDENCE:.0%} interval {100 * found.low:+.2f} to {100 * found.high:+.2f}, p = "
        f"{found.p_value:.4f} (paired bootstrap over the texts)."
    )


def by_task(answered: Sequence[Answered]) -> Mapping[str, Answered]:
    """Return them by the names of their tasks."""
    return {each.task: each for each in answered}
