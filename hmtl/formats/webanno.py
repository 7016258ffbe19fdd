"""
Documents as WebAnno TSV 3.3, which WebAnno and INCEpTION read and write
(inception-project.github.io, "WebAnno TSV 3.3 File format"): a sentence a block, a token a row.

Names are annotations of the built-in layer of named entities, clusters chains of the built-in one of
coreference; mentions and relations those of the layers `custom.Span` and `custom.Relation` that INCEpTION's
basic projects have. A span of a relation that is no mention becomes one without a label.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from hmtl.formats.annotated import Document
from hmtl.formats.brackets import LabelledSpan, Span

SUFFIX = ".tsv"
FORMAT = "#FORMAT=WebAnno TSV 3"
TEXT = "#Text="
SPAN_LAYER, CHAIN_LAYER, RELATION_LAYER = "#T_SP=", "#T_CH=", "#T_RL="
BASE_TYPE = "BT_"
NAMED_ENTITY = "de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity"
COREFERENCE_LINK = "de.tudarmstadt.ukp.dkpro.core.api.coref.type.CoreferenceLink"
CUSTOM_SPAN, CUSTOM_RELATION = "custom.Span", "custom.Relation"
# In a cell: no annotation; one without a value; what parts several.
NONE, NO_VALUE, BETWEEN = "_", "*", "|"
# Two of UTF-16's units make a character from here on.
FIRST_OF_TWO_UNITS = "\U00010000"

_RESERVED = re.compile(r"->|[\\\[\]|_;*\t\n\r]")
_IN_TEXT = re.compile(r"[\\\t\r\b\f]")
_ESCAPED = re.compile(r"\\(->|.)")
_LETTERS = {"\t": "t", "\n": "n", "\r": "r", "\b": "b", "\f": "f"}
_CHARACTERS = {letter: character for character, letter in _LETTERS.items()}


def escaped(value: str) -> str:
    """Return a value as it stands in a cell."""
    return _RESERVED.sub(lambda found: "\\" + _LETTERS.get(found[0], found[0]), value)


def unescaped(cell: str) -> str:
    """Return the value, or the text, that a cell or a line holds."""
    if "\\" not in cell:
        return cell
    return _ESCAPED.sub(lambda found: _CHARACTERS.get(found[1], found[1]), cell)


def utf16_places(text: str) -> Sequence[int]:
    """Return for each character of a text, and for its end, the number of UTF-16's units before it."""
    if text.isascii() or max(text) < FIRST_OF_TWO_UNITS:
        return range(len(text) + 1)
    return list(accumulate((1 + (each >= FIRST_OF_TWO_UNITS) for each in text), initial=0))


@dataclass(slots=True)
class _Layer:
    """The annotations of a layer of spans; their cells, by token."""

    header: str
    spans: list[tuple[Span, str]] = field(default_factory=list)
    cells: dict[int, list[str]] = field(default_factory=dict)
    # By span the number of the first annotation there, and of the first of each label, which relations name;
    # 0 where it needs none.
    numbers: dict[Span | LabelledSpan, int] = field(default_factory=dict)

    def fill(self, first_number: int) -> int:
        """Make the cells, with numbers where a token has several or a span several tokens."""
        shared = Counter(token for (start, end), _ in self.spans for token in range(start, end + 1))
        number = first_number
        for span, label in self.spans:
            tokens = range(span[0], span[1] + 1)
            needs_number = len(tokens) > 1 or shared[span[0]] > 1
            number += needs_number
            item = (escaped(label) or NO_VALUE) + (f"[{number}]" if needs_number else "")
            for token in tokens:
                self.cells.setdefault(token, []).append(item)
            for key in (span, (label, span)):
                self.numbers.setdefault(key, number if needs_number else 0)
        return number

    def number(self, argument: LabelledSpan) -> int:
        """That of an argument of a relation."""
        return self.numbers.get(argument, self.numbers[argument[1]])

    def row(self, token: int) -> list[str]:
        return [BETWEEN.join(self.cells.get(token, [NONE]))]


