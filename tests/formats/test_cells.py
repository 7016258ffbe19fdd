"""Cells are what the parsers read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmtl.formats.brackets import (
    LabelledSpan,
    Span,
    bracket_cells,
    bracket_spans,
    coref_cells,
    coref_spans,
)

LENGTH = 7
SPANS = st.tuples(st.integers(0, LENGTH - 1), st.integers(0, LENGTH - 1)).map(
    lambda ends: (min(ends), max(ends))
)


def crossing(first: Span, second: Span) -> bool:
    (start, end), (other_start, other_end) = sorted((first, second))
    return start < other_start <= end < other_end


@given(st.lists(st.tuples(st.sampled_from("AB"), SPANS), max_size=6))
def test_bracket_cells_are_read_as_the_spans_they_were_made_of(spans: list[LabelledSpan]) -> None:
    nested: list[LabelledSpan] = []
    for label, span in spans:
        if not any(crossing(span, other) for _, other in nested):
            nested.append((label, span))
    cells = bracket_cells(nested, LENGTH)
    outer_first = sorted(nested, key=lambda item: (item[1][0], -item[1][1]))
    assert bracket_spans(cells) == outer_first


@given(st.lists(st.tuples(st.integers(0, 2), SPANS), unique=True, max_size=8))
def test_coref_cells_are_read_as_the_clusters_they_were_made_of(
    spans: list[tuple[int, Span]],
) -> None:
    clusters: dict[int, list[Span]] = {}
    for cluster, span in spans:
        members = clusters.setdefault(cluster, [])
        if not any(crossing(span, other) for other in members):
            members.append(span)
    written = [(cluster, span) for cluster, members in clusters.items() for span in members]
    read = coref_spans(coref_cells(written, LENGTH))
    assert read == {cluster: sorted(members) for cluster, members in clusters.items()}


@pytest.mark.parametrize(
    ("spans", "cells"),
    [
        ([("PER", (0, 1)), ("ORG", (2, 2))], ["(PER*", "*)", "(ORG)", "*"]),
        ([("PER", (0, 2)), ("ORG", (0, 0))], ["(PER(ORG)", "*", "*)", "*"]),
        ([("PER", (0, 2)), ("ORG", (2, 2))], ["(PER*", "*", "(ORG))", "*"]),
        ([("PER", (0, 2)), ("ORG", (1, 2))], ["(PER*", "(ORG*", "*))", "*"]),
    ],
)
def test_bracket_cells_look_as_in_the_corpora(spans: list[LabelledSpan], cells: list[str]) -> None:
    assert bracket_cells(spans, 4) == cells


def test_coref_cells_open_outer_mentions_first_and_close_inner_ones_first() -> None:
    spans = [(4, (1, 2)), (3, (0, 2)), (5, (0, 0)), (6, (2, 2))]
    assert coref_cells(spans, 4) == ["(3|(5)", "(4", "(6)|4)|3)", "-"]


@pytest.mark.parametrize(
    "spans", [[("A", (0, 2)), ("B", (1, 3))], [("A", (2, 4))], [("A", (2, 1))]]
)
def test_spans_that_cross_or_lie_outside_are_refused(spans: list[LabelledSpan]) -> None:
    with pytest.raises(ValueError, match="crosses another or lies outside"):
        bracket_cells(spans, 4)
