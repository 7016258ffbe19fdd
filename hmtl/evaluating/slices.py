"""Scores of parts of the data: by length, distance, frequency, and by what training has seen."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from hmtl.checking.example import Example
from hmtl.common.answers import COREFERENCE, MENTIONS, RELATIONS
from hmtl.evaluating.errors import is_pronoun
from hmtl.evaluating.judging import Item, Judged
from hmtl.metrics.fractions import Fractions

SEEN, UNSEEN = "all seen", "some unseen"


@dataclass
class Training:
    """
    What the training data of a task hold.

    # Parameters

    words : `set[str]`
    spans : `Counter[str]`
        Of labelled spans, their words.
    labels : `Counter[str]`
    """

    words: set[str] = field(default_factory=set)
    spans: Counter[str] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)

    def add(self, example: Example) -> None:
        """Count an instance."""
        self.words.update(example.words)
        self.labels.update(example.labels)
        for _, (start, end) in example.spans or ():
            self.spans[" ".join(example.words[start : end + 1])] += 1


# Which part an item is in.
PartOf = Callable[[Example, Item], str]


@dataclass(frozen=True)
class Slicing:
    """
    # Parameters

    title : `str`
        What the parts differ in.
    parts : `Sequence[str]`
        Their names, in order.
    part_of : `PartOf`
    """

    title: str
    parts: Sequence[str]
    part_of: PartOf


def slicings(kind: str, training: Training | None) -> list[Slicing]:
    """
    Return how items of a kind of answers are told apart.

    # Parameters

    kind : `str`
    training : `Training`, optional
        Without it nothing is told apart by what training has seen.
    """
    found = [_binned("words of the text", (11, 21, 41), lambda e, i: len(e.words))]
    if kind == COREFERENCE:
        found = [
            _binned("words of the document", (501, 1001), lambda e, i: len(e.words)),
            _binned("words from mention to mention", (11, 31, 101), _distance),
            Slicing("the later mention", ("pronoun", "capitalized", "other"), _form),
        ]
    elif kind == RELATIONS:
        found.append(_binned("words from argument to argument", (4, 8, 16), _distance))
    elif kind == MENTIONS:
        found.append(_binned("words of the span", (2, 3, 4), _width))
    if training is not None:
        if kind in (MENTIONS, RELATIONS):
            labels = training.labels
            found.append(
                _binned("its type in training, times", (10, 50, 200), lambda e, i: labels[i[0]], 0)
            )
        if kind == MENTIONS:
            spans = training.spans
            found.append(
                _binned(
                    "its words as a span in training, times",
                    (1, 2, 5),
                    lambda e, i: spans[_text(e, i)],
                    0,
                )
            )
        words = training.words
        found.append(
            Slicing(
                "its words in the training data",
                (SEEN, UNSEEN),
                lambda e, i: SEEN if all(word in words for word in _words(e, i)) else UNSEEN,
            )
        )
    return found


def by_part(judged: Iterable[Judged], slicing: Slicing) -> dict[str, Fractions]:
    """Return what the figures of each part are computed from, of parts that hold anything."""
    right: Counter[tuple[str, str]] = Counter()
    all_: Counter[tuple[str, str]] = Counter()
    for each in judged:
        for side, items in (("found", each.found_items), ("gold", each.gold_items)):
            for item, is_right in items.items():
                part = slicing.part_of(each.gold, item)
                all_[side, part] += 1
                right[side, part] += is_right
    return {
        part: Fractions(
            right["found", part], all_["found", part], right["gold", part], all_["gold", part]
        )
        for part in slicing.parts
        if all_["found", part] or all_["gold", part]
    }


def _binned(
    title: str, edges: Sequence[int], measure: Callable[[Example, Item], int], first: int = 1
) -> Slicing:
    """Parts that begin at `first` and at each of the edges."""
    starts = [first, *edges]
    names = [_range(start, end) for start, end in zip(starts, [*edges, None])]
    return Slicing(
        title, names, lambda e, i: names[max(bisect_right(starts, measure(e, i)), 1) - 1]
    )


def _range(start: int, end: int | None) -> str:
    if end is None:
        return f"{start} or more"
    return str(start) if end == start + 1 else f"{start} to {end - 1}"


def _places(item: Item) -> tuple[int, int]:
    """The first and the last of the tokens that matter: of a link, where the two mentions begin."""
    first, second = item[1]
    if isinstance(first, tuple) and isinstance(second, tuple):
        return int(first[0]), int(second[0])
    assert isinstance(first, int) and isinstance(second, int)
    return first, second


def _distance(example: Example, item: Item) -> int:
    first, second = _places(item)
    return abs(second - first)


def _width(example: Example, item: Item) -> int:
    first, second = _places(item)
    return second - first + 1


def _words(example: Example, item: Item) -> Iterator[str]:
    first, second = item[1]
    if isinstance(first, tuple) and isinstance(second, tuple):
        yield from example.words[int(second[0]) : int(second[1]) + 1]
    elif example.relations is not None:
        yield from (example.words[int(str(place))] for place in (first, second))
    else:
        yield from example.words[int(str(first)) : int(str(second)) + 1]


def _text(example: Example, item: Item) -> str:
    return " ".join(_words(example, item))


def _form(example: Example, item: Item) -> str:
    later = item[1][1]
    assert isinstance(later, tuple)
    if is_pronoun(example, later):
        return "pronoun"
    return "capitalized" if example.words[later[1]][:1].isupper() else "other"
