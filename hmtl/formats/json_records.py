"""Records of a JSON file of any size: JSON lines, one array, read an element at a time, or one object."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from hmtl.errors import DataError, OnFault
from hmtl.formats.columns import read_lines, shown
from hmtl.formats.json_lines import (
    OnReplaced,
    read_json_lines,
    what_is_wrong,
    writable,
)

# So many characters of an array are read at once.
_CHUNK = 2**18
# No mark or literal of JSON is longer; numbers may be, but they are no records.
_LONGEST_TOKEN = 16
_NOT_BLANK = re.compile(r"\S")


def read_records(
    path: Path, on_error: OnFault | None = None, on_replaced: OnReplaced | None = None
) -> Iterator[tuple[int, Any]]:
    """
    The records of a file, JSON lines, or one JSON array or object of any layout, with one of them in memory
    at a time, and the line on which each begins.

    # Parameters

    path : `Path`
    on_error, on_replaced : `Callable`, optional (default = `None`)
        As in `read_json_lines`; an array ends at its first error.

    # Raises

    `DataError`
        With file and line, if the file cannot be read, or is no JSON.
    """
    lines = (line.strip() for _, line in read_lines(path))
    first, second, *_ = (*islice(filter(None, lines), 2), "", "")
    if first.startswith("["):
        return _read_array(path, on_replaced)
    if first.startswith("{") and first[-1] in "{[,:" and not second.startswith("{"):
        return _read_object(path, on_replaced)
    return read_json_lines(path, on_error=on_error, on_replaced=on_replaced)


def _read_object(path: Path, on_replaced: OnReplaced | None) -> Iterator[tuple[int, Any]]:
    """The one object of a file, over several lines."""
    reader = _Elements(path, on_replaced)
    reader.peek()
    yield reader.line, reader.element()
    if reader.peek():
        raise DataError(
            "something follows the JSON object; expected one object a line, or one array [...] of all",
            path,
            reader.line,
        )


def _read_array(path: Path, on_replaced: OnReplaced | None) -> Iterator[tuple[int, Any]]:
    array = _Elements(path, on_replaced)
    array.skip("[")
    if array.peek() == "]":
        array.skip("]")
    else:
        while True:
            array.peek()
            yield array.line, array.element()
            if array.peek() != ",":
                break
            array.skip(",")
        array.skip("]")
    if array.peek():
        raise DataError("something follows the end of the JSON array", path, array.line)


class _Elements:
    """JSON, of which no more is in memory than the element at hand and what was read with it."""

    def __init__(self, path: Path, on_replaced: OnReplaced | None) -> None:
        self._path = path
        self._on_replaced = on_replaced
        self._chunks = _chunks(path)
        self._decoder = json.JSONDecoder()
        self._text = ""
        self._at = 0
        self.line = 1

    def peek(self) -> str:
        """The next character that is no blank; empty at the end of the file."""
        while True:
            found = _NOT_BLANK.search(self._text, self._at)
            self._go_to(found.start() if found else len(self._text))
            if found or not self._read(0):
                return found[0] if found else ""

    def skip(self, mark: str) -> None:
        """Pass over a mark that must be there."""
        if self.peek() != mark:
            found = shown(self._text[self._at : self._at + 1])
            raise DataError(
                f"is no JSON array: expected '{mark}' and found {found}"
                if self.peek()
                else f"is no JSON array: it ends where '{mark}' was expected. Is the file cut short?",
                self._path,
                self.line,
            )
        self._go_to(self._at + 1)

    def element(self) -> Any:
        """The element that begins at the next character that is no blank."""
        self.peek()
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._at)
            except (ValueError, RecursionError) as error:
                line = self.line
                if isinstance(error, json.JSONDecodeError):
                    line += self._text.count("\n", self._at, error.pos)
                    # Doubled, so that an element of any size is parsed a few times only.
                    if self._may_be_cut(error) and self._read(len(self._text) - self._at):
                        continue
                raise DataError(what_is_wrong(error), self._path, line) from error
            value = writable(value, self._text[self._at : end], self._on_replaced)
            self._go_to(end)
            return value

    def _may_be_cut(self, error: json.JSONDecodeError) -> bool:
        """Whether the error may come from the end of what was read so far."""
        return error.msg.startswith("Unterminated") or len(self._text) - error.pos < _LONGEST_TOKEN

    def _go_to(self, position: int) -> None:
        self.line += self._text.count("\n", self._at, position)
        self._at = position

    def _read(self, at_least: int) -> bool:
        """Read on, at least so many characters if they are there; whether there was anything."""
        chunks = [self._text[self._at :]]
        self._at = 0
        size = 0
        while size <= at_least and (chunk := next(self._chunks, "")):
            chunks.append(chunk)
            size += len(chunk)
        self._text = "".join(chunks)
        return size > 0


def _chunks(path: Path) -> Iterator[str]:
    """The text of a file, some lines at a time."""
    lines: list[str] = []
    size = 0
    for _, line in read_lines(path):
        lines.append(line + "\n")
        size += len(line)
        if size >= _CHUNK:
            yield "".join(lines)
            lines, size = [], 0
    yield "".join(lines)
