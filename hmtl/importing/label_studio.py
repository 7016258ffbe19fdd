"""
Label Studio's exports, JSON or JSON-MIN: a .json file of tasks, or a folder of them.

Labelled regions of text become mentions, relations relations, and those of a coreference type clusters. Of
several annotators the ground truth counts if there is one, and else what --annotators says; skipped
annotations do not count, nor do predictions. Tasks without annotation are left out. Regions in HTML, audio or
images, choices, ratings and texts of annotators are left out and counted.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from hmtl.formats.annotated import Document
from hmtl.formats.columns import shown_json
from hmtl.formats.json_files import Fields
from hmtl.formats.label_studio import NAME, TEXT
from hmtl.formats.standoff import Entity, Link, Standoff
from hmtl.importing import annotators, json_corpus
from hmtl.importing.json_corpus import Entry, Quoted, is_number, name_of_record, records_of, settled
from hmtl.importing.standoff import OF_LOST_MENTION, DocumentMaker
from hmtl.importing.tally import Tally

SKIPPED = "skipped by the annotator"
NOT_TEXT = "no labelled stretch of plain text"
NO_LABEL = "has no label"
TWO = "go both ways, and became two"
ONLY_PREDICTED = "has predictions alone, which no annotator accepted"
RELATION, LEFTWARDS, BOTH_WAYS = "relation", "left", "bi"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the format."""
    json_corpus.add_arguments(parser)
    parser.add_argument(
        "--text-field",
        metavar="NAME",
        help="the field of a task's data that holds the text (default: text, or the only string there)",
    )
    annotators.add_arguments(parser, "ground truth", "number or e-mail address")


def run(arguments: argparse.Namespace) -> Tally:
    """Converts a file or a folder."""
    return json_corpus.convert(arguments, Reader(arguments.text_field, arguments.annotators))


@dataclass(frozen=True)
class Reader:
    text_field: str | None
    annotators: str

    def __call__(self, path: Path, maker: DocumentMaker, tally: Tally) -> Iterator[Entry]:
        for fields in _tasks(path, tally):
            with tally.faults:
                task = _Task(fields, self, maker, tally)
                if task.annotations:
                    yield task.name, task.text, task.document


def _tasks(path: Path, tally: Tally) -> Iterator[Fields]:
    """The tasks of a file. Those of JSON-MIN stand there once for each annotation."""
    for _, same in groupby(records_of(path, tally), key=_identity):
        first, *others = same
        if "data" in first or "annotations" in first:
            yield first
            yield from others
        else:
            yield _of_min(first, others)


def _identity(fields: Fields) -> Any:
    """The same for rows of JSON-MIN that are of one task."""
    number = fields.get("id")
    return number if is_number(number) and "annotation_id" in fields else object()


def _of_min(first: Fields, others: list[Fields]) -> Fields:
    """The task that rows of JSON-MIN are of."""
    data = {key: value for key, value in first.items() if isinstance(value, (str, int))}
    annotations = [
        {
            "completed_by": row.get("annotator"),
            "result": [
                {"type": "labels", "id": f"{key}-{number}", "value": region}
                for key, value in row.items()
                if isinstance(value, list)
                for number, region in enumerate(value)
            ],
        }
        for row in (first, *others)
    ]
    content = {"id": first.get("id"), "data": data, "annotations": annotations}
    return Fields(content, first.path, first.line)


