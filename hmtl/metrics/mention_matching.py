"""Which predicted mention stands for which gold one, where they need not cover the same tokens."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from hmtl.metrics.clusterings import best_pairs

Span = tuple[int, int]
# A mention, and the span within it that must be found: its head or its minimal span.
Heads = Mapping[Span, Span]

EXACT, PARTIAL, HEAD = "exact", "partial", "head"


def matched(
    predicted: Iterable[Span],
    gold: Iterable[Span],
    match: str,
    predicted_heads: Heads,
    gold_heads: Heads,
) -> dict[Span, Span]:
    """
    Match as CorefUD's scorer does: first mentions that are the same, then of the rest one to one, so that as
    much as possible of the gold mentions is covered. Partial: the predicted mention lies within the gold one,
    and has its head in it. Head: the two have the same head, whatever else they cover.

    # Parameters

    predicted, gold : `Iterable[Tuple[int, int]]`
        `(start, end)` with inclusive ends.
    match : `str`
        `EXACT`, `PARTIAL` or `HEAD`.
    predicted_heads, gold_heads : `Mapping[Tuple[int, int], Tuple[int, int]]`
        By mention, with inclusive ends; one without is matched exactly only. `PARTIAL` looks at gold ones.

    # Returns

    gold_of : `Dict[Tuple[int, int], Tuple[int, int]]`
        For each predicted mention that is matched the gold one.
    """
    ours, theirs = set(predicted), set(gold)

    def is_same(span: Span) -> bool:
        return match != HEAD or predicted_heads.get(span) == gold_heads.get(span)

    gold_of = {span: span for span in ours & theirs if is_same(span)}
    if match == EXACT:
        return gold_of
    candidates = _within if match == PARTIAL else _of_same_head
    rows, columns = sorted(theirs - gold_of.keys()), sorted(ours - gold_of.keys())
    similarity = candidates(rows, columns, gold_heads, predicted_heads)
    gold_of.update((columns[column], rows[row]) for row, column in best_pairs(similarity))
    return gold_of


Similarity = dict[tuple[int, int], float]
Candidates = Callable[[list[Span], list[Span], Heads, Heads], Similarity]


def _within(gold: list[Span], predicted: list[Span], gold_heads: Heads, _: Heads) -> Similarity:
    # A mention within another begins at one of its tokens.
    beginning_at: defaultdict[int, list[int]] = defaultdict(list)
    for column, (start, _end) in enumerate(predicted):
        beginning_at[start].append(column)
    similarity: Similarity = {}
    for row, span in enumerate(gold):
        if span not in gold_heads:
            continue
        first, last = gold_heads[span]
        for start in range(span[0], first + 1):
            for column in beginning_at.get(start, ()):
                if last <= predicted[column][1] <= span[1]:
                    similarity[row, column] = _covered(span, predicted[column])
    return similarity


def _of_same_head(
    gold: list[Span], predicted: list[Span], gold_heads: Heads, predicted_heads: Heads
) -> Similarity:
    by_head: defaultdict[Span, list[int]] = defaultdict(list)
    for column, span in enumerate(predicted):
        if span in predicted_heads:
            by_head[predicted_heads[span]].append(column)
    return {
        (row, column): _covered(span, predicted[column])
        for row, span in enumerate(gold)
        for column in by_head.get(gold_heads.get(span, span), ())
        if span in gold_heads
    }


def _covered(gold: Span, predicted: Span) -> float:
    """The share of a gold mention's tokens that a predicted one has."""
    shared = min(gold[1], predicted[1]) - max(gold[0], predicted[0]) + 1
    return shared / (gold[1] - gold[0] + 1)
