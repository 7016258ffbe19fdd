import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmtl.formats.brackets import Span, bracket_spans, coref_spans, outermost
from hmtl.formats.columns import CellError

LENGTH = 8
SPANS = st.tuples(st.integers(0, LENGTH - 1), st.integers(0, LENGTH - 1)).map(
    lambda ends: (min(ends), max(ends))
)


@pytest.mark.parametrize(
    "cells, spans",
    [
        ("* * *", []),
        ("(A* * *)", [("A", (0, 2))]),
        ("(A) * (B*)", [("A", (0, 0)), ("B", (2, 2))]),
        ("(A* (B*) *)", [("A", (0, 2)), ("B", (1, 1))]),
        ("(A(B* *) *)", [("A", (0, 2)), ("B", (0, 1))]),
        ("(A* (B* *))", [("A", (0, 2)), ("B", (1, 2))]),
        ("(A)(B) * *", [("A", (0, 0)), ("B", (0, 0))]),
        ("(A*)(B*) * *", [("A", (0, 0)), ("B", (0, 0))]),
        ("(A* *(B)) *", [("A", (0, 1)), ("B", (1, 1))]),
        ("(X-1_Y* *) *", [("X-1_Y", (0, 1))]),
    ],
)
def test_bracket_spans_reads_notation(cells: str, spans: list) -> None:
    assert bracket_spans(cells.split()) == spans


@pytest.mark.parametrize(
    "cells, row, message",
    [
        ("* *)", 1, "closes a span, but none is open"),
        ("* (A* *", 1, r"'\(A' is never closed"),
        ("(A* (B* *)", 0, r"'\(A' is never closed"),
        ("A *", 0, r"malformed cell 'A'; expected '\*', '\(LABEL\*', '\*\)' or '\(LABEL\)'"),
        ("* (A*x *)", 1, "malformed cell"),
        ("- *", 0, "malformed cell '-'"),
        ("(* *)", 0, r"no label after '\('"),
        ("* ()", 1, r"no label after '\('"),
        ("(A* *)(B* *)", 1, r"'\(B' crosses another"),
    ],
)
def test_bracket_spans_names_row_and_fault(cells: str, row: int, message: str) -> None:
    with pytest.raises(CellError, match=message) as caught:
        bracket_spans(cells.split())
    assert caught.value.row == row


def test_outermost_leaves_out_what_lies_inside() -> None:
    spans = [("A", (0, 3)), ("B", (0, 0)), ("C", (2, 3)), ("D", (4, 4)), ("E", (4, 4))]
    assert outermost(spans) == [("A", (0, 3)), ("D", (4, 4))]


def nest(spans: list[Span]) -> list[Span]:
    """As many of the spans as do not cross an earlier one of the list."""
    kept: list[Span] = []
    for start, end in spans:
        crossing = any(s < start <= e < end or start < s <= end < e for s, e in kept)
        if not crossing:
            kept.append((start, end))
    return sorted(kept, key=lambda span: (span[0], -span[1]))


@given(st.lists(SPANS, max_size=8).map(nest))
def test_bracket_spans_gives_back_any_nested_spans(spans: list[Span]) -> None:
    labelled = [(f"L{index}", span) for index, span in enumerate(spans)]
    cells = []
    for token in range(LENGTH):
        opened = "".join(f"({label}" for label, (start, _) in labelled if start == token)
        closed = ")" * sum(end == token for _, (_, end) in labelled)
        cells.append(f"{opened}*{closed}")
    assert bracket_spans(cells) == labelled


@pytest.mark.parametrize(
    "cells, spans",
    [
        ("- - -", {}),
        ("(3 - 3)", {3: [(0, 2)]}),
        ("(0) - (0)", {0: [(0, 0), (2, 2)]}),
        ("(7|(3 3) 7)", {3: [(0, 1)], 7: [(0, 2)]}),
        ("(1 (1 1)|1)", {1: [(0, 2), (1, 2)]}),
        ("(1 (1) 1)", {1: [(0, 2), (1, 1)]}),
        ("(1 1)|(2)|(3 3)", {1: [(0, 1)], 2: [(1, 1)], 3: [(1, 2)]}),
        ("(e1 (c-2) e1)", {"e1": [(0, 2)], "c-2": [(1, 1)]}),
        ("(e1)|(2)", {2: [(0, 0)], "e1": [(0, 0)]}),
        ("_ (3) _", {3: [(1, 1)]}),
    ],
)
def test_coref_spans_reads_notation(cells: str, spans: dict) -> None:
    assert coref_spans(cells.split()) == spans


def test_coref_spans_lets_clusters_cross() -> None:
    # As in three sentences of OntoGUM. The ids leave no doubt about what is meant.
    assert coref_spans(["(1", "(2", "1)", "2)"]) == {1: [(0, 2)], 2: [(1, 3)]}


def test_coref_spans_orders_clusters_by_first_mention() -> None:
    assert list(coref_spans(["(9)", "(2)", "(9)"])) == [9, 2]


@pytest.mark.parametrize(
    "cells, row, message",
    [
        ("(3 - -", 0, r"'\(3' is never closed; expected '3\)' on a later row"),
        ("- 3) -", 1, r"closes a mention of cluster 3, but none is open; expected '\(3'"),
        ("3) (3 -", 0, "but none is open"),
        ("(3 4)", 1, "closes a mention of cluster 4"),
        ("* -", 0, r"malformed cell '\*'; expected '-', '\(3', '3\)' or '\(3\)'"),
        ("- 3", 1, "malformed cell '3'"),
        ("(3)|", 0, "malformed cell"),
        ("(a)", 0, "malformed cell"),
        ("()", 0, "malformed cell"),
        ("(\u0663)", 0, "malformed cell"),
        ("(" + "9" * 5000 + ")", 0, "malformed cell"),
    ],
)
def test_coref_spans_names_row_and_fault(cells: str, row: int, message: str) -> None:
    with pytest.raises(CellError, match=message) as caught:
        coref_spans(cells.split())
    assert caught.value.row == row


@given(st.dictionaries(st.integers(0, 50), SPANS, max_size=8))
def test_coref_spans_gives_back_one_span_of_each_cluster(spans: dict[int, Span]) -> None:
    cells = []
    for token in range(LENGTH):
        parts = []
        for cluster, (start, end) in spans.items():
            if token in (start, end):
                parts.append(f"{'(' * (token == start)}{cluster}{')' * (token == end)}")
        cells.append("|".join(parts) or "-")
    assert coref_spans(cells) == {cluster: [span] for cluster, span in spans.items()}
