import json

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmtl.data.cache.columns import JsonColumn, NotRepresentable, Ragged, smallest

LEAVES = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.floats(allow_nan=False)
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)
ROWS = st.lists(st.lists(st.integers(-(2**40), 2**40), max_size=4), min_size=1, max_size=6)


@given(st.lists(VALUES, min_size=1, max_size=4))
def test_json_comes_back_with_its_tuples(values: list) -> None:
    column = JsonColumn.of(values)
    for index, value in enumerate(values):
        assert repr(column[index]) == repr(value)


@pytest.mark.parametrize("value", [{1, 2}, object(), {1: 2}, numpy.int64(3), {"__tuple__": []}])
def test_what_json_cannot_hold_is_refused(value: object) -> None:
    with pytest.raises(NotRepresentable):
        JsonColumn.of([[value]])


def test_json_holds_nothing_but_json() -> None:
    column = JsonColumn.of([("a", [1.5])])
    assert json.loads(bytes(column.texts.values)) == {"__tuple__": ["a", [1.5]]}


@given(ROWS)
def test_ragged_arrays_come_back(rows: list[list[int]]) -> None:
    ragged = Ragged.of([numpy.array(row, numpy.int64) for row in rows])
    loaded = Ragged.loaded("x", ragged.to_arrays("x"))
    assert len(loaded) == len(rows)
    for index, row in enumerate(rows):
        assert loaded[index].tolist() == row
        assert loaded.length(index) == len(row)


@given(ROWS, st.integers(0, 6), st.data())
def test_padded_rows_are_as_a_loop_pads_them(rows: list[list[int]], width: int, data) -> None:
    ragged = Ragged.of([numpy.array(row, numpy.int64) for row in rows])
    indices = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=5))
    expected = [(rows[index] + [0] * width)[:width] for index in indices]
    padded = ragged.padded_rows(numpy.array(indices, numpy.int64), width)
    assert padded.shape == (len(indices), width)
    assert padded.tolist() == expected


@pytest.mark.parametrize(
    "number, width", [(127, 1), (128, 2), (-(2**15), 2), (2**15, 4), (2**31, 8)]
)
def test_numbers_take_as_little_space_as_they_can(number: int, width: int) -> None:
    values = smallest(numpy.array([0, number]))
    assert values.itemsize == width
    assert values.tolist() == [0, number]
