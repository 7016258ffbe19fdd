"""
doccano's JSON lines: a .jsonl file as it exports it, or a folder of them.

Read are sequence labelling ("label" or "labels" with [start, end, label]) and the form of relations
("entities" and "relations"). Relations of a coreference type become clusters. Of several annotators' files
the first counts for each text; the others are left out and counted. Comments and metadata are passed over.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hmtl.formats.annotated import Document
from hmtl.formats.columns import shown_json
from hmtl.formats.doccano import NAME
from hmtl.formats.json_files import Fields
from hmtl.formats.standoff import Entity, Link, Standoff
from hmtl.importing import json_corpus
from hmtl.importing.json_corpus import (
    Entry,
    is_number,
    name_of_record,
    objects_in,
    place_of,
    records_of,
)
from hmtl.importing.standoff import DocumentMaker
from hmtl.importing.tally import Tally

LABELS = ("label", "labels")
# doccano's name of the text, unless a project was imported with another.
TEXT = ("text", "data")

add_arguments = json_corpus.add_arguments


def run(arguments: argparse.Namespace) -> Tally:
    """Converts a file or a folder."""
    return json_corpus.convert(arguments, entries)


def entries(path: Path, maker: DocumentMaker, tally: Tally) -> Iterator[Entry]:
    """The documents of a file."""
    for fields in records_of(path, tally):
        with tally.faults:
            record = _Record(fields, maker)
            yield record.name, record.text, record.document


class _Record:
    def __init__(self, fields: Fields, maker: DocumentMaker) -> None:
        self._fields = fields
        self._maker = maker
        self.text = fields.string(*TEXT)
        meta = fields.get("meta")
        meta = meta if isinstance(meta, dict) else {}
        self.name = name_of_record(fields, fields.get(NAME), meta.get(NAME), fields.get("id"))

    def document(self, name: str) -> Document:
        if "entities" in self._fields:
            both = next((key for key in LABELS if self._fields.get(key)), None)
            if both:
                raise self._fields.error(f"has both entities and {both}; expected one of them")
            entities = dict(map(self._entity, objects_in(self._fields, "entities")))
            if len(entities) < len(self._fields.list_of("entities")):
                raise self._fields.error("entities has two of one id; expected an id for each")
        else:
            entities = {f"{number}": each for number, each in enumerate(self._triples())}
        relations = [
            self._relation(each, entities) for each in objects_in(self._fields, "relations")
        ]
        return self._maker.document(name, Standoff(self.text, entities, relations))

    def _triples(self) -> Iterator[Entity]:
        key = next((key for key in LABELS if key in self._fields), None)
        if key is None:
            raise self._fields.error(
                f"there is none of {', '.join(LABELS)} and entities. Export as JSONL with the texts of labels"
            )
        for triple in self._fields.list_of(key):
            if not isinstance(triple, list) or len(triple) != 3 or not isinstance(triple[2], str):
                raise self._fields.error(
                    f"{key} holds {shown_json(triple)}; expected [start, end, label]"
                )
            yield Entity(triple[2], (place_of(self._fields, self.text, triple, *triple[:2]),))

    def _entity(self, entity: dict[str, Any]) -> tuple[str, Entity]:
        label, number = entity.get("label"), entity.get("id")
        if not isinstance(label, str) or not is_number(number):
            raise self._fields.error(
                f"entities holds {shown_json(entity)}; expected a number as its id, and a string as its label"
            )
        place = entity.get("start_offset"), entity.get("end_offset")
        return f"{number}", Entity(label, (place_of(self._fields, self.text, entity, *place),))

    def _relation(self, relation: dict[str, Any], entities: dict[str, Entity]) -> Link:
        label = relation.get("type")
        if not isinstance(label, str):
            raise self._fields.error(
                f"relations holds {shown_json(relation)}; expected a string as its type"
            )
        arguments = [relation.get("from_id"), relation.get("to_id")]
        for number in arguments:
            if not is_number(number) or f"{number}" not in entities:
                raise self._fields.error(
                    f"the relation {shown_json(relation)} names {shown_json(number)}, but no entity has "
                    "that id"
                )
        return Link(label, *map(str, arguments))
