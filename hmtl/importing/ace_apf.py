"""
The `.apf.xml` files of ACE (ACE Program Format): entities with their mentions, values, times and relations.

That of 2005 (`apf.v5.1.1.dtd`) and that of 2004 (`apf.v4.0.1.dtd`), which names the arguments of relations
otherwise. Events are not read.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from os import PathLike

from hmtl.errors import DataError
from hmtl.formats.annotated import CharacterSlice
from hmtl.importing.safe_xml import Element, read_xml

# The two arguments of a relation, as `ROLE` (2005) or `ARGNUM` (2004) names them.
_FIRST_ARGUMENT = ("Arg-1", "1")
_SECOND_ARGUMENT = ("Arg-2", "2")
_ARGUMENTS = ("relation_mention_argument", "rel_mention_arg")
_TIMES = ("relation_mention_time", "rel_mention_time")
_TIME_TYPE = "TIMEX2"


@dataclass(frozen=True, slots=True)
class Extent:
    """
    A stretch of the text.

    # Parameters

    slice : `CharacterSlice`
        Begin, and end (exclusive; the file itself gives the last character).
    text : `str`
        What stands there, as the file repeats it.
    line : `int`
        The line of the annotation, counted from 1.
    """

    slice: CharacterSlice
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class EntityMention:
    """
    # Parameters

    id, entity, type : `str`
        `entity` is the id of what it refers to; `type` is that of the entity, such as `GPE`.
    head : `Extent`, optional
        `None` where the annotation has none.
    """

    id: str
    entity: str
    type: str
    head: Extent | None


@dataclass(frozen=True, slots=True)
class RelationMention:
    """
    # Parameters

    type : `str`
    arg1, arg2 : `str`
        The ids of the mentions; empty where there is none.
    """

    type: str
    arg1: str
    arg2: str


@dataclass(slots=True)
class ApfDocument:
    """
    # Parameters

    mentions : `list[EntityMention]`
    relations : `list[RelationMention]`
    values, times : `list[tuple[str, Extent]]`
        Type and extent; they have no heads.
    left_arguments : `Counter[str]`
        Arguments of relations that are neither the first nor the second, by role (`Time-Within`, ...).
    """

    mentions: list[EntityMention] = field(default_factory=list)
    relations: list[RelationMention] = field(default_factory=list)
    values: list[tuple[str, Extent]] = field(default_factory=list)
    times: list[tuple[str, Extent]] = field(default_factory=list)
    left_arguments: Counter[str] = field(default_factory=Counter)


def read_apf(path: str | PathLike[str]) -> ApfDocument:
    """
    # Raises

    `DataError`
        With file and line, where the file is no such XML.
    """
    root = read_xml(path)
    if root.tag != "source_file" or root.find("document") is None:
        raise DataError(
            f"the root is <{root.tag}>; expected <source_file> with a <document> inside, as in ACE's "
            "annotation",
            path,
            root.line,
        )
    document = ApfDocument()
    reader = _Reader(path)
    for entity in root.descendants("entity"):
        document.mentions += reader.entity_mentions(entity)
    for relation in root.descendants("relation"):
        for mention in relation.descendants("relation_mention"):
            document.relations.append(reader.relation_mention(relation, mention, document))
    for value in root.descendants("value"):
        kind = reader.attribute(value, "TYPE")
        document.values += reader.extents(value, "value_mention", kind)
    for time in root.descendants("timex2"):
        document.times += reader.extents(time, "timex2_mention", _TIME_TYPE)
    return document


class _Reader:
    def __init__(self, path: str | PathLike[str]) -> None:
        self._path = path

    def entity_mentions(self, entity: Element) -> list[EntityMention]:
        identity, kind = self.attribute(entity, "ID"), self.attribute(entity, "TYPE")
        mentions = []
        for mention in entity.descendants("entity_mention"):
            head = mention.find("head")
            extent = None if head is None else self._extent(head)
            mentions.append(EntityMention(self.attribute(mention, "ID"), identity, kind, extent))
        return mentions

    def relation_mention(
        self, relation: Element, mention: Element, document: ApfDocument
    ) -> RelationMention:
        first = second = ""
        for argument in mention.descendants(*_ARGUMENTS, *_TIMES):
            role = argument.attributes.get("ROLE") or argument.attributes.get("ARGNUM", "")
            if argument.tag not in _TIMES and role in _FIRST_ARGUMENT:
                first = self._reference(argument)
            elif argument.tag not in _TIMES and role in _SECOND_ARGUMENT:
                second = self._reference(argument)
            else:
                document.left_arguments[role or argument.attributes.get("TYPE", "time")] += 1
        return RelationMention(self.attribute(relation, "TYPE"), first, second)

    def extents(self, parent: Element, tag: str, kind: str) -> list[tuple[str, Extent]]:
        """The extents of all mentions of a value or a time."""
        found = []
        for mention in parent.descendants(tag):
            extent = mention.find("extent")
            if extent is None:
                raise self._error(f"<{tag}> without <extent>", mention)
            found.append((kind, self._extent(extent)))
        return found

    def attribute(self, element: Element, name: str) -> str:
        value = element.attributes.get(name, "").strip()
        if not value:
            raise self._error(f"<{element.tag}> without {name}", element)
        return value

    def _reference(self, argument: Element) -> str:
        name = "REFID" if "REFID" in argument.attributes else "ENTITYMENTIONID"
        return self.attribute(argument, name)

    def _extent(self, parent: Element) -> Extent:
        charseq = parent.find("charseq")
        if charseq is None:
            raise self._error(f"<{parent.tag}> without <charseq>", parent)
        begin, last = (self._offset(charseq, name) for name in ("START", "END"))
        if begin > last:
            raise self._error(
                f"START is {begin} and END {last}; expected END not before START", charseq
            )
        return Extent((begin, last + 1), charseq.text, charseq.line)

    def _offset(self, charseq: Element, name: str) -> int:
        value = self.attribute(charseq, name)
        if not re.fullmatch("[0-9]{1,12}", value):
            raise self._error(f"{name} is {value!r}; expected the number of a character", charseq)
        return int(value)

    def _error(self, message: str, element: Element) -> DataError:
        return DataError(message, self._path, element.line)
