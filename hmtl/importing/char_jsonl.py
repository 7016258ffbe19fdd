"""
JSON lines with places of characters, which every script can write: a .jsonl file, or a folder of them.

A line is {"id": "one", "text": "Ada left Selby.", "spans": [[0, 3, "PER"], [9, 14, "GPE"]], "relations":
[[0, 1, "PHYS"]], "clusters": [[0]]}; all but text may be absent. Relations and clusters name spans by their
ids, or, without one, by their place in the list, counted from 0. Spans and relations may also be objects:
{"id", "start", "end", "label"}, with "pieces" for the two where one is discontinuous and "text" to check it,
and {"head", "tail", "label"}. "sentences" gives the places of the words of each sentence; without it the text
is cut. docs/char_jsonl.schema.json describes all of it. Other fields are passed over.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hmtl.formats.annotated import CharacterSlice, Document
from hmtl.formats.columns import shown, shown_json
from hmtl.formats.json_files import Fields
from hmtl.formats.standoff import Entity, Link, Standoff
from hmtl.importing import json_corpus
from hmtl.importing.json_corpus import Entry, label_of, name_of_record, place_of, records_of
from hmtl.importing.standoff import DocumentMaker
from hmtl.importing.tally import Tally

# `meta` is whatever the user likes.
FIELDS = frozenset({"id", "text", "sentences", "spans", "relations", "clusters", "meta"})

add_arguments = json_corpus.add_arguments


def run(arguments: argparse.Namespace) -> Tally:
    """Converts a file or a folder."""
    return json_corpus.convert(arguments, entries)


def entries(path: Path, maker: DocumentMaker, tally: Tally) -> Iterator[Entry]:
    """The documents of a file."""
    for fields in records_of(path, tally):
        with tally.faults:
            record = _Record(fields, maker)
            for key, _ in fields.items():
                if key not in FIELDS:
                    tally.dropped("fields", f"{shown(key)} is none of this format's: misspelt?")
            yield name_of_record(fields, fields.get("id")), record.text, record.document


class _Record:
    def __init__(self, fields: Fields, maker: DocumentMaker) -> None:
        self.fields = fields
        self.text = fields.string("text")
        self._maker = maker
        # By its id, or else its place in the list.
        self._names: dict[str | int, str] = {}

    def document(self, name: str) -> Document:
        standoff = Standoff(self.text, dict(self._entity(*span) for span in self._spans()))
        standoff.relations = [self._relation(each) for each in self.fields.list_of("relations")]
        standoff.clusters = [self._cluster(each) for each in self.fields.list_of("clusters")]
        return self._maker.document(name, standoff, sentences=self._sentences())

    def _spans(self) -> Iterator[tuple[int, dict[str, Any]]]:
        for number, span in enumerate(self.fields.list_of("spans")):
            if isinstance(span, list) and len(span) == 3:
                span = dict(zip(("start", "end", "label"), span))
            if not isinstance(span, dict):
                raise self.fields.error(
                    f"spans holds {shown_json(span)}; expected [start, end, label] or an object"
                )
            yield number, span

    def _entity(self, number: int, span: dict[str, Any]) -> tuple[str, Entity]:
        name = span.get("id", number)
        if isinstance(name, bool) or not isinstance(name, (str, int)) or name in self._names:
            raise self.fields.error(
                f"the span {shown_json(span)} has the id {shown_json(name)}; expected one that "
                "no other has"
            )
        entity = Entity(label_of(self.fields, "span", span), self._pieces(span))
        self._names[name] = f"{number}"
        self._check_quote(span, entity)
        return f"{number}", entity

    def _pieces(self, span: dict[str, Any]) -> tuple[CharacterSlice, ...]:
        given, extent = span.get("pieces"), (span.get("start"), span.get("end"))
        if given is None:
            return (place_of(self.fields, self.text, span, *extent),)
        pieces = tuple(self._places(given, "pieces"))
        if not pieces or extent not in ((None, None), Entity("", pieces).extent):
            raise self.fields.error(
                f"the span {shown_json(span)} has the pieces {shown_json(given)}; expected "
                "the first to begin and the last to end where the span does"
            )
        return pieces

    def _check_quote(self, span: dict[str, Any], entity: Entity) -> None:
        quote = span.get("text")
        covered = " ".join(self.text[begin:end] for begin, end in entity.pieces)
        if isinstance(quote, str) and quote.split() != covered.split():
            raise self.fields.error(
                f"the span {shown_json(span)} covers {shown_json(covered)}. Places count characters "
                "(Unicode code points) from 0, the end exclusive"
            )

    def _places(self, places: Any, what: str) -> list[CharacterSlice]:
        if not isinstance(places, list):
            raise self.fields.error(
                f"{what} holds {shown_json(places)}; expected lists of [start, end]"
            )
        found = []
        length = len(self.text)
        for place in places:
            if not isinstance(place, list) or len(place) != 2:
                raise self.fields.error(f"{what} holds {shown_json(place)}; expected [start, end]")
            begin, end = place
            # There is one for each word: a call of its own takes as long as all else.
            if not (type(begin) is type(end) is int and 0 <= begin <= end <= length):
                place_of(self.fields, self.text, place, begin, end)
            found.append((begin, end))
        return found

    def _relation(self, relation: Any) -> Link:
        if isinstance(relation, list) and len(relation) == 3:
            relation = dict(zip(("head", "tail", "label"), relation))
        if not isinstance(relation, dict):
            raise self.fields.error(
                f"relations holds {shown_json(relation)}; expected [head, tail, label] or an object"
            )
        label = label_of(self.fields, "relation", relation)
        return Link(label, self._named(relation.get("head")), self._named(relation.get("tail")))

    def _cluster(self, cluster: Any) -> list[str]:
        if not isinstance(cluster, list):
            raise self.fields.error(
                f"clusters holds {shown_json(cluster)}; expected lists of spans"
            )
        return [self._named(member) for member in cluster]

    def _named(self, reference: Any) -> str:
        known = isinstance(reference, (str, int)) and not isinstance(reference, bool)
        if not known or reference not in self._names:
            raise self.fields.error(
                f"{shown_json(reference)} names a span, but there is none; expected its id, or its place "
                "in the list, counted from 0"
            )
        return self._names[reference]

    def _sentences(self) -> list[list[CharacterSlice]] | None:
        if self.fields.get("sentences") is None:
            return None
        sentences = [self._places(each, "sentences") for each in self.fields.list_of("sentences")]
        sentences = [words for words in sentences if words]
        end = 0
        for begin, next_end in (place for words in sentences for place in words):
            if begin < end or begin == next_end or self.text[begin:next_end].isspace():
                raise self.fields.error(
                    f"sentences has a word from {begin} to {next_end}; expected words in the order of "
                    "the text, none of them blank, and none inside another"
                )
            end = next_end
        return sentences
