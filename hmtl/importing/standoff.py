"""
From annotations by characters to a document of words: what the importers of all annotation tools share.

Relations of a coreference type link entities into clusters. The rule by which an entity that begins or ends
inside a word meets its borders is an option, and counted.
"""

from __future__ import annotations

import argparse
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property

from hmtl.formats.annotated import CharacterSlice, Document, Mention, Relation
from hmtl.formats.brackets import Span
from hmtl.formats.columns import BYTE_ORDER_MARK
from hmtl.formats.standoff import (
    BARE_SPAN,
    COREFERENCE,
    NAME_PREFIX,
    NO_TYPE,
    Entity,
    Standoff,
    is_apart,
)
from hmtl.importing import tokenization
from hmtl.importing.resolution import BY_PLACE
from hmtl.importing.tally import Tally
from hmtl.importing.tokenization import Segmenter, WordIndex
from hmtl.importing.unions import linked

# How brat's own configurations, other tools and corpora name the link between coreferent entities.
COREFERENCE_TYPES = ("Equiv", COREFERENCE, "Coreference", "COREF")
SPLIT, WIDEN, CUT, DROP = "split", "widen", "cut", "drop"
WIDENED_TO_WORDS = "widened to the borders of words"
CUT_TO_WORDS = "cut to the borders of words"
NO_BORDERS = "begins or ends inside a word"
BARE_ALONE = f"of the type {BARE_SPAN}, without a relation or a cluster that it could be in"
BARE = f"of the type {BARE_SPAN}, so they are no mentions; give them another type if they are"
OF_LOST_MENTION = "one of its mentions was left out"
MENTION_LOST = "the mention was left out"
NO_MEMBER = "has no member"
# Ways to count characters that tools have beside that of Python: what they take the text for.
OTHER_COUNTS: dict[str, Callable[[str], str]] = {
    "places counted a line end of CR and LF as one": lambda text: text.replace("\r\n", "\n"),
    "places counted a line end as two": lambda text: re.sub("\r?\n", "\r\n", text),
    "places did not count the byte order mark": lambda text: text.removeprefix(BYTE_ORDER_MARK),
}
SAME_PLACE = "stands over the words of another of its cluster"
SAME_WORDS = "widened over its gaps, as another covers the same words otherwise"


def add_arguments(parser: argparse.ArgumentParser, words_are_given: bool = False) -> None:
    """
    The options by which text with annotations becomes documents; none of them cuts text where the source
    gives its words and sentences.
    """
    parser.add_argument(
        "--coref-type",
        action="append",
        metavar="TYPE",
        help="the relations that link coreferent entities; may be repeated "
        f"(default: {', '.join(COREFERENCE_TYPES)})",
    )
    if not words_are_given:
        tokenization.add_arguments(parser)
    parser.add_argument(
        "--borders",
        choices=(SPLIT, WIDEN, CUT, DROP),
        default=SPLIT,
        help="where an entity begins or ends inside a word: the word is split there, or the entity is "
        "widened to whole words, cut to the words that it holds whole, or left out (default: %(default)s)",
    )


