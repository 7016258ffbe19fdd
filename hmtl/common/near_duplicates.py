"""
Texts that are almost the same: MinHash (Broder 1997) over runs of five words, and banding to find the pairs
(Leskovec, Rajaraman and Ullman, "Mining of Massive Datasets", chapter 3). The numbers are fixed, so that the
same texts give the same answer everywhere.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy

# So many words make a run; texts of fewer words than that many are too short to tell.
RUN, FEWEST_WORDS = 5, 25
# Two texts whose share of runs in common, of all that either has, is so large are nearly the same.
ALIKE = 0.7
# So many texts are kept, in some 100 MB.
MOST_TEXTS = 2**18
PAIRS_SHOWN = 3
# 64 least hashes, in 16 bands of 4: of texts that share 70 % of their runs, 99 of 100 share a band.
_HASHES, _BAND = 64, 4
_CHUNK = 1024
# So many words are remembered with their hashes.
_MOST_WORDS = 2**17
_ODD = numpy.uint64(0x9E3779B97F4A7C15)
_SHIFT = numpy.uint64(32)
_random = numpy.random.Generator(numpy.random.PCG64(5))
_FACTORS = _random.integers(2**63, size=_HASHES, dtype=numpy.uint64) * numpy.uint64(
    2
) + numpy.uint64(1)
_SUMMANDS = _random.integers(2**63, size=_HASHES, dtype=numpy.uint64)
_POWERS = numpy.array([pow(int(_ODD), i, 2**64) for i in range(RUN)], dtype=numpy.uint64)


class _Hashes(dict[str, int]):
    """By word its hash."""

    def __missing__(self, word: str) -> int:
        if len(self) >= _MOST_WORDS:
            self.clear()
        found = self[word] = zlib.crc32(word.lower().encode("utf-8", "surrogatepass"))
        return found


_hash_of = _Hashes().__getitem__


class Sketch:
    """What is kept of a text that comes in parts: 256 bytes, whatever its length."""

    __slots__ = ("_before", "_least", "num_words")

    def __init__(self) -> None:
        self.num_words = 0
        self._before = numpy.empty(0, numpy.uint64)
        self._least = numpy.full(_HASHES, numpy.iinfo(numpy.uint32).max, numpy.uint32)

    def add(self, words: Sequence[str]) -> None:
        """The next words; capitals and small letters are the same."""
        self.num_words += len(words)
        hashes = numpy.fromiter(map(_hash_of, words), numpy.uint64, len(words))
        hashes = numpy.concatenate([self._before, hashes])
        self._before = hashes[-(RUN - 1) :]
        if len(hashes) < RUN:
            return
        count = len(hashes) - RUN + 1
        runs = numpy.zeros(count, numpy.uint64)
        for place, power in enumerate(_POWERS):
            runs += hashes[place : place + count] * power
        runs ^= runs >> _SHIFT
        for begin in range(0, len(runs), _CHUNK):
            many = runs[begin : begin + _CHUNK, None] * _FACTORS
            many += _SUMMANDS
            # Which is least is told by the upper half.
            least = (many.min(axis=0) >> _SHIFT).astype(numpy.uint32)
            self._least = numpy.minimum(self._least, least)

    @property
    def least(self) -> numpy.ndarray:
        """Its signature."""
        return self._least


class NearPair(NamedTuple):
    """Two texts, by their numbers, and the estimated share of their runs that both have."""

    first: int
    second: int
    share: float


def near_pairs(sketches: Sequence[Sketch], groups: Sequence[int]) -> Iterator[NearPair]:
    """
    Pairs of nearly the same texts in two groups: for each text that has any, in the order given, the one most
    alike in a group of a lower number, of equally alike ones the first.

    # Parameters

    sketches : `Sequence[Sketch]`
    groups : `Sequence[int]`
        Of each text.
    """
    kept = [number for number, sketch in enumerate(sketches) if sketch.num_words >= FEWEST_WORDS]
    if not kept:
        return
    signatures = numpy.stack([sketches[number].least for number in kept])
    best: dict[int, tuple[float, int]] = {}
    for begin in range(0, _HASHES, _BAND):
        band = numpy.ascontiguousarray(signatures[:, begin : begin + _BAND])
        keys = band.view(numpy.dtype((numpy.void, band.itemsize * _BAND))).ravel()
        order = numpy.argsort(keys, kind="stable")
        ends = numpy.flatnonzero(keys[order][1:] != keys[order][:-1]) + 1
        for same in numpy.split(order, ends):
            if len(same) > 1:
                _compare([int(each) for each in same], kept, groups, signatures, best)
    for index in sorted(best):
        share, other = best[index]
        yield NearPair(kept[-other], kept[index], share)


def _compare(
    same: Sequence[int],
    kept: Sequence[int],
    groups: Sequence[int],
    signatures: numpy.ndarray,
    best: dict[int, tuple[float, int]],
) -> None:
    """Each of some texts that share a band with the first of each lower group: many may be the same."""
    firsts: dict[int, int] = {}
    for index in same:
        firsts.setdefault(groups[kept[index]], index)
    for index in same:
        for group, first in firsts.items():
            if group < groups[kept[index]]:
                share = float((signatures[index] == signatures[first]).mean())
                if share >= ALIKE:
                    # Of equally alike ones the first counts more.
                    best[index] = max(best.get(index, (0.0, 0)), (share, -first))


class NearText(NamedTuple):
    """A text of one split that is nearly the same as one of another, and how alike they are."""

    name: str
    split: str
    other: str
    other_split: str
    share: float


class NearTexts:
    """
    The texts of several splits.

    # Parameters

    splits : `Sequence[str]`
        A text is told with one of a split that stands before its own.
    """

    def __init__(self, splits: Sequence[str]) -> None:
        self._splits = splits
        self._names: list[tuple[str, str]] = []
        self._sketches: list[Sketch] = []
        # How many texts were not kept, so that memory has a bound.
        self.num_passed_over = 0

    def add(self, name: str, split: str, words: Sequence[str]) -> None:
        """A whole text."""
        if len(words) >= FEWEST_WORDS:
            sketch = Sketch()
            sketch.add(words)
            self.add_sketch(name, split, sketch)

    def add_sketch(self, name: str, split: str, sketch: Sketch) -> None:
        """The same, of which there is a sketch."""
        if len(self._names) == MOST_TEXTS:
            self.num_passed_over += 1
        elif sketch.num_words >= FEWEST_WORDS:
            self._names.append((name, split))
            self._sketches.append(sketch)

    def pairs(self) -> Iterator[NearText]:
        """Those that are nearly the same, in the order in which they came."""
        groups = [self._splits.index(split) for _, split in self._names]
        for first, second, share in near_pairs(self._sketches, groups):
            yield NearText(*self._names[second], *self._names[first], share)

    def warning(self) -> str | None:
        """One sentence about the pairs, the most alike as examples; `None` if there is none."""
        pairs = list(self.pairs())
        if not pairs:
            return None
        shown = sorted(pairs, key=lambda pair: (-pair.share, pair.name))[:PAIRS_SHOWN]
        examples = ", ".join(
            f"{pair.name} ({pair.split}) and {pair.other} ({pair.other_split}) share {pair.share:.0%}"
            for pair in shown
        )
        more = f" and {len(pairs) - len(shown)} more" if len(pairs) > len(shown) else ""
        rest = (
            f" ({self.num_passed_over} further ones were not looked at)"
            if self.num_passed_over
            else ""
        )
        return (
            f"{len(pairs)} document(s) are nearly the same as one of another split, by their runs of {RUN} "
            f"words: {examples}{more}{rest}"
        )
