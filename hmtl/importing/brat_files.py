"""
brat's standoff format (Stenetorp et al. 2012, brat.nlplab.org/standoff.html): a `.txt` file, and an `.ann`
file of one annotation a line.

    T1<TAB>PER 0 5<TAB>Alice           an entity over characters 0 to 5 (a slice)
    T2<TAB>PER 0 5;9 12<TAB>Alice Doe  the same in pieces
    R1<TAB>located Arg1:T1 Arg2:T3     a relation
    *<TAB>Equiv T1 T4 T7               an equivalence, here of coreferent entities
    E1<TAB>Move:T5 Agent:T1            an event, whose trigger T5 is an entity by its form only
    A1, M1, N1, #1                     attributes, normalizations, notes
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from hmtl.errors import DataError
from hmtl.formats.columns import read_lines, shown
from hmtl.formats.standoff import Entity

TEXT_SUFFIX, ANNOTATION_SUFFIX = ".txt", ".ann"
RELATIONS_OF_EVENTS = "relations of events"
TRIGGERS = "event triggers"
_OTHER_KINDS = {
    "E": "events",
    "A": "attributes",
    "M": "attributes",
    "N": "normalizations",
    "#": "notes",
}
_ENTITY = re.compile(
    r"(?P<type>\S+) (?P<places>[0-9]{1,12} [0-9]{1,12}(?:;[0-9]{1,12} [0-9]{1,12})*)"
)
_RELATION = re.compile(
    r"(?P<type>\S+) (?P<role1>[^\s:]+):(?P<arg1>[TE]\S+) (?P<role2>[^\s:]+):(?P<arg2>[TE]\S+)\s*"
)
_TRIGGER = re.compile(r"[^\s:]+:(?P<name>T\S+)")
_NUMBERED = re.compile(r"(?P<role>.*?)(?P<number>[0-9]{1,9})")


@dataclass(frozen=True, slots=True)
class BinaryRelation:
    """
    # Parameters

    type : `str`
    arg1, arg2 : `str`
        Names of entities, as `T1`.
    roles : `tuple[str, str]`
        What they are in the relation: `Arg1` and `Arg2`, or as the corpus names them. Roles that differ in a
        number stand in the order of their numbers, others as in the file.
    line : `int`
    """

    type: str
    arg1: str
    arg2: str
    roles: tuple[str, str]
    line: int


@dataclass(frozen=True, slots=True)
class Equivalence:
    """
    # Parameters

    type : `str`
        `Equiv`, or as the corpus names it.
    names : `tuple[str, ...]`
        Of the entities that are one.
    line : `int`
    """

    type: str
    names: tuple[str, ...]
    line: int


@dataclass(slots=True)
class Annotations:
    """
    What an `.ann` file says.

    # Parameters

    entities : `dict[str, Entity]`
        By name, in the order of the file; without triggers of events.
    relations : `list[BinaryRelation]`
    equivalences : `list[Equivalence]`
    others : `Counter[str]`
        How many of each kind that has no place in a `Document`.
    """

    entities: dict[str, Entity] = field(default_factory=dict)
    relations: list[BinaryRelation] = field(default_factory=list)
    equivalences: list[Equivalence] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)


def read_annotations(paths: Iterable[Path], text: str, all_quoted: bool = False) -> Annotations:
    """
    What the `.ann` file of a text says (or several: BioNLP keeps `.a1` and `.a2`).

    # Parameters

    paths : `Iterable[Path]`
    text : `str`
        The text they are about.
    all_quoted : `bool`, optional (default = `False`)
        Whether each entity must quote what stands at its place. Else those that quote nothing are believed.

    # Raises

    `DataError`
        With file and line, for whatever the format does not allow, a place outside the text, or a name that
        no entity has.
    """
    annotations = Annotations()
    triggers: set[str] = set()
    for path in paths:
        for number, line in read_lines(path):
            if line.strip():
                _Line(path, number, line, text, all_quoted).add_to(annotations, triggers)
        _check_names(annotations, path)
    for name in triggers & annotations.entities.keys():
        del annotations.entities[name]
        annotations.others[TRIGGERS] += 1
    return annotations


class _Line:
    """One line of an `.ann` file."""

    def __init__(self, path: Path, number: int, line: str, text: str, must_quote: bool) -> None:
        self._path = path
        self._number = number
        self._text = text
        self._must_quote = must_quote
        self._name, _, rest = line.partition("\t")
        self._body, _, self._quote = rest.partition("\t")

    def add_to(self, annotations: Annotations, triggers: set[str]) -> None:
        """Adds what it says, and the name of an event's trigger."""
        kind = self._name[:1]
        if kind == "T":
            self._add_entity(annotations)
        elif kind == "R":
            self._add_relation(annotations)
        elif kind == "*":
            self._add_equivalence(annotations)
        elif kind in _OTHER_KINDS:
            annotations.others[_OTHER_KINDS[kind]] += 1
            trigger = _TRIGGER.match(self._body) if kind == "E" else None
            if trigger is not None:
                triggers.add(trigger["name"])
        else:
            raise self._error(
                f"unknown annotation {shown(self._name)}; expected T, R, *, E, A, M, N or #"
            )

    def _add_entity(self, annotations: Annotations) -> None:
        match = _ENTITY.fullmatch(self._body)
        if match is None:
            raise self._error(
                f"malformed entity {shown(self._body)}; expected 'TYPE begin end', then a tab and its text"
            )
        if self._name in annotations.entities:
            raise self._error(f"a second entity of the name {self._name}")
        pieces = []
        for place in match["places"].split(";"):
            begin, end = map(int, place.split(" "))
            if not begin < end <= len(self._text):
                raise self._error(
                    f"the characters {begin} to {end} are not within the {len(self._text)} of the text"
                )
            pieces.append((begin, end))
        entity = Entity(match["type"], tuple(pieces))
        self._check_quote(entity)
        annotations.entities[self._name] = entity

    def _check_quote(self, entity: Entity) -> None:
        """Blanks and line ends apart, the quoted text must be what stands there: places may be miscounted."""
        covered = " ".join(self._text[begin:end] for begin, end in entity.pieces)
        if (self._quote or self._must_quote) and self._quote.split() != covered.split():
            raise self._error(
                f"the entity quotes {shown(self._quote)}, but at its place stands {shown(covered)}. Places "
                "count characters of the .txt file from 0 (a line end of CR and LF is two)"
            )

    def _add_relation(self, annotations: Annotations) -> None:
        match = _RELATION.fullmatch(self._body)
        if match is None:
            raise self._error(
                f"malformed relation {shown(self._body)}; expected 'TYPE Arg1:T1 Arg2:T2'"
            )
        if "E" in (match["arg1"][0], match["arg2"][0]):
            annotations.others[RELATIONS_OF_EVENTS] += 1
            return
        arguments = [(match["role1"], match["arg1"]), (match["role2"], match["arg2"])]
        (role1, arg1), (role2, arg2) = _in_order(arguments)
        annotations.relations.append(
            BinaryRelation(match["type"], arg1, arg2, (role1, role2), self._number)
        )

    def _add_equivalence(self, annotations: Annotations) -> None:
        kind, *names = self._body.split() or [""]
        if len(names) < 2:
            raise self._error(
                f"malformed equivalence {shown(self._body)}; expected 'Equiv T1 T2', or more names"
            )
        annotations.equivalences.append(Equivalence(kind, tuple(names), self._number))

    def _error(self, message: str) -> DataError:
        return DataError(message, self._path, self._number)


def _in_order(arguments: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Roles with what has them; `Arg1` before `Arg2`, wherever they stand."""
    numbered = [_NUMBERED.fullmatch(role) for role, _ in arguments]
    first, second = numbered
    if first and second and first["role"] == second["role"]:
        return sorted(arguments, key=lambda argument: int(argument[0][len(first["role"]) :]))
    return arguments


def _check_names(annotations: Annotations, path: Path) -> None:
    named: list[tuple[int, tuple[str, ...]]] = [
        (relation.line, (relation.arg1, relation.arg2)) for relation in annotations.relations
    ]
    named += [(equivalence.line, equivalence.names) for equivalence in annotations.equivalences]
    for line, names in named:
        for name in names:
            if name not in annotations.entities:
                raise DataError(f"{name} is named here, but there is no such entity", path, line)
