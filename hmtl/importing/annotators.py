"""What several annotators made of one text, as one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from itertools import combinations
from typing import TypeVar

from hmtl.formats.standoff import Entity, Link, Standoff
from hmtl.importing.tally import Tally
from hmtl.importing.unions import linked

VOTED = "what more than half of its annotators marked"
OUTVOTED = "not marked by more than half of the annotators"
IN, OUT = True, False

T = TypeVar("T", bound=Hashable)


def vote(
    annotated: Sequence[Standoff], is_coreference: Callable[[str], bool], tally: Tally
) -> tuple[Standoff, list[list[str]]]:
    """
    The entities, relations and links of coreference that more than half of the annotators marked, each just
    so: of the same type, over the same characters.

    # Parameters

    annotated : `Sequence[Standoff]`
        Of one text, without clusters; the arguments of relations are among the entities.
    is_coreference : `Callable[[str], bool]`
        Whether relations of a type link what corefers. An annotator says that two entities corefer if a chain
        of such relations leads from one to the other.
    tally : `Tally`
        Counts what was outvoted.

    # Returns

    `tuple[Standoff, list[list[str]]]`
        The voted annotations, and pairs of coreferent entities.
    """
    entities = _majority([each.entities.values() for each in annotated])
    relations = _majority([_relations(each, is_coreference) for each in annotated])
    pairs = _majority([_coreferent(each, is_coreference) for each in annotated])
    tally.dropped("mentions", OUTVOTED, len(entities[OUT]))
    tally.dropped("relations", OUTVOTED, len(relations[OUT]))
    name_of = {entity: f"{number}" for number, entity in enumerate(entities[IN])}
    voted = Standoff(annotated[0].text, {name: entity for entity, name in name_of.items()})
    # Whoever marked a relation marked its arguments, so these are among the entities.
    voted.relations = [
        Link(type_, name_of[first], name_of[second]) for type_, first, second in relations[IN]
    ]
    return voted, [[name_of[entity] for entity in pair] for pair in pairs[IN]]


def _majority(marked: Sequence[Iterable[T]]) -> dict[bool, list[T]]:
    """What more than half of the annotators marked, and what not, in the order in which it first stands."""
    counts = Counter(each for of_one in marked for each in dict.fromkeys(of_one))
    parted: dict[bool, list[T]] = {IN: [], OUT: []}
    for each, count in counts.items():
        parted[2 * count > len(marked)].append(each)
    return parted


def _relations(
    standoff: Standoff, is_coreference: Callable[[str], bool]
) -> Iterator[tuple[str, Entity, Entity]]:
    for link in standoff.relations:
        if not is_coreference(link.type):
            yield link.type, standoff.entities[link.arg1], standoff.entities[link.arg2]


def _coreferent(
    standoff: Standoff, is_coreference: Callable[[str], bool]
) -> Iterator[tuple[Entity, Entity]]:
    """All pairs of an annotator's coreferent entities, each in the order of the text."""
    # By what they are: one that was marked twice is one.
    links = [
        (standoff.entities[each.arg1], standoff.entities[each.arg2])
        for each in standoff.relations
        if is_coreference(each.type)
    ]
    for entities in linked(links):
        yield from combinations(sorted(entities, key=lambda e: (e.pieces, e.type)), 2)
