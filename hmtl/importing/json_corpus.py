"""What importers of JSON from annotation tools share: a record is a text with places of characters in it."""

from __future__ import annotations

import argparse
import logging
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeGuard

from hmtl.formats.annotated import CharacterSlice, Document
from hmtl.formats.columns import shown, shown_json
from hmtl.formats.json_files import Fields
from hmtl.formats.json_records import read_records
from hmtl.formats.webanno import FIRST_OF_TWO_UNITS
from hmtl.importing import corpus_writer, splits, standoff
from hmtl.importing.naming import UniqueNames
from hmtl.importing.sources import files_in, part_that_tells
from hmtl.importing.standoff import DocumentMaker
from hmtl.importing.tally import Tally

logger = logging.getLogger(__name__)

SUFFIXES = (".json", ".jsonl", ".ndjson")
NOT_QUOTED = "does not stand at its place, or quotes something else"
IN_UTF16 = "places counted the units of UTF-16"
IN_CHARACTERS = "places that quote no words are taken for characters, not for units of UTF-16"
# So many of those that do not are told one by one.
WARNINGS = 10
AGAIN = "has the id and the text of one that came before"

# A place, and the words that its annotation says stand there; `None` if it says none.
Quoted = tuple[CharacterSlice, str | None]
# A document that can be made: what its record calls it, its text, and what makes it, given its name.
Entry = tuple[str, str, Callable[[str], Document]]
# The documents of a file; what is left out is counted in the tally.
Entries = Callable[[Path, DocumentMaker, Tally], Iterator[Entry]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of an importer that ends with `convert`."""
    standoff.add_arguments(parser)
    corpus_writer.add_arguments(parser, default_layout="like_conll")


def convert(arguments: argparse.Namespace, entries: Entries) -> Tally:
    """
    Converts a file or a folder; one document is in memory at a time.

    # Parameters

    arguments : `argparse.Namespace`
    entries : `Entries`
        Gives the documents of a file, the same each time. What makes one is called once, or not at all.
    """
    tally = Tally()
    maker = DocumentMaker(arguments, tally)
    files = files_in(arguments.source, SUFFIXES)

    def all_entries(tally: Tally) -> Iterator[tuple[str, Path, Callable[[str], Document]]]:
        names = UniqueNames(tally)
        seen: dict[str, set[int]] = {}
        for file in files:
            for name, text, make in entries(file, maker, tally):
                same_name = seen.setdefault(name, set())
                if hash(text) in same_name:
                    # In another split it would be trained on and scored.
                    tally.dropped("documents", AGAIN)
                    continue
                same_name.add(hash(text))
                yield names.of(name), file, make

    def documents() -> Iterator[Document]:
        for name, _, make in all_entries(tally):
            with tally.faults:
                yield make(name)

    own: dict[str, str] = {}
    if not (arguments.split or arguments.split_lists):
        left = Tally()
        own = {name: part_that_tells(file, arguments.source) for name, file, _ in all_entries(left)}
        if left.faults:
            # The others show where documents are made.
            deque(documents(), maxlen=0)
            tally.faults.check()
        if not own:
            raise left.nothing_left(arguments.source)
    division = splits.choose(arguments, own.keys, splits.of_source(own))
    corpus_writer.write_corpus(arguments, documents(), division, tally, len(own) or None)
    return tally


def records_of(path: Path, tally: Tally) -> Iterator[Fields]:
    """The objects of a file; the faults of others are taken in."""
    for line, content in read_records(path, tally.faults.add, tally.replaced):
        with tally.faults:
            yield Fields(content, path, line)


def name_of_record(fields: Fields, *values: Any) -> str:
    """The first of several values that can name a document; else its file and line do."""
    for value in values:
        if isinstance(value, (str, int)) and not isinstance(value, bool) and value != "":
            return str(value)
    return f"{fields.path.stem}:{fields.line}"


def label_of(fields: Fields, what: str, labelled: Mapping[str, Any]) -> str:
    """
    The label of a span or a relation.

    # Raises

    `DataError`
        If it is no string, or blank.
    """
    label = labelled.get("label")
    if not isinstance(label, str) or not label.strip():
        raise fields.error(
            f"the {what} {shown_json(labelled)} has the label {shown_json(label)}; expected a string"
        )
    return label


def place_of(fields: Fields, text: str, what: Any, begin: Any, end: Any) -> CharacterSlice:
    """
    The characters from one to another.

    # Raises

    `DataError`
        If they are not in the text.
    """
    if not (is_number(begin) and is_number(end) and 0 <= begin <= end <= len(text)):
        raise fields.error(
            f"{shown_json(what)} begins at {shown_json(begin)} and ends at {shown_json(end)}; expected two "
            f"of the {len(text)} characters of the text, counted from 0, the end exclusive"
        )
    return begin, end


def settled(
    fields: Fields, text: str, quoted: Mapping[str, Quoted], tally: Tally
) -> tuple[str, dict[str, CharacterSlice]]:
    """
    The places of what quotes the words that stand there, and the text that they are in. Where the quotes do
    not stand at their places, but all would if characters were counted otherwise, they are taken as they
    were counted. Else those that do not, and those that are not in the text, are left out, counted and told.
    """
    if all(quote is None for _, quote in quoted.values()):
        quoted = _as_counted(text, quoted, tally)
    if _all_fit(text, quoted):
        return text, {name: place for name, (place, _) in quoted.items()}
    if any(quote is not None for _, quote in quoted.values()):
        for how, as_counted in standoff.OTHER_COUNTS.items():
            other = as_counted(text)
            if _all_fit(other, quoted):
                tally.changed("documents", how)
                return other, {name: place for name, (place, _) in quoted.items()}
        points = {name: (_in_points(text, place), quote) for name, (place, quote) in quoted.items()}
        if _all_fit(text, points):
            tally.changed("documents", IN_UTF16)
            return text, {name: place for name, (place, _) in points.items()}
    places = {}
    for name, (place, quote) in quoted.items():
        if _fits(text, place, quote):
            places[name] = place
            continue
        tally.dropped("mentions", NOT_QUOTED)
        if tally.num_left_out["mentions", NOT_QUOTED] <= WARNINGS:
            told = f"is not within the {len(text)} characters of the text"
            if 0 <= place[0] <= place[1] <= len(text):
                told = f"quotes {shown(quote or '')}, but there stands {shown(text[slice(*place)])}"
            logger.warning(
                "%s:%s: left out: %s, from %d to %d, %s",
                *(fields.path, fields.line, name, *place, told),
            )
    return text, places


def _as_counted(text: str, quoted: Mapping[str, Quoted], tally: Tally) -> Mapping[str, Quoted]:
    """
    Places of which none quotes words: in characters, or in units of UTF-16, of which some characters have
    two, where fewer of them then begin or end inside a word.
    """
    if text.isascii() or max(text) < FIRST_OF_TWO_UNITS:
        return quoted
    points = {name: (_in_points(text, place), None) for name, (place, _) in quoted.items()}
    if points == quoted:
        return quoted
    in_units = _num_inside(text, points) < _num_inside(text, quoted)
    tally.changed("documents", IN_UTF16 if in_units else IN_CHARACTERS)
    return points if in_units else quoted


def _num_inside(text: str, quoted: Mapping[str, Quoted]) -> int:
    """How many places begin or end inside a word, or outside the text."""
    edges = [edge for place, _ in quoted.values() for edge in place]
    return sum(
        not 0 <= edge <= len(text) or (0 < edge and text[edge - 1 : edge + 1].isalnum())
        for edge in edges
        if edge != len(text)
    )


def _in_points(text: str, place: CharacterSlice) -> CharacterSlice:
    """Places counted in the units of UTF-16, as JavaScript counts, in code points."""
    units = text.encode("utf-16-le")
    begin, end = (len(units[: 2 * max(at, 0)].decode("utf-16-le", "ignore")) for at in place)
    return begin, end


def _all_fit(text: str, quoted: Mapping[str, Quoted]) -> bool:
    """Whether all quotes stand at their places."""
    return all(_fits(text, place, quote) for place, quote in quoted.values())


def _fits(text: str, place: CharacterSlice, quote: str | None) -> bool:
    """Blanks and line ends apart; Label Studio once wrote a line end as a backslash and an n."""
    begin, end = place
    if not 0 <= begin <= end <= len(text):
        return False
    covered = text[begin:end].split()
    return quote is None or covered in (quote.split(), quote.replace("\\n", " ").split())


def is_number(value: Any) -> TypeGuard[int]:
    """Whether a value is a whole number."""
    return type(value) is int


def objects_in(fields: Fields, key: str) -> Sequence[dict[str, Any]]:
    """A field that must be a list of objects; an absent one is empty."""
    found = fields.list_of(key)
    for each in found:
        if not isinstance(each, dict):
            raise fields.error(f"{key} holds {shown_json(each)}; expected objects {{...}}")
    return found
