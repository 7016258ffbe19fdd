"""What several annotators made of one text, as one."""

from __future__ import annotations

import argparse
import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
from itertools import combinations
from typing import TypeVar

from hmtl.formats.standoff import NO_TYPE, Entity, Link, Standoff
from hmtl.importing.naming import UniqueNames
from hmtl.importing.tally import Tally
from hmtl.importing.unions import linked

VOTED = "what more than half of its annotators marked"
OUTVOTED = "not marked by more than half of the annotators"
FIRST, LAST, VOTE = "first", "last", "vote"
OTHERS = "of another annotator, or an earlier one"
COUNTED_OTHERWISE = "counts characters otherwise than the first"
NOT_ANNOTATED = "was not annotated"
BY_OTHERS = "not annotated by {}, but by {}"
IN, OUT = True, False
# What INCEpTION and WebAnno call the file, or the folder, of the annotations that were settled on, and the
# file of a text before anybody annotated it.
CURATED = frozenset({"curation", "curation_user"})
INITIAL = "initial_cas"

AnyT = TypeVar("AnyT")
T = TypeVar("T", bound=Hashable)


def add_arguments(parser: argparse.ArgumentParser, settled: str, who: str) -> None:
    """
    The option that chooses among annotators.

    # Parameters

    parser : `argparse.ArgumentParser`
    settled, who : `str`
        Which annotations count before any choice, and what an annotator is called by.
    """
    parser.add_argument(
        "--annotators",
        default=FIRST,
        metavar="CHOICE",
        help=f"of a text with several annotations and no {settled}: the first, the last, vote (what more "
        f"than half of them marked), or an annotator, by {who} (default: %(default)s)",
    )


def chosen(
    choice: str,
    given: Sequence[AnyT],
    is_settled: Callable[[AnyT], object],
    named: Callable[[AnyT], Collection[str]],
    tally: Tally,
) -> list[AnyT]:
    """
    The annotations of one text that count; several are to be voted on.

    # Parameters

    choice : `str`
        The value of `--annotators`.
    given : `Sequence[AnyT]`
    is_settled, named : `Callable`
        Whether an annotation counts before any choice, and what its annotator may be called.
    tally : `Tally`
        Counts the others, and a text of which none counts.
    """
    by_choice = {FIRST: given[:1], LAST: given[-1:], VOTE: given}
    counting: Sequence[AnyT] = [each for each in given if is_settled(each)][:1]
    if not counting:
        of_one = [each for each in given if choice in named(each)][-1:]
        counting = by_choice.get(choice, of_one)
    tally.dropped("annotations", OTHERS, len(given) - len(counting))
    if not given:
        tally.dropped("documents", NOT_ANNOTATED)
    elif not counting:
        others = sorted({name for each in given for name in named(each)})
        tally.dropped("documents", BY_OTHERS.format(choice, ", ".join(others)))
    return list(counting)


def by_text(
    names: Iterable[str],
    text_of: Callable[[str], str],
    split_of: Callable[[str], str | None],
    tally: Tally,
) -> dict[str, list[str]]:
    """
    The files of each text: several, where each annotator has one. They have one name in several folders, or
    the text's own folder (INCEpTION); other files of one text stay documents of their own.

    # Parameters

    names : `Iterable[str]`
        Of files, with their folders, without suffixes.
    text_of : `Callable[[str], str]`
    split_of : `Callable[[str], str | None]`
        The split that the source puts a file in; files of several splits stay apart.
    tally : `Tally`
        Counts the texts that would have the name of another.

    # Returns

    `dict[str, list[str]]`
        By what the files have in common in their names; else by the first.
    """
    same_text: dict[Hashable, list[str]] = {}
    for name in names:
        text = text_of(name)
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
        same_text.setdefault((split_of(name), digest) if text else name, []).append(name)
    groups: dict[Hashable, list[str]] = {}
    number_in = Counter(_folder(name) for group in same_text.values() for name in group)
    for key, group in same_text.items():
        are_own = sum(number_in[folder] for folder in set(map(_folder, group))) == len(group)
        for name in group:
            groups.setdefault((key, None if are_own else name.rpartition("/")[2]), []).append(name)
    unique = UniqueNames(tally)
    return {unique.of(_common_name(group)): group for group in groups.values()}


