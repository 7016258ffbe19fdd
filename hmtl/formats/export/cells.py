"""Spans as the cells of a column: the inverse of `hmtl.formats.brackets`."""

from __future__ import annotations

from collections.abc import Iterable

from hmtl.formats.brackets import NO_CLUSTER, NOTHING, LabelledSpan, Span


def bracket_cells(spans: Iterable[LabelledSpan], length: int) -> list[str]:
    """
    One cell a token for labelled spans that nest or share no token: `(PER*`, `*`, `*)`, `(PER)`.

    # Parameters

    spans : `Iterable[LabelledSpan]`
        `(label, (start, end))` within the sentence, both ends inclusive; of spans over the same tokens, the
        outer one first.
    length : `int`
        The number of tokens.

    # Raises

    `ValueError`
        If spans cross, or one lies outside the tokens.
    """
    opening = [""] * length
    closing = [0] * length
    open_ends: list[int] = []
    for label, (start, end) in sorted(spans, key=lambda span: (span[1][0], -span[1][1])):
        while open_ends and open_ends[-1] < start:
            open_ends.pop()
        if not 0 <= start <= end < length or (open_ends and open_ends[-1] < end):
            raise ValueError(
                f"the span {label} ({start}, {end}) crosses another or lies outside the {length} tokens; "
                "expected spans that nest or share no token"
            )
        open_ends.append(end)
        opening[start] += f"({label}"
        closing[end] += 1
    return [_bracket_cell(opened, closed) for opened, closed in zip(opening, closing)]


def _bracket_cell(opened: str, closed: int) -> str:
    if opened and closed:
        return opened + ")" * closed
    return opened + NOTHING + ")" * closed


def coref_cells(spans: Iterable[tuple[int, Span]], length: int) -> list[str]:
    """
    One cell a token for the mentions of clusters: `(3`, `3)`, `(3)`, joined by `|`; `-` for none. Outer
    mentions open first, inner ones close first.

    # Parameters

    spans : `Iterable[tuple[int, Span]]`
        Cluster number, and `(start, end)` within the sentence, both inclusive. Mentions of different
        clusters may cross, those of one cluster may nest only.
    length : `int`
        The number of tokens.
    """
    opening: list[list[str]] = [[] for _ in range(length)]
    closing: list[list[str]] = [[] for _ in range(length)]
    outer_first = sorted(spans, key=lambda item: (item[1][0], -item[1][1], item[0]))
    for cluster, (start, end) in outer_first:
        opening[start].append(f"({cluster})" if start == end else f"({cluster}")
    for cluster, (start, end) in sorted(outer_first, key=lambda item: -item[1][0]):
        if start < end:
            closing[end].append(f"{cluster})")
    return ["|".join([*opens, *closes]) or NO_CLUSTER for opens, closes in zip(opening, closing)]