class DocumentMaker:
    """
    # Parameters

    arguments : `argparse.Namespace`
        With what `add_arguments` adds.
    tally : `Tally`
        Counts what is changed or left out on the way.
    """

    def __init__(self, arguments: argparse.Namespace, tally: Tally) -> None:
        self._arguments = arguments
        self._borders: str = arguments.borders
        self._coreference_types = frozenset(arguments.coref_type or COREFERENCE_TYPES)
        self._tally = tally

    @cached_property
    def _segment(self) -> Segmenter:
        return tokenization.segmenter(self._arguments)

    def is_coreference(self, relation_type: str) -> bool:
        """Whether relations of a type link what corefers."""
        return relation_type in self._coreference_types

    def document(
        self,
        name: str,
        standoff: Standoff,
        links: Sequence[Sequence[str]] = (),
        words: Sequence[CharacterSlice] | None = None,
        sentences: Sequence[Sequence[CharacterSlice]] | None = None,
    ) -> Document:
        """
        The document of a text and its annotations.

        # Parameters

        name : `str`
        standoff : `Standoff`
            All its places are in its text, and none is empty; its names are those of its entities.
        links : `Sequence[Sequence[str]]`, optional (default = `()`)
            Names of coreferent entities. Groups that share one become one cluster.
        words, sentences : optional (default = `None`)
            The places of the words, in order, or of those of each sentence, where the source gives them.
        """
        text = standoff.text
        if not text:
            return Document(name, [], text=text)
        found = list(map(list, sentences)) if sentences else self._segment(text)
        if words is not None:
            found = _regrouped(words, found)
        places = [piece for entity in standoff.entities.values() for piece in entity.pieces]
        extents = [entity.extent for entity in standoff.entities.values()]
        edges = places if self._borders == SPLIT else ()
        cut = tokenization.fitted(
            text,
            found,
            edges,
            () if sentences or self._arguments.sentences != tokenization.SPACY else extents,
            self._tally,
        )
        spans, pieces = self._spans(standoff.entities, WordIndex(text, cut))
        typed = [(standoff.entities[name].type, span) for name, span in spans.items()]
        self._count_bare(standoff, links)
        return Document(
            name,
            cut,
            mentions=[Mention(*span, type_) for type_, span in typed if not is_apart(type_)],
            names=[
                Mention(*span, type_.removeprefix(NAME_PREFIX))
                for type_, span in typed
                if type_.startswith(NAME_PREFIX)
            ],
            relations=self._relations(standoff, spans),
            clusters=self._clusters(standoff, links, spans),
            text=text,
            pieces=pieces,
        )

    def _spans(
        self, entities: Mapping[str, Entity], index: WordIndex
    ) -> tuple[dict[str, Span], dict[Span, tuple[Span, ...]]]:
        """By name the span of each entity that covers a word, and of discontinuous spans their pieces."""
        parts: dict[str, tuple[Span, ...]] = {}
        for name, entity in entities.items():
            found = self._words(entity, index)
            if isinstance(found, str):
                self._tally.dropped("mentions", found)
            else:
                parts[name] = without_false_gaps(found)
        spans = {name: (places[0][0], places[-1][1]) for name, places in parts.items()}
        return spans, gaps_of(parts.values(), self._tally)

    def _count_bare(self, standoff: Standoff, links: Iterable[Sequence[str]]) -> None:
        """Of what is bare and in no relation and no cluster nothing is left."""
        bare = {name for name, entity in standoff.entities.items() if entity.type == BARE_SPAN}
        if bare:
            held = {name for each in standoff.relations for name in (each.arg1, each.arg2)}
            held.update(name for group in (*standoff.clusters, *links) for name in group)
            self._tally.dropped("mentions", BARE_ALONE, len(bare - held))
            self._tally.changed("mentions", BARE, len(bare & held))

    def _words(self, entity: Entity, index: WordIndex) -> list[Span] | str:
        """The words of each piece; or why it has none."""
        touched = [span for piece in entity.pieces if (span := index.span(piece))]
        if not touched:
            return tokenization.COVERS_NO_WORD
        if self._borders == SPLIT:
            return touched
        whole = [span for piece in entity.pieces if (span := index.whole_words(piece))]
        if whole == touched:
            return touched
        if self._borders == WIDEN:
            self._tally.changed("mentions", WIDENED_TO_WORDS)
            return touched
        if self._borders == DROP or not whole:
            return NO_BORDERS
        self._tally.changed("mentions", CUT_TO_WORDS)
        return whole

    def _relations(self, standoff: Standoff, spans: Mapping[str, Span]) -> list[Relation]:
        relations = []
        unclear = _unclear(standoff, spans)
        for relation in standoff.relations:
            if self.is_coreference(relation.type):
                continue
            if relation.arg1 in spans and relation.arg2 in spans:
                names = relation.arg1, relation.arg2
                arguments = spans[names[0]], spans[names[1]]
                types = None
                if not unclear.isdisjoint(names):
                    types = standoff.entities[names[0]].type, standoff.entities[names[1]].type
                relations.append(Relation(relation.type, *arguments, arg_types=types))
            else:
                self._tally.dropped("relations", OF_LOST_MENTION)
        return relations

    def _clusters(
        self, standoff: Standoff, links: Sequence[Sequence[str]], spans: Mapping[str, Span]
    ) -> list[list[Span]]:
        pairs = [
            (relation.arg1, relation.arg2)
            for relation in standoff.relations
            if self.is_coreference(relation.type)
        ]
        clusters = []
        unclear = _unclear(standoff, spans)
        for names in [*standoff.clusters, *linked([*links, *pairs])]:
            kept = [spans[name] for name in names if name in spans]
            self._tally.dropped("cluster members", MENTION_LOST, len(names) - len(kept))
            if kept:
                by_place = unclear.intersection(names)
                apart = list(dict.fromkeys(kept)) if by_place else kept
                self._tally.dropped("cluster members", SAME_PLACE, len(kept) - len(apart))
                self._tally.changed("cluster members", BY_PLACE, len(by_place))
                clusters.append(apart)
            else:
                self._tally.dropped("clusters", MENTION_LOST if names else NO_MEMBER)
        return clusters


