"""One document of ACE: its text and its annotation put together."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hmtl.errors import DataError
from hmtl.formats.annotated import CharacterSlice, Document, Mention, Relation
from hmtl.formats.brackets import Span
from hmtl.formats.columns import shown
from hmtl.importing import tokenization
from hmtl.importing.ace_apf import ApfDocument, Extent, RelationMention, read_apf
from hmtl.importing.ace_sgm import SgmText, read_sgm, resolve_references
from hmtl.importing.tally import Tally
from hmtl.importing.tokenization import Segmenter, WordIndex

logger = logging.getLogger(__name__)

# "Discourse" relations of ACE 2004: between the words of one phrase, as in "many of these people".
_DISCOURSE = "DISC"

NO_HEAD = "has no head"
OUTSIDE = "stands outside the text, or across the end of a turn, post or headline"
DISAGREES = "the annotation gives another text than stands at its offsets"
NO_ARGUMENT = "an argument is no mention of the document"
ARGUMENT_LEFT_OUT = "the mention of an argument was left out"
MENTION_LEFT_OUT = "the mention was left out"
NOT_ASKED_FOR = "not asked for"
SHARES_WITH_HEAD = "shares words with the head of an entity mention"


@dataclass(frozen=True)
class Converter:
    """
    # Parameters

    segment : `Segmenter`
        Finds sentences and words.
    tally : `Tally`
        Counts what does not get into a document.
    values, times : `bool`, optional (default = `False`)
        Whether their extents are mentions too, where they share no word with a head: as they are longer,
        they would win.
    """

    segment: Segmenter
    tally: Tally
    values: bool = False
    times: bool = False

    def document(self, name: str, text: Path, annotation: Path) -> Document:
        """
        The document of an `.sgm` and an `.apf.xml` file.

        # Raises

        `DataError`
            With file and line, for what is not as ACE's files are.
        """
        sgm, apf = read_sgm(text), read_apf(annotation)
        _check_ids(apf, annotation)
        places = _Places(sgm, annotation, self.tally)
        heads = self._heads(apf, places)
        others = self._others(apf, places)
        places.warn_of_disagreement()
        annotated = [*heads.values(), *(place for _, place in others)]
        sentences = tokenization.cut(sgm.plain, self.segment, annotated, self.tally)
        index = WordIndex(sgm.plain, sentences)
        spans = {identity: index.span(place) for identity, place in heads.items()}
        found = {identity: span for identity, span in spans.items() if span is not None}
        self.tally.dropped("mentions", tokenization.COVERS_NO_WORD, len(spans) - len(found))
        mentions = [
            Mention(*found[mention.id], mention.type)
            for mention in apf.mentions
            if mention.id in found
        ]
        return Document(
            name,
            sentences,
            mentions=mentions + self._apart(others, index, mentions),
            relations=self._relations(apf, found),
            clusters=self._clusters(apf, found),
            text=sgm.plain,
        )

    def _heads(self, apf: ApfDocument, places: _Places) -> dict[str, CharacterSlice]:
        """Where the head of each mention stands, by the mention's id."""
        heads: dict[str, CharacterSlice] = {}
        for mention in apf.mentions:
            if mention.head is None:
                self.tally.dropped("mentions", NO_HEAD)
            elif place := places.find(mention.head, "mentions"):
                heads[mention.id] = place
        return heads

    def _others(self, apf: ApfDocument, places: _Places) -> list[tuple[str, CharacterSlice]]:
        """Type and place of values and times, as far as they are asked for."""
        found = []
        for kind, extents, asked_for in (
            ("values", apf.values, self.values),
            ("times", apf.times, self.times),
        ):
            if not asked_for:
                self.tally.dropped(kind, NOT_ASKED_FOR, len(extents))
                continue
            placed = [(label, places.find(extent, kind)) for label, extent in extents]
            found += [(label, place) for label, place in placed if place]
        return found

    def _apart(
        self, others: list[tuple[str, CharacterSlice]], index: WordIndex, heads: list[Mention]
    ) -> list[Mention]:
        taken = {word for head in heads for word in range(head.start, head.end + 1)}
        apart = []
        for label, place in others:
            span = index.span(place)
            if span and taken.isdisjoint(range(span[0], span[1] + 1)):
                apart.append(Mention(*span, label))
            else:
                self.tally.dropped("values and times", SHARES_WITH_HEAD)
        return apart

    def _relations(self, apf: ApfDocument, spans: Mapping[str, Span]) -> list[Relation]:
        for role, count in sorted(apf.left_arguments.items()):
            self.tally.dropped(
                "arguments of relations", f"{role} is neither the first nor second", count
            )
        mentions = {mention.id for mention in apf.mentions}
        relations = []
        for relation in apf.relations:
            if reason := _why_not(relation, mentions, spans):
                self.tally.dropped("relations", reason)
            else:
                arguments = spans[relation.arg1], spans[relation.arg2]
                relations.append(Relation(relation.type, *arguments))
        return relations

    def _clusters(self, apf: ApfDocument, spans: Mapping[str, Span]) -> list[list[Span]]:
        clusters: dict[str, list[Span]] = {mention.entity: [] for mention in apf.mentions}
        for mention in apf.mentions:
            if mention.id in spans:
                clusters[mention.entity].append(spans[mention.id])
            else:
                self.tally.dropped("cluster members", MENTION_LEFT_OUT)
        kept = [cluster for cluster in clusters.values() if cluster]
        self.tally.dropped("clusters", MENTION_LEFT_OUT, len(clusters) - len(kept))
        return kept


