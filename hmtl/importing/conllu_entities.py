"""
Mentions in the brackets of `Entity=` in the last column of CoNLL-U, as GUM and CorefUD write them.

`(e1-person-1` opens a mention of the entity e1, `e1)` closes it, `(e1-person-1)` is one of a single word; a
cell holds any number of them. `# global.Entity = eid-etype-head` tells what the fields are. A mention in
pieces has its pieces numbered: `(e1[1/2]-person`. The head is told by its place among the mention's words,
counted from 1, or by those of the least that a system must find, as `2,3`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from hmtl.formats.brackets import Span
from hmtl.formats.columns import Rows, shown
from hmtl.formats.conllu import ENTITY_FIELDS, ID, MISC, ConlluDocument

# What the fields that are read are called: by CorefUD, and by GUM before it.
IDS, TYPES = ("eid", "GRP"), ("etype", "entity")
HEADS = ("head", "minspan", "MIN")

_ENTITY = re.compile(r"(?:^|\|)Entity=([^|]*)")
_BRACKETS = re.compile(r"(?:\([^()]+\)?|[^()]+\))+")
_BRACKET = re.compile(r"(?P<opens>\()?(?P<fields>[^()]+)(?P<closes>\))?")
_PIECE = re.compile(r"(?P<entity>.+)\[(?P<number>[0-9]{1,9})/(?P<count>[0-9]{1,9})\]")
_PLACE = re.compile(r"[0-9]{1,9}")


@dataclass(slots=True)
class EntityMention:
    """
    # Parameters

    entity : `str`
        The same for mentions that corefer.
    type : `str`
        Empty where the file tells none.
    pieces : `list[Span]`
        Words of the document, both ends inclusive; several where the mention is discontinuous, and
        none where it covers only words that are not written.
    nodes : `list[int]`
        The same one by one, with -1 for each that is not written.
    told_head : `str`
        Which of the nodes are its head, or the least of it that a system must find, as the file tells.
    """

    entity: str
    type: str
    pieces: list[Span] = field(default_factory=list)
    nodes: list[int] = field(default_factory=list)
    told_head: str = ""

    @property
    def head(self) -> Span | None:
        """From the first to the last word of its head; `None` where the file tells none that is written."""
        places = [int(place) for place in self.told_head.split(",") if _PLACE.fullmatch(place)]
        words = [self.nodes[place - 1] for place in places if 0 < place <= len(self.nodes)]
        return (min(words), max(words)) if words and min(words) >= 0 else None


@dataclass(slots=True)
class _Open:
    mention: EntityMention
    start: int
    node: int
    rows: Rows
    row: int


def read_entities(document: ConlluDocument) -> list[EntityMention]:
    """
    The mentions of a document, in the order in which they begin.

    # Raises

    `DataError`
        With file and line, for brackets that are malformed or have no partner, and if there is no
        `# global.Entity` that says what stands in them.
    """
    reader = _Reader(document.entity_fields)
    first = 0
    for sentence in document.sentences:
        is_word = set(sentence.words)
        for row, cells in enumerate(sentence.rows.cells):
            # An empty node stands between two words: what begins there begins with the next.
            is_written = row in is_word
            if "-" not in cells[ID]:
                reader.nodes.append(first if is_written else -1)
                if found := _ENTITY.search(cells[MISC]):
                    end = first if is_written else first - 1
                    reader.add(found[1], sentence.rows, row, first, end)
            first += is_written
    return reader.finish()


class _Reader:
    def __init__(self, fields: Sequence[str]) -> None:
        self._fields = fields
        self._id, self._type = _index(fields, IDS), _index(fields, TYPES)
        self._head = _index(fields, HEADS)
        # The word that each node so far is, -1 for one that is not written.
        self.nodes: list[int] = []
        self._mentions: list[EntityMention] = []
        # By what tells mentions apart that are open at once; those of one entity close last in, first out.
        self._open: dict[str, list[_Open]] = {}
        self._unfinished: dict[str, EntityMention] = {}

    def add(self, cell: str, rows: Rows, row: int, start: int, end: int) -> None:
        """The brackets of a cell, where mentions begin with the word `start` and end with `end`."""
        if self._id is None:
            raise rows.error(
                f"Entity={shown(cell)}, but no '# {ENTITY_FIELDS} = ' above says what its fields are; "
                f"expected a line such as '# {ENTITY_FIELDS} = eid-etype', with {' or '.join(IDS)} in it",
                row,
            )
        if not _BRACKETS.fullmatch(cell):
            raise rows.error(
                f"malformed Entity={shown(cell)} (column {MISC + 1}); expected '(e1-type', 'e1)' or "
                "'(e1-type)', any number of them",
                row,
            )
        for bracket in _BRACKET.finditer(cell):
            fields = bracket["fields"].split("-", len(self._fields) - 1)
            # A bracket that closes names its entity only.
            key = fields[self._id] if self._id < len(fields) else fields[0]
            if bracket["opens"]:
                mention = self._mention(key, fields, rows, row)
                self._open.setdefault(key, []).append(
                    _Open(mention, start, len(self.nodes) - 1, rows, row)
                )
            if bracket["closes"]:
                self._close(key, cell, end, rows, row)

    def _mention(self, key: str, fields: Sequence[str], rows: Rows, row: int) -> EntityMention:
        """The mention that begins, or goes on, where a bracket opens."""
        piece = _PIECE.fullmatch(key)
        entity = piece["entity"] if piece else key
        if piece and int(piece["number"]) > 1:
            if entity not in self._unfinished:
                raise rows.error(
                    f"{shown('(' + key)} is no first piece of its mention; expected "
                    f"'({entity}[1/{piece['count']}]' before it",
                    row,
                )
            return self._unfinished[entity]
        has_type = self._type is not None and self._type < len(fields)
        mention = EntityMention(entity, fields[self._type or 0] if has_type else "")
        if self._head is not None and self._head < len(fields):
            mention.told_head = fields[self._head]
        self._mentions.append(mention)
        if piece:
            self._unfinished[entity] = mention
        return mention

    def _close(self, key: str, cell: str, end: int, rows: Rows, row: int) -> None:
        if not self._open.get(key):
            raise rows.error(
                f"Entity={shown(cell)} closes a mention of {shown(key)}, but none is open; expected "
                f"'({key}' before it in the document",
                row,
            )
        opened = self._open[key].pop()
        opened.mention.nodes += self.nodes[opened.node :]
        if opened.start <= end:
            opened.mention.pieces.append((opened.start, end))

    def finish(self) -> list[EntityMention]:
        for opened in self._all_open():
            raise opened.rows.error(
                f"the mention of {shown(opened.mention.entity)} is never closed; expected "
                f"'{opened.mention.entity})' on a later row of the document",
                opened.row,
            )
        return self._mentions

    def _all_open(self) -> Iterator[_Open]:
        return (opened for several in self._open.values() for opened in several)


def _index(fields: Sequence[str], names: Sequence[str]) -> int | None:
    return next((index for index, name in enumerate(fields) if name in names), None)
