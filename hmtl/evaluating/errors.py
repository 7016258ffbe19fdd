"""The errors of a task by kind, each with where it is and what it is."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from hmtl.checking.example import Example
from hmtl.common.answers import COREFERENCE, RELATIONS
from hmtl.common.word_lists import PRONOUNS
from hmtl.evaluating.judging import Item, Judged
from hmtl.formats.brackets import Span

TYPE, BOUNDARY, BOTH, MISSED, SPURIOUS = "type", "boundary", "both", "missed", "spurious"
ARGUMENT, DIRECTION = "argument", "direction"
MERGED, SPLIT = "merged", "split"
MISSED_PRONOUN, MISSED_MENTION, SPURIOUS_MENTION = (
    "missed pronoun",
    "missed mention",
    "spurious mention",
)
MEANINGS = {
    TYPE: "the right words, another type",
    BOUNDARY: "the right type, other words of the same",
    BOTH: "another type and other words of the same",
    ARGUMENT: "the right type, one of the arguments another",
    DIRECTION: "the right type and arguments, turned round",
    MISSED: "nothing was found there",
    SPURIOUS: "nothing is there",
    MERGED: "a predicted cluster has mentions of several gold ones",
    SPLIT: "the mentions of a gold cluster are in several predicted ones",
    MISSED_PRONOUN: "a gold mention of one word, a pronoun, is in no predicted cluster",
    MISSED_MENTION: "another gold mention is in no predicted cluster",
    SPURIOUS_MENTION: "a mention in a predicted cluster is in no gold one",
}
WORDS_SHOWN = 12


@dataclass(frozen=True)
class Error:
    """
    # Parameters

    kind : `str`
        A key of `MEANINGS`.
    example : `Example`
    gold, found : `str`
        What is there and what was found, in words.
    """

    kind: str
    example: Example
    gold: str
    found: str


def errors_of(kind: str, judged: Sequence[Judged]) -> list[Error]:
    """
    # Parameters

    kind : `str`
        Of the answers.
    judged : `Sequence[Judged]`
    """
    if kind == COREFERENCE:
        return [error for each in judged for error in _of_clusters(each)]
    pair = _relation_kind if kind == RELATIONS else _span_kind
    return [error for each in judged for error in _of_items(each, pair)]


def is_pronoun(example: Example, span: Span) -> bool:
    """Return whether a span is a single pronoun of English."""
    return span[0] == span[1] and example.words[span[0]].lower() in PRONOUNS


def words_of(example: Example, span: Span) -> str:
    """Return the words of a span, the middle of a long one left out."""
    words = example.words[span[0] : span[1] + 1]
    if len(words) > WORDS_SHOWN:
        half = WORDS_SHOWN // 2
        words = [*words[:half], "...", *words[-half:]]
    return " ".join(words)


def told(example: Example, item: Item) -> str:
    """Return a labelled span or a relation in words."""
    label, (first, second) = item
    if example.relations is not None:
        return f"{_argument(example, first)} --{label}--> {_argument(example, second)}"
    return f"[{words_of(example, (int(str(first)), int(str(second))))}] {label}"


def _argument(example: Example, token: object) -> str:
    end = int(str(token))
    mention = next((span for _, span in example.mentions if span[1] == end), (end, end))
    return words_of(example, mention)


# How near a missed item and a wrong one are, and what that error is called.
_Near = tuple[int, str]
# `None` where the two have nothing to do with each other.
_PairKind = Callable[[Item, Item], _Near | None]


def _of_items(each: Judged, pair: _PairKind) -> Iterator[Error]:
    """Each missed and each wrong item is in one error; those that are nearest to each other in one."""
    missed, wrong = each.missed, each.wrong
    near = sorted(
        (found[0], row, column, found[1])
        for row, theirs in enumerate(missed)
        for column, ours in enumerate(wrong)
        if (found := pair(theirs, ours)) is not None
    )
    rows, columns = set(range(len(missed))), set(range(len(wrong)))
    for _, row, column, kind in near:
        if row in rows and column in columns:
            rows.remove(row)
            columns.remove(column)
            yield Error(
                kind, each.gold, told(each.gold, missed[row]), told(each.gold, wrong[column])
            )
    for row in sorted(rows):
        yield Error(MISSED, each.gold, told(each.gold, missed[row]), "")
    for column in sorted(columns):
        yield Error(SPURIOUS, each.gold, "", told(each.gold, wrong[column]))


def _span_kind(missed: Item, wrong: Item) -> _Near | None:
    (label, (start, end)), (other, (first, last)) = missed, wrong
    assert isinstance(start, int) and isinstance(end, int)
    assert isinstance(first, int) and isinstance(last, int)
    if (start, end) == (first, last):
        return (0, TYPE)
    if start > last or first > end:
        return None
    off = abs(start - first) + abs(end - last)
    return (off, BOUNDARY) if label == other else (off, BOTH)


def _relation_kind(missed: Item, wrong: Item) -> _Near | None:
    (label, pair), (other, found) = missed, wrong
    if pair == found:
        return (0, TYPE)
    if label == other and pair == found[::-1]:
        return (1, DIRECTION)
    if label == other and (pair[0] == found[0] or pair[1] == found[1]):
        return (2, ARGUMENT)
    return None


def _of_clusters(each: Judged) -> Iterator[Error]:
    gold, found = each.gold.clusters or [], each.found.clusters or []
    for kind, clusters, others in ((MERGED, found, gold), (SPLIT, gold, found)):
        cluster_of = {span: number for number, cluster in enumerate(others) for span in cluster}
        for cluster in clusters:
            parts: defaultdict[int, list[Span]] = defaultdict(list)
            for span in sorted(set(cluster)):
                if span in cluster_of:
                    parts[cluster_of[span]].append(span)
            if len(parts) > 1:
                shown = " | ".join(_cluster(each.gold, part) for part in parts.values())
                yield Error(kind, each.gold, *((shown, "") if kind == SPLIT else ("", shown)))
    theirs = {span for cluster in gold for span in cluster}
    ours = {span for cluster in found for span in cluster}
    for span in sorted(theirs - ours):
        kind = MISSED_PRONOUN if is_pronoun(each.gold, span) else MISSED_MENTION
        yield Error(kind, each.gold, words_of(each.gold, span), "")
    for span in sorted(ours - theirs):
        yield Error(SPURIOUS_MENTION, each.gold, "", words_of(each.gold, span))


def _cluster(example: Example, spans: Sequence[Span]) -> str:
    """The mentions of a cluster by their different words, those that come first."""
    words = Counter(words_of(example, span) for span in spans)
    shown = list(words)[:3]
    return ", ".join(shown) + (", ..." if len(words) > len(shown) else "")
