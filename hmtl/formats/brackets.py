"""
The two notations for spans in column files.

Bracket columns (names, mentions, relation frames): `(PER*` opens a span, `*)` closes it, `(GPE)` or
`(GPE*)` is a span of one token, `*` is a token at which nothing opens or closes.

Coreference columns: `(3` opens a mention of cluster 3, `3)` closes it, `(3)` is a mention of one
token, `-` (in some corpora `_`) is a token at which nothing opens or closes; several are joined by `|`.
A cluster has a number, or a name with a digit in it, as `e1`.

Spans are `(start, end)` token indices within the sentence, both inclusive.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from hmtl.formats.columns import CellError, shown

Span = tuple[int, int]
LabelledSpan = tuple[str, Span]
# A number, or a name as `e1`.
ClusterId = int | str

NOTHING = "*"
NO_CLUSTER = "-"
_NO_CLUSTER_CELLS = (NO_CLUSTER, "_")
_BRACKET_CELL = re.compile(r"(?:\([^()*]*|\*|\))+")
_BRACKET = re.compile(r"\([^()*]*|\)")
# A name must have a digit: a column of names, as `(PERSON)`, is then not taken for one of clusters.
_COREF_PART = re.compile(
    r"(?P<opens>\()?"
    r"(?:(?P<number>[0-9]{1,18})|(?P<name>(?=[^()]*[0-9])[A-Za-z0-9_][A-Za-z0-9_.:#/@+-]{0,63}))"
    r"(?P<closes>\))?"
)


def bracket_spans(cells: Sequence[str]) -> list[LabelledSpan]:
    """
    The spans of one bracket column of a sentence. Spans may nest, and several may begin or end at
    one token.

    # Returns

    `list[LabelledSpan]`
        Ordered by start; of spans with one start, the longest first; of spans over the same
        tokens, the one opened first.

    # Raises

    `CellError`
        For a malformed cell, a bracket without its partner, an empty label, or spans that cross.
    """
    labels_and_starts: list[tuple[str, int]] = []
    ends: dict[int, int] = {}
    open_spans: list[int] = []
    if cells.count(NOTHING) == len(cells):
        return []
    for row, cell in enumerate(cells):
        if cell == NOTHING:
            continue
        for bracket in _brackets(cell, row):
            if bracket != ")":
                open_spans.append(len(labels_and_starts))
                labels_and_starts.append((bracket[1:], row))
            elif open_spans:
                ends[open_spans.pop()] = row
            else:
                raise CellError(
                    f"{shown(cell)} closes a span, but none is open; expected '(LABEL*' on an "
                    "earlier row of the sentence",
                    row,
                )
    if open_spans:
        label, start = labels_and_starts[open_spans[-1]]
        raise CellError(
            f"the span {shown('(' + label)} is never closed; expected '*)' on a later row of the "
            "same sentence",
            start,
        )
    spans = [
        (label, (start, ends[order])) for order, (label, start) in enumerate(labels_and_starts)
    ]
    spans.sort(key=lambda span: (span[1][0], -span[1][1]))
    _check_not_crossing(spans)
    return spans


def _brackets(cell: str, row: int) -> list[str]:
    """The brackets of a cell: `(LABEL` or `)`."""
    if not _BRACKET_CELL.fullmatch(cell):
        raise CellError(
            f"malformed cell {shown(cell)}; expected '*', '(LABEL*', '*)' or '(LABEL)'", row
        )
    brackets = _BRACKET.findall(cell)
    if "(" in brackets:
        raise CellError(f"no label after '(' in {shown(cell)}; expected '(LABEL*'", row)
    return brackets


def outermost(spans: Sequence[LabelledSpan]) -> list[LabelledSpan]:
    """
    Those spans that lie in no other; of several over the same tokens, the first.

    # Parameters

    spans : `Sequence[LabelledSpan]`
        Ordered as `bracket_spans` returns them, none crossing another.
    """
    outer: list[LabelledSpan] = []
    last_end = -1
    for label, (start, end) in spans:
        if start > last_end:
            outer.append((label, (start, end)))
            last_end = end
    return outer


def _check_not_crossing(spans: Sequence[LabelledSpan]) -> None:
    """Only a cell such as `*)(PER*` can make spans cross: one ends where the next begins."""
    open_ends: list[int] = []
    for label, (start, end) in spans:
        while open_ends and open_ends[-1] < start:
            open_ends.pop()
        if open_ends and open_ends[-1] < end:
            raise CellError(
                f"the span {shown('(' + label)} crosses another, which ends inside it; expected "
                "spans that nest or share no token",
                start,
            )
        open_ends.append(end)


def coref_spans(cells: Sequence[str]) -> dict[ClusterId, list[Span]]:
    """
    The mentions of one coreference column of a sentence.

    Mentions of different clusters may nest and may cross (the ids tell them apart); of two open
    mentions of one cluster, the one opened last is closed first.

    # Returns

    `dict[ClusterId, list[Span]]`
        For each cluster id its mentions, ordered by (start, end); clusters in the order of their
        first mentions.

    # Raises

    `CellError`
        For a malformed cell, or a mention without its beginning or its end.
    """
    mentions: list[tuple[int, int, ClusterId]] = []
    open_mentions: dict[ClusterId, list[int]] = {}
    for row, cell in enumerate(cells):
        if cell in _NO_CLUSTER_CELLS:
            continue
        for part in cell.split("|"):
            opens, cluster, closes = _parse_coref_part(part, cell, row)
            if opens:
                open_mentions.setdefault(cluster, []).append(row)
            if closes:
                starts = open_mentions.get(cluster)
                if not starts:
                    raise CellError(
                        f"{shown(cell)} closes a mention of cluster {cluster}, but none is open; "
                        f"expected '({cluster}' on an earlier row of the sentence",
                        row,
                    )
                mentions.append((starts.pop(), row, cluster))
    _check_all_closed(open_mentions)
    spans: dict[ClusterId, list[Span]] = {}
    for start, end, cluster in sorted(mentions, key=_by_place):
        spans.setdefault(cluster, []).append((start, end))
    return spans


def _by_place(mention: tuple[int, int, ClusterId]) -> tuple[int, int, bool, ClusterId]:
    """Numbers come before names, with which they could not be compared."""
    start, end, cluster = mention
    return start, end, isinstance(cluster, str), cluster


def _parse_coref_part(part: str, cell: str, row: int) -> tuple[bool, ClusterId, bool]:
    match = _COREF_PART.fullmatch(part)
    if match is None or not (match["opens"] or match["closes"]):
        raise CellError(
            f"malformed cell {shown(cell)}; expected '-', '(3', '3)' or '(3)' with the number of a "
            "cluster, several joined by '|'",
            row,
        )
    cluster = match["name"] or int(match["number"])
    return bool(match["opens"]), cluster, bool(match["closes"])


def _check_all_closed(open_mentions: dict[ClusterId, list[int]]) -> None:
    for cluster, starts in open_mentions.items():
        if starts:
            raise CellError(
                f"the mention '({cluster}' is never closed; expected '{cluster})' on a later row "
                "of the same sentence",
                starts[-1],
            )


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
    cells = [NOTHING] * length
    ordered = sorted(spans, key=_outer_first)
    if not ordered:
        return cells
    opening: dict[int, str] = {}
    closing: dict[int, int] = {}
    open_ends: list[int] = []
    for label, (start, end) in ordered:
        while open_ends and open_ends[-1] < start:
            open_ends.pop()
        if not 0 <= start <= end < length or (open_ends and open_ends[-1] < end):
            raise ValueError(
                f"the span {label} ({start}, {end}) crosses another or lies outside the {length} tokens; "
                "expected spans that nest or share no token"
            )
        open_ends.append(end)
        opening[start] = f"{opening.get(start, '')}({label}"
        closing[end] = closing.get(end, 0) + 1
    for token, opened in opening.items():
        cells[token] = opened if token in closing else opened + NOTHING
    for token, closed in closing.items():
        cells[token] += ")" * closed
    return cells


def _outer_first(span: LabelledSpan) -> tuple[int, int]:
    start, end = span[1]
    return start, -end


def coref_cells(spans: Collection[tuple[int, Span]], length: int) -> list[str]:
    """
    One cell a token for the mentions of clusters: `(3`, `3)`, `(3)`, joined by `|`; `-` for none. Outer
    mentions open first, inner ones close first.

    # Parameters

    spans : `Collection[tuple[int, Span]]`
        Cluster number, and `(start, end)` within the sentence, both inclusive. Mentions of different
        clusters may cross, those of one cluster may nest only.
    length : `int`
        The number of tokens.
    """
    cells = [NO_CLUSTER] * length
    if not spans:
        return cells
    opening: dict[int, list[str]] = {}
    closing: dict[int, list[str]] = {}
    outer_first = sorted(spans, key=lambda item: (item[1][0], -item[1][1], item[0]))
    for cluster, (start, end) in outer_first:
        mark = f"({cluster})" if start == end else f"({cluster}"
        opening.setdefault(start, []).append(mark)
    for cluster, (start, end) in sorted(outer_first, key=lambda item: -item[1][0]):
        if start < end:
            closing.setdefault(end, []).append(f"{cluster})")
    for token in opening.keys() | closing.keys():
        cells[token] = "|".join([*opening.get(token, ()), *closing.get(token, ())])
    return cells