def _unclear(standoff: Standoff, spans: Mapping[str, Span]) -> set[str]:
    """
    The entities, by name, whose type their words alone do not tell: those stand for the first mention over
    them, or else for the first name, as in `to_standoff`.
    """
    if len(set(spans.values())) == len(spans):
        return set()
    types = {name: standoff.entities[name].type for name in spans}
    meant: dict[Span, str] = {}
    for name in sorted(spans, key=lambda name: is_apart(types[name])):
        if types[name] not in (BARE_SPAN, NO_TYPE):
            meant.setdefault(spans[name], types[name])
    return {
        name
        for name, span in spans.items()
        if types[name] not in (BARE_SPAN, NO_TYPE, meant.get(span))
    }


def without_false_gaps(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Pieces in order; those with no word between them are one (brat cuts an entity at a line end)."""
    pieces: list[Span] = []
    for start, end in sorted(spans):
        if pieces and start <= pieces[-1][1] + 1:
            pieces[-1] = (pieces[-1][0], max(end, pieces[-1][1]))
        else:
            pieces.append((start, end))
    return tuple(pieces)


def gaps_of(found: Iterable[tuple[Span, ...]], tally: Tally) -> dict[Span, tuple[Span, ...]]:
    """
    The pieces of the discontinuous ones, by the span from the first word to the last.

    # Parameters

    found : `Iterable[tuple[Span, ...]]`
        Of each mention the pieces, as `without_false_gaps` returns them.
    tally : `Tally`
        Counts those that become whole, as a document has one place for each span: what is whole stays whole.
    """
    by_span: dict[Span, list[tuple[Span, ...]]] = {}
    for pieces in found:
        by_span.setdefault((pieces[0][0], pieces[-1][1]), []).append(pieces)
    gaps: dict[Span, tuple[Span, ...]] = {}
    for span, ways in by_span.items():
        if len(set(ways)) > 1:
            tally.changed("mentions", SAME_WORDS, sum(len(way) > 1 for way in set(ways)))
        elif len(ways[0]) > 1:
            gaps[span] = ways[0]
    return gaps


def _regrouped(
    words: Sequence[CharacterSlice], sentences: Sequence[Sequence[CharacterSlice]]
) -> list[list[CharacterSlice]]:
    """Given words in the sentences that were found with others."""
    starts = [sentence[0][0] for sentence in sentences]
    grouped: dict[int, list[CharacterSlice]] = {}
    for word in words:
        grouped.setdefault(max(bisect_right(starts, word[0]), 1), []).append(word)
    return list(grouped.values())
