"""
Prodigy's JSON lines, as `prodigy db-out` writes them: a .jsonl file, or a folder of them.

Spans become mentions, relations relations, and relations of a coreference type clusters. Of what was answered
only accepted texts are read; rejected and ignored ones are left out and counted. The tokens of a task are its
words; without them the text is cut. Of several answers to one text the first counts. Choices, images and
labels of whole texts are passed over.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from hmtl.formats.annotated import CharacterSlice, Document
from hmtl.formats.columns import shown_json
from hmtl.formats.json_files import Fields
from hmtl.formats.prodigy import META, NAME
from hmtl.formats.standoff import NO_TYPE, Entity, Link, Standoff
from hmtl.importing import json_corpus
from hmtl.importing.json_corpus import (
    Entry,
    is_number,
    label_of,
    name_of_record,
    objects_in,
    place_of,
    records_of,
)
from hmtl.importing.standoff import DocumentMaker
from hmtl.importing.tally import Tally

ACCEPT = "accept"
ANSWERS = (ACCEPT, "reject", "ignore")
ANSWERED = "answered with '{}'"
NO_LABEL = "has no label"
NO_TEXT = "has no text"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the format."""
    json_corpus.add_arguments(parser)
    parser.add_argument(
        "--session",
        metavar="NAME",
        help="read only what was answered in one session (_session_id, or _annotator_id)",
    )


def run(arguments: argparse.Namespace) -> Tally:
    """Converts a file or a folder."""
    return json_corpus.convert(arguments, partial(entries, arguments.session))


def entries(session: str | None, path: Path, maker: DocumentMaker, tally: Tally) -> Iterator[Entry]:
    """The documents of a file; what was not accepted is counted."""
    for fields in records_of(path, tally):
        with tally.faults:
            answer = fields.get("answer")
            if answer is not None and answer not in ANSWERS:
                raise fields.error(
                    f"answer is {shown_json(answer)}; expected one of {', '.join(ANSWERS)}"
                )
            if session not in (None, fields.get("_session_id"), fields.get("_annotator_id")):
                tally.dropped("documents", "answered in another session")
            elif answer not in (None, ACCEPT):
                tally.dropped("documents", ANSWERED.format(answer))
            elif "text" not in fields:
                tally.dropped("documents", NO_TEXT)
            else:
                task = _Task(fields, maker, tally)
                yield task.name, task.text, task.document


class _Task:
    def __init__(self, fields: Fields, maker: DocumentMaker, tally: Tally) -> None:
        self._fields = fields
        self._maker = maker
        self._tally = tally
        self.text = fields.string("text")
        meta = fields.get(META)
        meta = meta if isinstance(meta, dict) else {}
        self.name = name_of_record(fields, meta.get(NAME), fields.get("_input_hash"))
        # By place the names of the spans there; those of a label too.
        self._named: dict[tuple[CharacterSlice, str | None], str] = {}

    def document(self, name: str) -> Document:
        standoff = Standoff(self.text)
        for span in objects_in(self._fields, "spans"):
            self._add(span, self._place(span), span.get("label"), standoff)
        words = self._tokens()
        standoff.relations = [
            self._link(relation, words, standoff)
            for relation in objects_in(self._fields, "relations")
        ]
        blankless = [place for place in words if self.text[slice(*place)].strip()]
        return self._maker.document(name, standoff, words=blankless or None)

    def _add(self, span: Any, place: CharacterSlice, label: Any, standoff: Standoff) -> str | None:
        if not isinstance(label, str) or not label.strip():
            if label:
                label_of(self._fields, "span", span)
            self._tally.dropped("mentions", NO_LABEL)
            return None
        name = f"{len(standoff.entities)}"
        standoff.entities[name] = Entity(label, (place,))
        self._named.setdefault((place, label), name)
        self._named.setdefault((place, None), name)
        return name

    def _place(self, span: dict[str, Any]) -> CharacterSlice:
        return place_of(self._fields, self.text, span, span.get("start"), span.get("end"))

    def _tokens(self) -> list[CharacterSlice]:
        places = [self._place(token) for token in objects_in(self._fields, "tokens")]
        end = 0
        for begin, next_end in places:
            if begin < end or begin == next_end:
                raise self._fields.error(
                    f"tokens has one from {begin} to {next_end}; expected tokens in the order of the text, "
                    "and none inside another"
                )
            end = next_end
        return places

    def _link(
        self, relation: dict[str, Any], tokens: list[CharacterSlice], standoff: Standoff
    ) -> Link:
        label = label_of(self._fields, "relation", relation)
        arguments = [self._argument(relation, end, tokens, standoff) for end in ("head", "child")]
        return Link(label, *arguments)

    def _argument(
        self,
        relation: dict[str, Any],
        end: str,
        tokens: list[CharacterSlice],
        standoff: Standoff,
    ) -> str:
        """The span that a relation names: by its characters, or by a token that it ends at, or that alone."""
        span = relation.get(f"{end}_span")
        if isinstance(span, dict):
            place = self._place(span)
            label = span["label"] if isinstance(span.get("label"), str) else None
        else:
            number = relation.get(end)
            if not is_number(number) or not 0 <= number < len(tokens):
                raise self._fields.error(
                    f"the relation {shown_json(relation)} has the {end} {shown_json(number)}; expected one "
                    f"of the {len(tokens)} tokens, counted from 0"
                )
            place, label = tokens[number], None
            ending = [at for at, of in self._named if of is None and at[1] == place[1]]
            place = min(ending, default=place)
        found = self._named.get((place, label)) or self._named.get((place, None))
        if found is None:
            found = f"{len(standoff.entities)}"
            standoff.entities[found] = Entity(NO_TYPE, (place,))
            self._named[place, None] = found
        return found
