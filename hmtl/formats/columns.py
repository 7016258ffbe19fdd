"""Rows of blank-separated columns, with the line numbers that error messages need."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from os import PathLike
from typing import Any, TypeVar

from hmtl.common.reporting import counted
from hmtl.errors import DataError

T = TypeVar("T")

BYTE_ORDER_MARK = "\ufeff"
_LONGEST_SHOWN = 60
# So many bytes of a file are read at once.
_BLOCK = 2**18
COMMENT = "#"
COMMENT_HINT = (
    f". Should a row that begins with '{COMMENT}' be a comment: hmtl import conll2003 leaves "
    f"those out with --comment '{COMMENT}'"
)


def shown(text: str) -> str:
    """`text` quoted for an error message, cut where it is too long to help."""
    return repr(_cut(text))


def shown_json(value: Any) -> str:
    """A value as JSON has it, `7` or `"7"`, cut likewise."""
    return _cut(json.dumps(value, ensure_ascii=False))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "..."


class CellError(ValueError):
    """
    A cell of a column is not what the column's notation allows.

    # Parameters

    message : `str`
        What is wrong and what was expected.
    row : `int`
        The row of the cell, counted from 0 within the sentence.
    """

    def __init__(self, message: str, row: int) -> None:
        super().__init__(message)
        self.row = row


@dataclass(slots=True)
class Rows:
    """
    The rows of one sentence, all of the same number of columns, standing on consecutive lines.

    # Parameters

    path : `str` or `PathLike`
        The file they come from.
    line : `int`
        The line of the first row, counted from 1.
    cells : `list[list[str]]`
        For each row its columns.
    """

    path: str | PathLike[str]
    line: int
    cells: list[list[str]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.cells)

    @property
    def num_columns(self) -> int:
        return len(self.cells[0])

    def column(self, index: int) -> list[str]:
        return [row[index] for row in self.cells]

    def error(self, message: str, row: int = 0) -> DataError:
        """The error to raise about one row, counted from 0."""
        return DataError(message + self.hint(row), self.path, self.line + row)

    def hint(self, row: int = 0) -> str:
        """What to add to an error about one row, in case it is none."""
        return _hint(self.cells[row])

    def parse(self, index: int, name: str, parser: Callable[[list[str]], T]) -> T:
        """
        What `parser` makes of one column.

        # Raises

        `DataError`
            With file, line and the column's name, where `parser` raises a `CellError`.
        """
        try:
            return parser(self.column(index))
        except CellError as error:
            column = index if index >= 0 else self.num_columns + index
            message = f"{name} (column {column + 1}): {error}"
            raise self.error(message, error.row) from error

    def check_numbers(self, index: int, name: str) -> None:
        """Whether one column holds whole numbers: a missing column before it then shows."""
        for row, cells in enumerate(self.cells):
            if not (cells[index].isascii() and cells[index].isdigit()):
                raise self.error(
                    f"{name} (column {index + 1}) is {shown(cells[index])}; expected a whole "
                    "number. Is a column missing?",
                    row,
                )


def read_lines(path: str | PathLike[str]) -> Iterator[tuple[int, str]]:
    """
    Streams the lines of a UTF-8 text file.

    Lines end in LF or CRLF and nothing else (Python's own text mode also ends them elsewhere, and
    would put a wrong line number into every later message). A byte order mark is dropped.

    # Returns

    `Iterator[tuple[int, str]]`
        The line's number, counted from 1, and the line without its end.

    # Raises

    `DataError`
        If the file cannot be read, is not UTF-8, or holds a NUL byte or a lone carriage return.
    """
    try:
        number = 1
        for block in _blocks(path):
            lines = _good_lines(block, number == 1)
            if lines is None:
                for each, line in enumerate(io.BytesIO(block), start=number):
                    yield each, _decode(line, path, each)
            else:
                yield from enumerate(lines, start=number)
            number += block.count(b"\n")
    except FileNotFoundError as error:
        raise DataError(
            "no such file; check the path (a relative one counts from the working directory)", path
        ) from error
    except IsADirectoryError as error:
        raise DataError("this is a directory; expected one file", path) from error
    except OSError as error:
        raise DataError(f"the file cannot be read: {error.strerror}", path) from error


def _blocks(path: str | PathLike[str]) -> Iterator[bytes]:
    """The bytes of a file, many whole lines at a time."""
    parts: list[bytes] = []
    with open(path, "rb") as file:
        while block := file.read(_BLOCK):
            end = block.rfind(b"\n") + 1
            parts.append(block[:end] if end else block)
            if end:
                yield b"".join(parts)
                parts = [block[end:]]
    if rest := b"".join(parts):
        yield rest


def _good_lines(block: bytes, is_first: bool) -> list[str] | None:
    """The lines of a block, without their ends; `None` where one may be bad."""
    try:
        text = block.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError:
        return None
    if "\0" in text or "\r" in text:
        return None
    if is_first:
        text = text.removeprefix(BYTE_ORDER_MARK)
    lines = text.split("\n")
    return lines[:-1] if block.endswith(b"\n") else lines


def _decode(line: bytes, path: str | PathLike[str], number: int) -> str:
    if b"\0" in line:
        raise DataError("the line holds a NUL byte; expected UTF-8 text", path, number)
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(
            f"byte 0x{line[error.start]:02x} at position {error.start + 1} of the line is not "
            "UTF-8; convert the file to UTF-8, for instance with iconv",
            path,
            number,
        ) from error
    if number == 1:
        text = text.removeprefix(BYTE_ORDER_MARK)
    text = text.removesuffix("\n").removesuffix("\r")
    if "\r" in text:
        raise DataError(
            "a carriage return stands inside the line; expected lines that end in LF or CRLF",
            path,
            number,
        )
    return text


def split_columns(line: str) -> list[str]:
    """
    The columns of a row: what stands between runs of ASCII spaces and tabs. No other blank parts columns: a
    token may well hold U+00A0 or U+2009.
    """
    cells = line.replace("\t", " ").split(" ")
    return list(filter(None, cells)) if "" in cells else cells


def _hint(cells: list[str]) -> str:
    return COMMENT_HINT if cells[0].startswith(COMMENT) else ""


class SentenceBuffer:
    """
    Collects the rows of one sentence after the other, and checks their number of columns.

    # Parameters

    path : `str` or `PathLike`
        The file the rows come from.
    layout : `str`
        The columns of the format, as an error message names them.
    fewest_columns : `int`
        How many columns a row has at least.
    if_empty : `str`, optional (default = `""`)
        What stands for an empty last cell.
    on_error : `Callable[[DataError], None]`, optional (default = `None`)
        Is given the error of a sentence, which is then passed over, in place of raising it.
    """

    def __init__(
        self,
        path: str | PathLike[str],
        layout: str,
        fewest_columns: int,
        if_empty: str = "",
        on_error: Callable[[DataError], None] | None = None,
    ) -> None:
        self._on_error = on_error
        self._is_bad = False
        self._path = path
        self._layout = layout
        self._fewest_columns = fewest_columns
        self._if_empty = if_empty
        self._rows: Rows | None = None
        self._all_end_in_tabs = False

    def add(self, line: int, cells: list[str], ends_in_tab: bool = False) -> None:
        """
        # Parameters

        line : `int`
        cells : `list[str]`
            Those of a row that are not empty.
        ends_in_tab : `bool`, optional (default = `False`)
            Whether a tab follows them. That is an empty last cell where other rows of the sentence have one
            more, or where there would be too few; else it is of no account.

        # Raises

        `DataError`
            If the row has too few columns, or not as many as the rows before it.
        """
        if self._is_bad:
            return
        try:
            self._add(line, cells, ends_in_tab)
        except DataError as error:
            if self._on_error is None:
                raise
            self._on_error(error)
            self._is_bad = True

    def _add(self, line: int, cells: list[str], ends_in_tab: bool) -> None:
        if ends_in_tab or self._all_end_in_tabs:
            cells = self._completed(cells, ends_in_tab)
        if len(cells) < self._fewest_columns:
            raise DataError(
                f"the row has {counted(len(cells), 'columns')}; expected at least {self._fewest_columns}: "
                f"{self._layout}{_hint(cells)}",
                self._path,
                line,
            )
        if self._rows is None:
            self._rows = Rows(self._path, line)
            self._all_end_in_tabs = ends_in_tab
        elif len(cells) != len(self._rows.cells[0]):
            raise DataError(
                f"the row has {counted(len(cells), 'columns')}, but the sentence's first row (line "
                f"{self._rows.line}) has {self._rows.num_columns}; expected as many in each row "
                f"of a sentence, and a blank line between sentences{_hint(cells) or self._rows.hint()}",
                self._path,
                line,
            )
        self._rows.cells.append(cells)

    def _completed(self, cells: list[str], ends_in_tab: bool) -> list[str]:
        """The cells of a row with the last one, should that be empty; the same for the rows before it."""
        usual = self._fewest_columns if self._rows is None else self._rows.num_columns
        if ends_in_tab:
            return [*cells, self._if_empty] if len(cells) == usual - 1 else cells
        self._all_end_in_tabs = False
        if self._rows is not None and len(cells) == usual + 1:
            for row in self._rows.cells:
                row.append(self._if_empty)
        return cells

    def take(self) -> Rows | None:
        """The sentence collected so far, if any, and good; the next row begins another."""
        rows, self._rows = None if self._is_bad else self._rows, None
        self._all_end_in_tabs = self._is_bad = False
        return rows