class _Task:
    def __init__(self, fields: Fields, reader: Reader, maker: DocumentMaker, tally: Tally) -> None:
        self._fields = fields
        self._maker = maker
        self._tally = tally
        data = fields.get("data")
        if not isinstance(data, dict):
            raise fields.error(
                f"data is {shown_json(data)}; expected an object. Export as JSON or JSON-MIN"
            )
        self.text = self._find_text(data, reader.text_field)
        self.name = name_of_record(fields, data.get(NAME), fields.get("id"))
        self._annotators = reader.annotators
        self.annotations = self._chosen()

    def _find_text(self, data: dict[str, Any], text_field: str | None) -> str:
        name = text_field or TEXT
        if isinstance(data.get(name), str):
            return str(data[name])
        strings = [key for key, value in data.items() if isinstance(value, str)]
        if text_field is None and len(strings) == 1:
            return str(data[strings[0]])
        raise self._fields.error(
            f"data has no string {name}; expected the text there. Say with --text-field which holds it: "
            f"{', '.join(strings) or 'there is no string'}"
        )

    def _chosen(self) -> list[dict[str, Any]]:
        """The annotations that count; several are to be voted on."""
        given = self._fields.list_of("annotations") or self._fields.list_of("completions")
        for annotation in given:
            if not isinstance(annotation, dict):
                raise self._fields.error(
                    f"annotations holds {shown_json(annotation)}; expected objects {{...}}"
                )
        if not given and self._fields.list_of("predictions"):
            self._tally.dropped("documents", ONLY_PREDICTED)
            return []
        valid = [each for each in given if not each.get("was_cancelled")]
        self._tally.dropped("annotations", SKIPPED, len(given) - len(valid))

        def is_settled(annotation: dict[str, Any]) -> object:
            return annotation.get("ground_truth")

        return annotators.chosen(self._annotators, valid, is_settled, _annotator, self._tally)

    def document(self, name: str) -> Document:
        read = [self._standoff(each) for each in self.annotations]
        found = annotators.combined(read, self._maker.is_coreference, self._tally)
        return self._maker.document(name, *found)

    def _standoff(self, annotation: dict[str, Any]) -> Standoff:
        """One annotator's annotations."""
        result = annotation.get("result")
        result = [] if result is None else result
        if not isinstance(result, list) or not all(isinstance(each, dict) for each in result):
            raise self._fields.error(
                f"result is {shown_json(result)}; expected a list of objects {{...}}"
            )
        types: dict[str, list[str]] = {}
        quoted: dict[str, Quoted] = {}
        links: list[tuple[str, dict[str, Any]]] = []
        for number, item in enumerate(result):
            if item.get("type") == RELATION:
                links += [(label, item) for label in self._labels(item, item, RELATION)]
            elif isinstance(item.get("value"), dict):
                name = f"{item.get('id', number)}"
                self._add_region(item, item["value"], name, types, quoted)
        text, places = settled(self._fields, self.text, quoted, self._tally)
        standoff = Standoff(text)
        for name, place in places.items():
            for number, label in enumerate(types[name]):
                # Relations name the region, and with it the first of its labels.
                entity = f"{name} {number}" if number else name
                standoff.entities[entity] = Entity(label, (place,))
        standoff.relations = list(self._links(links, standoff))
        return standoff

    def _add_region(
        self,
        item: dict[str, Any],
        value: dict[str, Any],
        name: str,
        types: dict[str, list[str]],
        quoted: dict[str, Quoted],
    ) -> None:
        kind = str(item.get("type"))
        begin, end = value.get("start"), value.get("end")
        if not kind.endswith("labels") or not (is_number(begin) and is_number(end)):
            self._tally.dropped(f"regions of type {kind}", NOT_TEXT)
        elif name in types:
            raise self._fields.error(f"there are two regions of the id {shown_json(name)}")
        elif labels := self._labels(item, value, kind):
            quote = value.get("text")
            types[name] = labels
            quoted[name] = (begin, end), quote if isinstance(quote, str) else None

    def _labels(self, item: dict[str, Any], holder: dict[str, Any], kind: str) -> list[str]:
        """The labels of a region or relation; one without any is counted."""
        labels = holder.get("labels")
        labels = holder.get(kind) if labels is None else labels
        if labels is not None and not (
            isinstance(labels, list) and all(isinstance(each, str) for each in labels)
        ):
            raise self._fields.error(f"labels is {shown_json(labels)}; expected a list of strings")
        if not labels:
            self._tally.dropped("relations" if kind == RELATION else "mentions", NO_LABEL)
        return list(dict.fromkeys(labels or ()))

    def _links(self, links: list[tuple[str, dict[str, Any]]], standoff: Standoff) -> Iterator[Link]:
        for label, item in links:
            ends = [f"{item.get('from_id')}", f"{item.get('to_id')}"]
            if not standoff.entities.keys() >= set(ends):
                self._tally.dropped("relations", OF_LOST_MENTION)
                continue
            if item.get("direction") == LEFTWARDS:
                ends.reverse()
            yield Link(label, *ends)
            if item.get("direction") == BOTH_WAYS and not self._maker.is_coreference(label):
                self._tally.changed("relations", TWO)
                yield Link(label, *reversed(ends))


def _annotator(annotation: dict[str, Any]) -> tuple[str, ...]:
    """What an annotator may be called by."""
    who = annotation.get("completed_by")
    if isinstance(who, dict):
        return tuple(f"{who[key]}" for key in ("id", "email") if key in who)
    return (f"{who}",)
