"""
A document's annotations by characters of its text, as annotation tools have them.

Tools have one kind of entity: it stands for mentions or for names. Where a document has both, the types of
names begin with `NAME_PREFIX`. A span of a relation or cluster that no entity covers becomes an entity of
type `BARE_SPAN`, as tools relate entities only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

from hmtl.formats.annotated import CharacterSlice, Document, Mention
from hmtl.formats.brackets import LabelledSpan, Span

NAME_PREFIX = "Name-"
BARE_SPAN = "Span"
# The same where a source has no entity there.
NO_TYPE = ""
# What links two entities that corefer, in tools that have relations but no clusters.
COREFERENCE = "Coref"


@dataclass(frozen=True, slots=True)
class Entity:
    """
    # Parameters

    type : `str`
    pieces : `tuple[CharacterSlice, ...]`
        Where it stands; several if it is discontinuous.
    score : `float`, optional (default = `None`)
        How probable a predicted one is.
    """

    type: str
    pieces: tuple[CharacterSlice, ...]
    score: float | None = field(default=None, compare=False, kw_only=True)

    @property
    def extent(self) -> CharacterSlice:
        """From the first character to the last."""
        return min(begin for begin, _ in self.pieces), max(end for _, end in self.pieces)


@dataclass(frozen=True, slots=True)
class Link:
    """A relation of a type between two entities, given by their names; `score` as in `Entity`."""

    type: str
    arg1: str
    arg2: str
    score: float | None = field(default=None, compare=False, kw_only=True)


@dataclass(slots=True)
class Standoff:
    """
    # Parameters

    text : `str`
    entities : `dict[str, Entity]`
        By a name of their own.
    relations : `list[Link]`
    clusters : `list[list[str]]`
        Names of coreferent entities.
    """

    text: str
    entities: dict[str, Entity] = field(default_factory=dict)
    relations: list[Link] = field(default_factory=list)
    clusters: list[list[str]] = field(default_factory=list)

    def chained(self) -> Iterator[Link]:
        """The clusters as relations: each entity with the next one of its cluster."""
        for cluster in self.clusters:
            for first, second in pairwise(cluster):
                yield Link(COREFERENCE, first, second)


def to_standoff(document: Document) -> Standoff:
    """
    The annotations of a document, with entities named T1, T2 and so on in the order of the text.

    # Parameters

    document : `Document`
        With text and offsets, as `with_text` returns it.
    """
    text, offsets = document.text, document.offsets()
    if text is None or offsets is None:
        raise ValueError(f"document {document.name!r} has no text; expected what with_text returns")
    entities: dict[str, Entity] = {}
    # The first over the words, and the first of each type.
    name_of: dict[Span | LabelledSpan, str] = {}
    for number, entity in enumerate(_entities(document), start=1):
        pieces = document.pieces.get(entity.span, (entity.span,))
        places = tuple((offsets[start][0], offsets[end][1]) for start, end in pieces)
        entities[f"T{number}"] = Entity(entity.type, places, score=entity.score)
        name_of.setdefault(entity.span, f"T{number}")
        name_of.setdefault(entity.labelled, f"T{number}")
    relations = [
        Link(
            relation.type,
            *(name_of.get(each) or name_of[each[1]] for each in relation.labelled_arguments),
            score=relation.score,
        )
        for relation in document.relations
    ]
    clusters = [[name_of[span] for span in cluster] for cluster in document.clusters]
    return Standoff(text, entities, relations, clusters)


def score_field(scored: Entity | Link) -> dict[str, float]:
    """The field `score` of JSON; none where there is no probability."""
    return {} if scored.score is None else {"score": round(scored.score, 4)}


def is_apart(entity_type: str) -> bool:
    """Whether an entity stands for a name, or for a span that is no mention."""
    return entity_type.startswith(NAME_PREFIX) or entity_type in (BARE_SPAN, NO_TYPE)


def _entities(document: Document) -> list[Mention]:
    names = document.names
    if document.mentions or document.has_both:
        names = [replace(name, type=NAME_PREFIX + name.type) for name in names]
    entities = [*document.mentions, *names]
    covered = {entity.span for entity in entities}
    used = [span for cluster in document.clusters for span in cluster]
    used += [span for relation in document.relations for span in (relation.arg1, relation.arg2)]
    bare = {Mention(*span, BARE_SPAN) for span in used if span not in covered}
    return sorted([*entities, *bare], key=lambda entity: (entity.start, entity.end))
