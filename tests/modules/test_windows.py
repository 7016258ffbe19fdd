"""How texts are cut into windows, against a loop over tokens and windows."""

import random

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmtl.modules.windows import Windows, WindowSize, windows_of


def cut(widths: list[int], size: WindowSize) -> Windows:
    """A text of tokens of so many wordpieces each."""
    offsets, place = [], size.start
    for width in widths:
        offsets.append((place, place + width - 1) if width else (-1, -1))
        place += width
    return windows_of(place + size.end, numpy.array(offsets).reshape(-1, 2), size)


def body_of(windows: Windows, size: WindowSize) -> list[list[int]]:
    """The wordpieces of each window, counted from the first one of the text that is not at its ends."""
    return [
        [position - size.start for position in positions[size.start : len(positions) - size.end]]
        for positions in windows.positions
    ]


def naive_sources(widths: list[int], bodies: list[list[int]]) -> list[int]:
    """The window for each wordpiece, found by looking at every one."""
    found: list[int] = []
    place = 0
    for width in widths:
        token = list(range(place, place + width))
        place += width
        whole = [window for window, body in enumerate(bodies) if set(token) <= set(body)]
        for unit in [token] if whole and token else [[piece] for piece in token]:
            best, most = -1, -1
            for window, body in enumerate(bodies):
                if set(unit) <= set(body):
                    before = sum(piece < unit[0] for piece in body)
                    after = sum(piece > unit[-1] for piece in body)
                    if min(before, after) > most:
                        best, most = window, min(before, after)
            found.extend([best] * len(unit))
    return found


@given(
    widths=st.lists(st.integers(0, 7), min_size=1, max_size=40),
    wordpieces=st.integers(1, 12),
    overlap=st.integers(0, 11),
    ends=st.tuples(st.integers(0, 2), st.integers(0, 2)),
)
def test_wordpieces_are_taken_from_the_window_with_most_context(
    widths: list[int], wordpieces: int, overlap: int, ends: tuple[int, int]
) -> None:
    size = WindowSize(wordpieces, overlap % wordpieces, *ends)
    windows = cut(widths, size)
    bodies = body_of(windows, size)
    body_sources = windows.sources[size.start : size.start + sum(widths)]
    assert body_sources[:, 0].tolist() == naive_sources(widths, bodies)
    for place, (window, position) in enumerate(windows.sources):
        if size.start <= place < size.start + sum(widths):
            assert windows.positions[window][position] == place


@given(
    widths=st.lists(st.integers(0, 7), min_size=1, max_size=40),
    own=st.tuples(st.integers(0, 40), st.integers(0, 40)),
)
def test_tokens_among_others_that_are_not_asked_for_are_taken_from_the_same_windows(
    widths: list[int], own: tuple[int, int]
) -> None:
    size = WindowSize(9, 4, start=1, end=1)
    ends = 1 + numpy.cumsum(widths)
    spans = [(end - width, end - 1) if width else (-1, -1) for end, width in zip(ends, widths)]
    first, last = sorted(own)
    asked_for = numpy.array(spans[first:last]).reshape(-1, 2)
    found, whole = windows_of(ends[-1] + 1, asked_for, size), cut(widths, size)
    for start, end in asked_for:
        assert (found.sources[start : end + 1] == whole.sources[start : end + 1]).all()


@pytest.mark.parametrize("length", [1, 7, 8, 9, 12, 13, 50])
def test_windows_are_full_and_overlap(length: int) -> None:
    bodies = body_of(cut([1] * length, WindowSize(8, 3)), WindowSize(8, 3))
    assert sorted(set().union(*bodies)) == list(range(length))
    for one, other in zip(bodies, bodies[1:]):
        assert one[-3:] == other[:3]
        assert len(one) == 8
    # The last one is not there for what the one before it has already.
    assert len(bodies) == 1 or len(bodies[-1]) > 3


def test_every_window_has_the_ends_of_the_text() -> None:
    windows = cut([1] * 20, WindowSize(8, 2, start=1, end=2))
    for positions in windows.positions:
        assert positions[0] == 0
        assert positions[-2:].tolist() == [21, 22]


def test_overlap_leaves_every_token_half_of_it_as_context() -> None:
    chance = random.Random(0)
    widths = [chance.choice([1, 1, 1, 2]) for _ in range(200)]
    size = WindowSize(20, 8)
    windows = cut(widths, size)
    num_pieces = sum(widths)
    for place, (window, position) in enumerate(windows.sources):
        of = windows.positions[window]
        # A token of two wordpieces may have its border anywhere.
        assert min(position, place) == place or position >= 8 // 2 - 1
        after = len(of) - 1 - position
        assert after == num_pieces - 1 - place or after >= 8 // 2 - 1


def test_text_without_wordpieces_is_one_window() -> None:
    windows = cut([0, 0], WindowSize(4, 1, start=1, end=1))
    assert [positions.tolist() for positions in windows.positions] == [[0, 1]]