class _Places:
    """Finds what the annotation speaks of in the text, and whether it is what the annotation says."""

    def __init__(self, sgm: SgmText, annotation: Path, tally: Tally) -> None:
        self._sgm = sgm
        self._annotation = annotation
        self._tally = tally
        self._disagreeing: list[tuple[Extent, str]] = []

    def find(self, extent: Extent, kind: str) -> CharacterSlice | None:
        """The place of an extent in `plain`; what has none is counted under its kind."""
        place = self._sgm.place(extent.slice)
        if place is None:
            self._tally.dropped(kind, OUTSIDE)
            return None
        # The XML has resolved references once; some files have them escaped twice.
        stated, there = resolve_references(extent.text), self._sgm.plain[slice(*place)]
        if not stated.strip() or _without_blanks(stated) != _without_blanks(there):
            self._tally.dropped(kind, DISAGREES)
            self._disagreeing.append((extent, there))
            return None
        return place

    def warn_of_disagreement(self) -> None:
        """Shows one case of a document, and says how many there are."""
        if not self._disagreeing:
            return
        extent, there = self._disagreeing[0]
        logger.warning(
            "%s:%d: %s is said to stand at characters %d to %d, but there stands %s; left out, as %d such "
            "case(s) in this document. Do its two files belong together, unchanged?",
            self._annotation,
            extent.line,
            shown(extent.text),
            extent.slice[0],
            extent.slice[1] - 1,
            shown(there),
            len(self._disagreeing),
        )


def _check_ids(apf: ApfDocument, path: Path) -> None:
    seen: set[str] = set()
    for mention in apf.mentions:
        if mention.id in seen:
            raise DataError(
                f"two mentions have the ID {mention.id!r}; expected ids that differ", path
            )
        seen.add(mention.id)


def _why_not(
    relation: RelationMention, mentions: set[str], spans: Mapping[str, Span]
) -> str | None:
    """Why a relation is left out, if it is."""
    arguments = {relation.arg1, relation.arg2}
    if relation.type == _DISCOURSE:
        return f"of type {_DISCOURSE}"
    if not arguments <= mentions:
        return NO_ARGUMENT
    return None if arguments <= spans.keys() else ARGUMENT_LEFT_OUT


def _without_blanks(text: str) -> str:
    return "".join(text.split())
