"""The texts to predict, one at a time, from files: text, lines of text, JSON lines, DocRED's JSON."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from hmtl.errors import DataError
from hmtl.formats import docred
from hmtl.formats.annotated import Entity
from hmtl.formats.columns import shown, shown_json
from hmtl.formats.json_lines import writable

TEXT, LINES, JSON_LINES, DOCRED = "text", "lines", "jsonl", "docred"
INPUT_FORMATS = (TEXT, LINES, JSON_LINES, DOCRED)
JSON_LINES_SUFFIXES = (".jsonl", ".ndjson", ".json")
STANDARD_INPUT = Path("-")
STANDARD_INPUT_NAME = "stdin"

# No text is anywhere near this long, and one that is would have to fit in memory many times over.
MOST_BYTES = 16 * 2**20
BYTE_ORDER_MARK = "\ufeff"
EXPECTED = (
    'expected {"text": "..."}, {"tokens": ["...", ...]} or {"sentences": [["...", ...], ...]}, and '
    'an "id" if you like'
)
CONTENTS = ("text", "tokens", "sentences")


@dataclass(frozen=True)
class RawRecord:
    """
    A text as it stands in the input, which may yet turn out to be malformed.

    # Parameters

    path : `Path`
        The file; `-` is standard input.
    line : `int`, optional
        Its line, counted from 1; `None` where the whole file is one text. Of DocRED the number of the
        document, counted from 0.
    content : `bytes`
    """

    path: Path
    line: int | None
    content: bytes


@dataclass(frozen=True)
class Record:
    """
    A text to predict.

    # Parameters

    id : `Any`
        What the input calls it, or `file` or `file:line`.
    text : `str`, optional
        `None` where it is tokenized already.
    sentences : `list[list[str]]`, optional
        Then its tokens.
    entities : `list[Entity]`, optional
        Those that are given.
    """

    id: Any
    text: str | None = None
    sentences: list[list[str]] = field(default_factory=list)
    entities: list[Entity] = field(default_factory=list)


def format_of(path: Path) -> str:
    """What a file is taken for when nobody says."""
    return JSON_LINES if path.suffix in JSON_LINES_SUFFIXES else TEXT


def check_inputs(paths: Sequence[Path]) -> None:
    """
    # Raises

    DataError
        When one of the files is not there. (They are not opened: what a pipe holds can be read once only.)
    """
    for path in paths:
        if path != STANDARD_INPUT and (path.is_dir() or not path.exists()):
            kind = "is a directory" if path.is_dir() else "does not exist"
            raise DataError(f"{kind}; give the path of a file, or - for standard input.", path)


def raw_records(paths: Sequence[Path], input_format: str | None) -> Iterator[RawRecord]:
    """
    Streams the texts of files; blank lines and files are none.

    # Parameters

    paths : `Sequence[Path]`
    input_format : `str`, optional
        `text` (each file is one text), `lines` (each line), `jsonl` or `docred` (a JSON list of documents,
        read as a whole); `None` goes by the names of the files.

    # Raises

    DataError
        When a file cannot be read, or a text is longer than 16 MiB.
    """
    for path in paths:
        whole = (input_format or format_of(path)) == TEXT
        with _opened(path) as file:
            if input_format == DOCRED:
                yield from _documents_of(path, file)
                continue
            if whole:
                yield whole_text(path, file)
                continue
            yield from lines_of(path, file)


def lines_of(
    path: Path, file: BinaryIO, before: int = 0, most_bytes: float = math.inf
) -> Iterator[RawRecord]:
    """
    Stream the lines of a file that are not blank.

    # Parameters

    path : `Path`
    file : `BinaryIO`
        At the beginning of a line.
    before : `int`, optional (default = `0`)
        So many lines come before that one.
    most_bytes : `float`, optional
        No line is read that begins so far from there, or further.

    # Raises

    DataError
        When a line is longer than 16 MiB.
    """
    position, number = 0, before
    while position < most_bytes and (content := file.readline(MOST_BYTES + 1)):
        number += 1
        position += len(content)
        _check_size(path, number, content)
        if content.strip():
            yield RawRecord(path, number, content)


def whole_text(path: Path, file: BinaryIO) -> RawRecord:
    """
    Return what is in a file as one text.

    # Raises

    DataError
        When it is longer than 16 MiB.
    """
    content = file.read(MOST_BYTES + 1)
    _check_size(path, None, content)
    return RawRecord(path, None, content)


def _documents_of(path: Path, file: BinaryIO) -> Iterator[RawRecord]:
    """The documents of a file of DocRED."""
    try:
        content = json.loads(file.read().decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise DataError(f"is no JSON: {error}", path) from error
    for number, each in enumerate(docred.contents(content, path)):
        yield RawRecord(path, number, json.dumps(each).encode())


def parse(raw: RawRecord, input_format: str | None) -> Record:
    """
    # Raises

    DataError
        With file and line, when a record is not what it should be.
    """
    if input_format == DOCRED:
        content = raw.content.decode()
        content = writable(json.loads(content), content)
        document = docred.to_document(content, raw.line or 0, raw.path)
        words = [sentence.words for sentence in document.sentences]
        return Record(document.name, sentences=words, entities=document.entities)
    try:
        text = raw.content.decode("utf-8").removeprefix(BYTE_ORDER_MARK)
    except UnicodeDecodeError as error:
        raise _error(
            raw, f"no text in UTF-8 ({error.reason} at byte {error.start}). Save it as UTF-8."
        ) from error
    name = STANDARD_INPUT_NAME if raw.path == STANDARD_INPUT else raw.path.stem
    own_name = name if raw.line is None else f"{name}:{raw.line}"
    if (input_format or format_of(raw.path)) != JSON_LINES:
        return Record(own_name, text if raw.line is None else text.rstrip("\r\n"))
    return _parse_json(raw, text, own_name)


def _parse_json(raw: RawRecord, text: str, own_name: str) -> Record:
    try:
        value = writable(json.loads(text), text)
    except (ValueError, RecursionError) as error:
        raise _error(raw, f"no JSON ({error}): {shown(text.strip())}; {EXPECTED}") from error
    try:
        return _parse_fields(value, own_name)
    except ValueError as error:
        raise _error(raw, str(error)) from error


def _parse_fields(value: Any, own_name: str) -> Record:
    """
    A record from what a line of JSON says.

    # Parameters

    value : `Any`
        An object with one of `text`, `tokens` and `sentences`, and perhaps `id` (or `doc_key`, as DyGIE++
        calls it).
    own_name : `str`
        What the record is called if it has neither.

    # Raises

    ValueError
        When it is anything else.
    """
    if not isinstance(value, dict):
        hint = ". --input-format docred reads DocRED's list" if isinstance(value, list) else ""
        raise ValueError(f"a JSON {type(value).__name__}, not an object; {EXPECTED}{hint}")
    given = [key for key in CONTENTS if key in value]
    if len(given) != 1:
        what = f"both {' and '.join(given)}" if given else f"the keys {shown(str(sorted(value)))}"
        raise ValueError(f"a record with {what}; {EXPECTED}")
    name = value.get("id", value.get("doc_key", own_name))
    content = value[given[0]]
    if given[0] == "text":
        if not isinstance(content, str):
            raise ValueError(f"text is {shown_json(content)}; expected a string")
        return Record(name, text=content)
    if given[0] == "tokens" and _is_list_of_words(content):
        content = [content]
    if not (isinstance(content, list) and all(map(_is_list_of_words, content))):
        raise ValueError(f"malformed {given[0]} {shown_json(content)}; {EXPECTED}")
    if not all(word for words in content for word in words):
        raise ValueError(f"{given[0]} holds an empty token; leave it out")
    return Record(name, sentences=content)


def _is_list_of_words(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(word, str) for word in value)


def _check_size(path: Path, line: int | None, content: bytes) -> None:
    if len(content) > MOST_BYTES:
        remedy = (
            "Split it, or use --input-format lines or jsonl for a file of many texts."
            if line is None
            else "Split it into several."
        )
        raise DataError(
            f"a text of more than {MOST_BYTES // 2**20} MiB, which would not fit in memory with all "
            f"that is computed from it. {remedy}",
            path,
            line,
        )


def _error(raw: RawRecord, message: str) -> DataError:
    return DataError(message, raw.path, raw.line)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    if path == STANDARD_INPUT:
        yield sys.stdin.buffer
        return
    try:
        file = open(path, "rb")
    except OSError as error:
        raise DataError(
            f"cannot be read: {error.strerror}. Give the path of a file, or - for standard input.",
            path,
        ) from error
    with file:
        yield file
