"""
WebAnno TSV 3 files: what stands in them. `hmtl.formats.webanno` tells of the format.

A row begins with the number of its sentence and of its token, `1-3`, or of a part of that token, `1-3.1`;
then come its place and its text, and for each layer the columns that the header declares:

    #T_SP=custom.Span|label|comment         spans: a column for each feature
    #T_SP=X|ROLE_X:args_XArgsLink|target    slots of an annotation: two columns, which are not read
    #T_CH=X|referenceType|referenceRelation chains: `type[chain]` and `relation->chain-link`
    #T_RL=X|label|BT_custom.Span            relations, where their target is, with the address of their source
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hmtl.errors import DataError
from hmtl.formats.annotated import CharacterSlice
from hmtl.formats.columns import read_lines, shown
from hmtl.formats.webanno import (
    BASE_TYPE,
    BETWEEN,
    CHAIN_LAYER,
    FORMAT,
    NO_VALUE,
    NONE,
    RELATION_LAYER,
    SPAN_LAYER,
    TEXT,
    unescaped,
    utf16_places,
)
from hmtl.importing.layers import (
    CHAIN,
    RELATION,
    SPAN,
    Layer,
    Layered,
    RelationAnnotation,
    SpanAnnotation,
    Values,
)

_KINDS = {SPAN_LAYER: SPAN, CHAIN_LAYER: CHAIN, RELATION_LAYER: RELATION}
_SLOT = "ROLE_"
_BETWEEN_SLOTS = ";"
_OTHER_FORMAT = re.compile(r"\s*#\s*(FORMAT=|id=|webanno)", re.IGNORECASE)
_TEXT_LINE = re.compile(rb"^" + TEXT.encode() + rb"[^\r\n]*", re.MULTILINE)
_UNIT = re.compile(r"[0-9]{1,9}-[0-9]{1,9}(?P<part>\.[0-9]{1,9})?")
_PLACE = re.compile(r"([0-9]{1,12})-([0-9]{1,12})")
_ITEMS = re.compile(r"(?:[^|\\]|\\.)+")
_NUMBERED = re.compile(r"((?:[^\\\[]|\\.)*)\[([0-9]{1,9})\]")
_LINK = re.compile(r"(?:[^\\]|\\.)*->([0-9]{1,9})-([0-9]{1,9})")
_ADDRESS = re.compile(
    r"([0-9]{1,9}-[0-9]{1,9}(?:\.[0-9]{1,9})?)(?:\[([0-9]{1,9})(?:_([0-9]{1,9}))?\])?"
)

# What tells an annotation from all others of its file.
Key = tuple[int, int | str, int]


def read_tsv(path: Path) -> Layered:
    """
    What a file holds.

    # Raises

    `DataError`
        With file and line, for whatever the format does not allow.
    """
    reader = _Reader(path)
    for number, line in read_lines(path):
        reader.number = number
        reader.add(line)
    return reader.finish()


def read_text(path: Path) -> str:
    """The lines of the text of a file, as they stand there; empty where it cannot be read."""
    try:
        return b"".join(_TEXT_LINE.findall(path.read_bytes())).decode("latin-1")
    except OSError:
        return ""


@dataclass(frozen=True, slots=True)
class _Columns:
    """Which cells of a row a layer has: those of its features, and all."""

    index: int
    layer: Layer
    features: tuple[int, ...]
    first: int
    end: int


@dataclass(frozen=True, slots=True)
class _Pending:
    """A relation whose source may stand further down."""

    columns: _Columns
    values: Values
    source: tuple[str, int]
    target: tuple[str, int]
    line: int


class _Reader:
    def __init__(self, path: Path) -> None:
        self.number = 1
        self._path = path
        self._document = Layered()
        self._layers: list[Layer] = []
        self._links: dict[Key, SpanAnnotation] = {}
        self._columns: list[_Columns] = []
        self._slots: list[int] = []
        self._num_columns = 3
        # How rows end that have none.
        self._no_annotation = ("", "")
        self._bases: set[str] = set()
        self._is_body = False
        self._parts: list[str] = []
        self._length = 0
        # Of the sentence at hand: its text, in lines; its first character, here and in UTF-16 in the file.
        self._lines: list[str] = []
        self._tokens: list[CharacterSlice] | None = None
        self._sentence = ""
        self._units: Sequence[int] = ()
        self._begin = self._units_before = self._units_done = 0
        self._places: dict[str, CharacterSlice] = {}
        self._at: dict[tuple[int, str], list[Key]] = {}
        self._pending: list[_Pending] = []

    def add(self, line: str) -> None:
        """Reads the next line."""
        if self.number == 1 and not line.startswith(FORMAT):
            other = (
                "; this is an older format: export the document as WebAnno TSV 3.3"
                if _OTHER_FORMAT.match(line)
                else ""
            )
            raise self._error(f"the file begins with {shown(line)}; expected '{FORMAT}.3'{other}")
        if not line.strip():
            self._tokens = None
        elif line.startswith(TEXT):
            if self._tokens is not None:
                self._tokens = None
            self._lines.append(unescaped(line[len(TEXT) :]))
        elif line.startswith("#"):
            kind = next((prefix for prefix in _KINDS if line.startswith(prefix)), None)
            if kind:
                self._declare(_KINDS[kind], line[len(kind) :])
        else:
            self._add_row(line)

    def _declare(self, kind: str, declaration: str) -> None:
        name, *fields = declaration.rstrip().split("|")
        if self._is_body or not name:
            raise self._error(
                f"the layer {shown(declaration)} is declared here; expected it at the top"
            )
        fields = [each for each in fields if each]
        base = ""
        if kind == RELATION:
            if not fields or not fields[-1].startswith(BASE_TYPE):
                raise self._error(
                    f"the relations of {shown(name)} do not say what they relate; expected "
                    f"'|{BASE_TYPE}LAYER' at the end"
                )
            base = fields[-1].removeprefix(BASE_TYPE)
            self._bases.add(base)
        if kind == CHAIN and len(fields) != 2:
            raise self._error(f"the chains of {shown(name)} have {len(fields)} columns; expected 2")
        slots = {place for place, each in enumerate(fields) if each.startswith(_SLOT)}
        taken = slots | {place + 1 for place in slots}
        own = [
            place
            for place, each in enumerate(fields)
            if place not in taken and not (base and place == len(fields) - 1)
        ]
        first = self._num_columns
        self._num_columns += max(len(fields), 1)
        self._slots += [first + place for place in slots]
        layer = Layer(name, kind, tuple(fields[place] for place in own), base)
        self._layers.append(layer)
        columns = tuple(first + place for place in own)
        self._columns.append(_Columns(len(self._columns), layer, columns, first, self._num_columns))

    def _add_row(self, line: str) -> None:
        cells = line.split("\t")
        if len(cells) < self._num_columns or len(cells) > self._num_columns + 1:
            raise self._error(
                f"the row has {len(cells)} columns, parted by tabs; expected {self._num_columns}: "
                "sentence-token, place, text, and those of the layers"
            )
        unit = cells[0]
        match = _UNIT.fullmatch(unit)
        if match is None:
            raise self._error(
                f"the row begins with {shown(unit)}; expected sentence and token, as 1-3"
            )
        is_token = match["part"] is None
        place = self._place(cells, is_token)
        if self._places.setdefault(unit, place) is not place:
            raise self._error(f"a second row {unit}; expected each once")
        if is_token:
            assert self._tokens is not None
            if place[0] < place[1]:
                self._tokens.append(place)
        if line.endswith(self._no_annotation):
            return
        for column in self._slots:
            if cells[column] != NONE:
                self._document.num_slots += cells[column].count(_BETWEEN_SLOTS) + 1
        for columns in self._columns:
            first, end = columns.first, columns.end
            if cells[first:end].count(NONE) == end - first:
                continue
            kind = columns.layer.kind
            if kind == SPAN:
                self._add_spans(columns, cells, unit, place)
            elif kind == CHAIN:
                self._add_links(columns, cells, place)
            else:
                self._add_relations(columns, cells, unit)

    def _place(self, cells: Sequence[str], is_token: bool) -> CharacterSlice:
        """The row's place in the text; with the first row of a sentence its text is taken in."""
        match = _PLACE.fullmatch(cells[1])
        if match is None:
            raise self._error(f"the place is {shown(cells[1])}; expected begin and end, as 4-8")
        begin, end = int(match[1]), int(match[2])
        if self._tokens is None:
            self._begin_sentence(begin, cells[2])
        begin, end = begin - self._units_before, end - self._units_before
        units = self._units
        if not 0 <= begin <= end <= units[-1]:
            raise self._error(
                f"the place {cells[1]} is not within the sentence, which has {units[-1]:,} characters (of "
                f"UTF-16) and begins at {self._units_before}"
            )
        if not isinstance(units, range):
            begin, end = bisect_left(units, begin), bisect_left(units, end)
        here = self._sentence[begin:end]
        if is_token and here != cells[2] and here.split() != unescaped(cells[2]).split():
            raise self._error(
                f"the token is {shown(unescaped(cells[2]))}, but at its place, {cells[1]}, stands "
                f"{shown(here)}. Places count UTF-16's units, so that an emoji is two"
            )
        return self._begin + begin, self._begin + end

    def _begin_sentence(self, begin: int, token: str) -> None:
        if not self._lines:
            raise self._error(f"a row stands before '{TEXT}'; expected the sentence's text first")
        self._is_body = True
        none = f"\t{NONE}" * (self._num_columns - 3)
        self._no_annotation = (none, f"{none}\t")
        self._sentence = "\n".join(self._lines)
        self._lines = []
        self._units = utf16_places(self._sentence)
        # White space may stand before the first token.
        lead = max(self._sentence.find(unescaped(token)), 0)
        self._units_before = begin - self._units[lead]
        if self._parts and self._units_before > self._units_done:
            self._parts.append("\n")
            self._length += 1
        self._begin = self._length
        self._parts.append(self._sentence)
        self._length += len(self._sentence)
        self._units_done = self._units_before + self._units[-1]
        self._tokens = []
        self._document.sentences.append(self._tokens)

    def _add_spans(
        self, columns: _Columns, cells: Sequence[str], unit: str, place: CharacterSlice
    ) -> None:
        """Adds the annotations of a row, or the row to annotations that began above."""
        features = columns.features or (columns.first,)
        items = [_items(cells[column]) for column in features]
        if any(len(each) != len(items[0]) for each in items):
            raise self._error(
                f"the columns of {columns.layer.short} hold {', '.join(str(len(each)) for each in items)} "
                "annotations; expected as many in each"
            )
        spans, index = self._document.spans, columns.index
        for number, values in enumerate(zip(*items)):
            identity = next((each for _, each in values if each), 0)
            key: Key = (index, identity, 0) if identity else (index, unit, number)
            span = spans.get(key)
            if span is None:
                own = tuple(value for value, _ in values) if columns.features else ()
                spans[key] = SpanAnnotation(columns.layer, place, own)
            else:
                span.place = min(span.place[0], place[0]), max(span.place[1], place[1])
            if columns.layer.name in self._bases:
                self._at.setdefault((index, unit), []).append(key)

    def _add_links(self, columns: _Columns, cells: Sequence[str], place: CharacterSlice) -> None:
        types, links = (_split(cells[column]) for column in columns.features)
        for number, link in enumerate(links):
            match = _LINK.fullmatch(link)
            if match is None:
                raise self._error(
                    f"the link of {columns.layer.short} is {shown(link)}; expected relation, chain and "
                    "number in it, as *->1-2"
                )
            key: Key = (columns.index, int(match[1]), int(match[2]))
            known = self._links.get(key)
            if known is None:
                label = _item(types[number])[0] if number < len(types) else None
                self._links[key] = SpanAnnotation(columns.layer, place, (label,))
            else:
                known.place = min(known.place[0], place[0]), max(known.place[1], place[1])

    def _add_relations(self, columns: _Columns, cells: Sequence[str], unit: str) -> None:
        addresses = _split(cells[columns.end - 1])
        items = [_items(cells[column]) for column in columns.features]
        if any(len(each) != len(addresses) for each in items):
            raise self._error(
                f"{columns.layer.short} has {len(addresses)} addresses, but not as many values; expected "
                "one of each for each relation"
            )
        for number, address in enumerate(addresses):
            match = _ADDRESS.fullmatch(address)
            if match is None:
                raise self._error(
                    f"the address of {columns.layer.short} is {shown(address)}; expected that of a token, "
                    "as 1-3 or 1-3[2_1]"
                )
            values = tuple(each[number][0] for each in items)
            source, target = (match[1], int(match[2] or 0)), (unit, int(match[3] or 0))
            self._pending.append(_Pending(columns, values, source, target, self.number))

    def finish(self) -> Layered:
        """The document, all relations with what they relate."""
        document = self._document
        document.sentences = [sentence for sentence in document.sentences if sentence]
        document.text = "".join(self._parts)
        layers = {layer.name: index for index, layer in enumerate(self._layers)}
        for pending in self._pending:
            self.number = pending.line
            layer = pending.columns.layer
            base = layers.get(layer.base)
            source, target = (
                self._resolved(base, layer, *address)
                for address in (pending.source, pending.target)
            )
            document.relations.append(RelationAnnotation(layer, source, target, pending.values))
        chains: dict[tuple[int, int | str], list[SpanAnnotation]] = {}
        for (layer_number, chain, _), link in sorted(self._links.items()):
            chains.setdefault((layer_number, chain), []).append(link)
        document.chains = list(chains.values())
        return document

    def _resolved(
        self, base: int | None, layer: Layer, unit: str, identity: int
    ) -> Key | CharacterSlice:
        """The annotation at an address; of several without a number the first that begins there."""
        place = self._places.get(unit)
        if place is None:
            raise self._error(f"{layer.short} names the row {unit}, but there is none")
        if base is None:
            return place
        there = self._at.get((base, unit), [])
        if identity:
            key: Key = (base, identity, 0)
            if key in there:
                return key
        elif there:
            begin = [key for key in there if self._document.spans[key].place[0] == place[0]]
            return (begin or there)[0]
        raise self._error(
            f"{layer.short} relates what is at {unit}{f'[{identity}]' if identity else ''}, but no such "
            f"annotation of {layer.base} is there"
        )

    def _error(self, message: str) -> DataError:
        return DataError(message, self._path, self.number)


def _split(cell: str) -> list[str]:
    """The annotations of a cell."""
    if cell == NONE:
        return []
    if "\\" not in cell:
        return cell.split(BETWEEN)
    return _ITEMS.findall(cell)


def _items(cell: str) -> list[tuple[str | None, int]]:
    """Value and number of each annotation in a cell; 0 where it needs none."""
    if cell == NONE:
        return []
    return [_item(each) for each in _split(cell)]


def _item(item: str) -> tuple[str | None, int]:
    number = 0
    if item.endswith("]"):
        match = _NUMBERED.fullmatch(item)
        if match:
            item, number = match[1], int(match[2])
    return (None if item in ("", NO_VALUE, NONE) else unescaped(item)), number