def webanno_lines(document: Document) -> Iterator[str]:
    """
    The lines of a file, without their ends.

    # Parameters

    document : `Document`
        With text and offsets, as `with_text` returns it, and without discontinuous spans.
    """
    text, offsets = document.text, document.offsets()
    if text is None or offsets is None:
        raise ValueError(f"document {document.name!r} has no text; expected what with_text returns")
    bounds = list(document.sentence_bounds())
    names = _Layer(f"{SPAN_LAYER}{NAMED_ENTITY}|value")
    names.spans = [(name.span, name.type) for name in document.names]
    mentions = _Layer(f"{SPAN_LAYER}{CUSTOM_SPAN}|label")
    mentions.spans = [(mention.span, mention.type) for mention in document.mentions]
    covered = {span for span, _ in mentions.spans}
    related = {span for relation in document.relations for span in (relation.arg1, relation.arg2)}
    mentions.spans += [(span, "") for span in sorted(related - covered)]
    number = names.fill(0)
    mentions.fill(number)
    layers = [layer for layer in (names, mentions) if layer.spans]
    chains = _chain_cells(document.clusters)
    relations = _relation_cells(document, mentions, bounds)
    yield "#FORMAT=WebAnno TSV 3.3"
    yield from (layer.header for layer in layers)
    if chains:
        yield f"{CHAIN_LAYER}{COREFERENCE_LINK}|referenceType|referenceRelation"
    if relations:
        yield f"{RELATION_LAYER}{CUSTOM_RELATION}|label|{BASE_TYPE}{CUSTOM_SPAN}"
    yield ""
    places = utf16_places(text)
    for sentence, (first, last) in enumerate(bounds, start=1):
        yield ""
        for line in text[offsets[first][0] : offsets[last][1]].split("\n"):
            yield TEXT + _escaped_text(line)
        for token in range(first, last + 1):
            begin, end = offsets[token]
            cells = [
                f"{sentence}-{token - first + 1}",
                f"{places[begin]}-{places[end]}",
                _escaped_text(text[begin:end].replace("\n", " ")),
            ]
            for layer in layers:
                cells += layer.row(token)
            for other in filter(None, (chains, relations)):
                cells += [BETWEEN.join(column) for column in other.get(token, ([NONE], [NONE]))]
            # The tools end each row with a tab.
            yield "\t".join(cells) + "\t"


def _escaped_text(text: str) -> str:
    return _IN_TEXT.sub(lambda found: "\\" + _LETTERS.get(found[0], found[0]), text)


# Two columns, by token.
_Columns = dict[int, tuple[list[str], list[str]]]


def _chain_cells(clusters: Iterable[Sequence[Span]]) -> _Columns:
    cells: _Columns = {}
    for chain, cluster in enumerate(clusters, start=1):
        for link, (start, end) in enumerate(sorted(cluster), start=1):
            for token in range(start, end + 1):
                types, links = cells.setdefault(token, ([], []))
                types.append(f"{NO_VALUE}[{chain}]")
                links.append(f"{NO_VALUE}->{chain}-{link}")
    return cells


def _relation_cells(document: Document, mentions: _Layer, bounds: Sequence[Span]) -> _Columns:
    """A relation stands where its second argument begins, and names the first token of its first one."""
    firsts = [first for first, _ in bounds]
    cells: _Columns = {}
    for relation in document.relations:
        token = relation.arg1[0]
        sentence = bisect_right(firsts, token)
        address = f"{sentence}-{token - firsts[sentence - 1] + 1}"
        source, target = map(mentions.number, relation.labelled_arguments)
        if source or target:
            address += f"[{source}_{target}]"
        labels, addresses = cells.setdefault(relation.arg2[0], ([], []))
        labels.append(escaped(relation.type) or NO_VALUE)
        addresses.append(address)
    return cells