def _folder(name: str) -> str:
    return name.rpartition("/")[0]


def _common_name(group: Sequence[str]) -> str:
    parts = [name.split("/") for name in group]
    common = [same[0] for same in zip(*parts) if len(set(same)) == 1]
    return "/".join(common) if len(set(map(len, parts))) == 1 and common else group[0]


def counting_files(choice: str, names: Sequence[str], tally: Tally) -> list[str]:
    """
    Of the files of one text, as `by_text` gives them, those that count. What was settled on does first; a
    text that nobody annotated is left out.

    # Parameters

    choice : `str`
        The value of `--annotators`.
    names : `Sequence[str]`
    tally : `Tally`
        Counts the others.
    """
    valid = [name for name in names if not name.lower().endswith(INITIAL)]
    common = (
        set.intersection(*(set(name.split("/")) for name in names)) if len(names) > 1 else set()
    )
    return chosen(
        choice,
        valid,
        lambda name: CURATED.intersection(name.lower().split("/")),
        lambda name: set(name.split("/")) - common,
        tally,
    )


def combined(
    read: Sequence[Standoff], is_coreference: Callable[[str], bool], tally: Tally
) -> tuple[Standoff, list[list[str]]]:
    """
    One annotator's annotations as they are, or what several voted for.

    # Parameters

    read : `Sequence[Standoff]`
        Of one text; those that count its characters otherwise than the first are left out.
    is_coreference, tally :
        As in `vote`.
    """
    if len(read) == 1:
        return read[0], []
    alike = [each for each in read if each.text == read[0].text]
    tally.dropped("annotations", COUNTED_OTHERWISE, len(read) - len(alike))
    tally.changed("documents", VOTED)
    return vote(alike, is_coreference, tally)


def vote(
    annotated: Sequence[Standoff], is_coreference: Callable[[str], bool], tally: Tally
) -> tuple[Standoff, list[list[str]]]:
    """
    The entities, relations and links of coreference that more than half of the annotators marked, each just
    so: of the same type, over the same characters.

    # Parameters

    annotated : `Sequence[Standoff]`
        Of one text; the arguments of relations and members of clusters are among the entities.
    is_coreference : `Callable[[str], bool]`
        Whether relations of a type link what corefers. An annotator says that two entities corefer if a chain
        of such relations leads from one to the other, or they are of one cluster.
    tally : `Tally`
        Counts what was outvoted.

    # Returns

    `tuple[Standoff, list[list[str]]]`
        The voted annotations, and groups of coreferent entities: pairs, and those that are alone.
    """
    entities = _majority([each.entities.values() for each in annotated])
    relations = _majority([_relations(each, is_coreference) for each in annotated])
    pairs = _majority([_coreferent(each, is_coreference) for each in annotated])
    tally.dropped("mentions", OUTVOTED, sum(each.type != NO_TYPE for each in entities[OUT]))
    tally.dropped("relations", OUTVOTED, len(relations[OUT]))
    tally.dropped("pairs that corefer", OUTVOTED, sum(len(each) > 1 for each in pairs[OUT]))
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
) -> Iterator[tuple[Entity, ...]]:
    """All pairs of an annotator's coreferent entities, each in the order of the text, and those alone."""
    # By what they are: one that was marked twice is one.
    links = [
        (standoff.entities[each.arg1], standoff.entities[each.arg2])
        for each in standoff.relations
        if is_coreference(each.type)
    ]
    of_clusters = [[standoff.entities[name] for name in each] for each in standoff.clusters]
    for entities in linked([*links, *of_clusters]):
        in_order = sorted(entities, key=lambda e: (e.pieces, e.type))
        yield from combinations(in_order, min(len(in_order), 2))
