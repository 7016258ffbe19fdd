"""Long texts in windows that a transformer takes, and which window each wordpiece is taken from."""

from dataclasses import dataclass
from typing import Tuple

import numpy


@dataclass(frozen=True)
class WindowSize:
    """
    # Parameters

    wordpieces : `int`
        In a window at most, without what stands at its ends.
    overlap : `int`
        How many of them are in the next window as well; fewer than `wordpieces`.
    start, end : `int`, optional (default = `0`)
        How many wordpieces, as `[CLS]` and `[SEP]`, every text begins and ends with, and every window.
    """

    wordpieces: int
    overlap: int
    start: int = 0
    end: int = 0


@dataclass(frozen=True)
class Windows:
    """
    The windows of one text.

    # Parameters

    positions : `Tuple[numpy.ndarray, ...]`
        For each window, which of the text's wordpieces it consists of. Each of shape `(window_length,)`.
    sources : `numpy.ndarray`
        For each wordpiece of the text the window that it is taken from, and its position there.
        Shape `(num_wordpieces, 2)`.
    """

    positions: Tuple[numpy.ndarray, ...]
    sources: numpy.ndarray


def windows_of(num_wordpieces: int, offsets: numpy.ndarray, size: WindowSize) -> Windows:
    """
    Cuts a text. Each window begins `size.wordpieces - size.overlap` wordpieces after the one before.

    All wordpieces of a token are taken from one window, of those that hold the whole token: the one where it
    has most context on the side where it has less. Where none holds it whole, as may be with a token of more
    wordpieces than the overlap, each of its wordpieces is taken from the best window for itself.

    # Parameters

    num_wordpieces : `int`
        With those at the ends.
    offsets : `numpy.ndarray`
        First and last wordpiece of each token, the ends counted; negative for a token without any. Together
        they cover all but the ends. Shape `(num_tokens, 2)`.
    size : `WindowSize`

    # Returns

    windows : `Windows`
    """
    body = num_wordpieces - size.start - size.end
    firsts = numpy.arange(0, max(body - size.overlap, 1), size.wordpieces - size.overlap)
    # The body's wordpieces in each window, from the first to before the last. Shape: (num_windows, 2)
    bounds = numpy.stack([firsts, numpy.minimum(firsts + size.wordpieces, body)], axis=1)
    starting = numpy.arange(size.start)
    ending = numpy.arange(num_wordpieces - size.end, num_wordpieces)
    positions = tuple(
        numpy.concatenate([starting, size.start + numpy.arange(*bound), ending]) for bound in bounds
    )
    chosen = _choose(_units(offsets - size.start, bounds, body), bounds)
    sources = numpy.zeros((num_wordpieces, 2), numpy.int64)
    # Shape: (body,)
    within = numpy.arange(body) - firsts[chosen] + size.start
    sources[size.start : size.start + body] = numpy.stack([chosen, within], axis=1)
    # Nobody asks for the ends: those of any window will do.
    sources[: size.start, 1] = starting
    return Windows(positions, sources)


def _units(spans: numpy.ndarray, bounds: numpy.ndarray, body: int) -> numpy.ndarray:
    """
    For each wordpiece, the first and the last of those that are taken from the same window; those of no token
    stand alone. Shape `(num_wordpieces, 2)`.
    """
    units = numpy.repeat(numpy.arange(body)[:, None], 2, axis=1)
    spans = spans[spans[:, 0] >= 0]
    if len(spans):
        whole = spans[_contexts(spans, bounds).max(axis=1) >= 0]
        widths = whole[:, 1] - whole[:, 0] + 1
        first = numpy.cumsum(widths) - widths
        pieces = numpy.repeat(whole[:, 0] - first, widths) + numpy.arange(widths.sum())
        units[pieces] = numpy.repeat(whole, widths, axis=0)
    return units


def _choose(units: numpy.ndarray, bounds: numpy.ndarray) -> numpy.ndarray:
    """The window for each unit, the first of equally good ones. Shape `(num_units,)`."""
    return _contexts(units, bounds).argmax(axis=1)


def _contexts(spans: numpy.ndarray, bounds: numpy.ndarray) -> numpy.ndarray:
    """
    How many wordpieces each span has before it or after it in each window, whichever are fewer; less than 0
    where the window does not hold it whole. Shape `(num_spans, num_windows)`.
    """
    before = spans[:, :1] - bounds[:, 0]
    after = bounds[:, 1] - 1 - spans[:, 1:]
    return numpy.minimum(before, after)
