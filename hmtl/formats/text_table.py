"""
Tables of texts: TSV (no quotes), CSV (RFC 4180: cells with commas, quotes or line ends stand between quotes)
and JSON lines, a row each text.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from hmtl.common.reporting import counted
from hmtl.errors import DataError, OnFault, passing_over
from hmtl.formats.columns import read_lines, shown, shown_json
from hmtl.formats.json_lines import read_json_lines

TSV, CSV, JSON_LINES = "tsv", "csv", "jsonl"
TABLE_FORMATS = (TSV, CSV, JSON_LINES)
FORMAT_OF_SUFFIX = {".tsv": TSV, ".csv": CSV, ".jsonl": JSON_LINES, ".ndjson": JSON_LINES}

# By its name in the header, or by its number, counted from 1, in a table without a header.
Column = str | int


def read_table(
    path: str | PathLike[str],
    columns: Sequence[Column],
    table_format: str | None = None,
    on_error: OnFault | None = None,
) -> Iterator[tuple[int, list[Any]]]:
    """
    Stream the rows of a table; blank lines are none.

    # Parameters

    path : `str` or `PathLike`
    columns : `Sequence[str]` or `Sequence[int]`
        Which to read.
    table_format : `str`, optional (default = `None`)
        One of `TABLE_FORMATS`; `None` goes by the file's name.
    on_error : `Callable[[DataError], None]`, optional (default = `None`)
        Is given the errors of rows, which are then passed over, in place of raising them.

    # Returns

    `Iterator[tuple[int, list[Any]]]`
        The number of the line on which the row begins, and its cells: strings, but in JSON any values.

    # Raises

    `DataError`
        With file and line, when the file is none of these, a column is missing, or a row has other cells
        than the first one.
    """
    if table_format is None:
        table_format = FORMAT_OF_SUFFIX.get(Path(path).suffix.lower())
    if table_format is None:
        raise DataError(
            f"its name does not tell its format. Expected is one that ends in "
            f"{', '.join(FORMAT_OF_SUFFIX)}; or give the reader its format: {', '.join(TABLE_FORMATS)}",
            path,
        )
    if table_format == JSON_LINES:
        yield from _of_objects(path, columns, on_error)
        return
    rows = _rows_of_csv(path) if table_format == CSV else _rows_of_tsv(path)
    yield from _of_rows(path, columns, rows, on_error)


def _of_objects(
    path: str | PathLike[str], columns: Sequence[Column], on_error: OnFault | None
) -> Iterator[tuple[int, list[Any]]]:
    for number, content in read_json_lines(path, "object", on_error):
        with passing_over(on_error):
            yield number, _cells_of_object(content, columns, path, number)


def _cells_of_object(
    content: Any, columns: Sequence[Column], path: str | PathLike[str], line: int
) -> list[Any]:
    if not isinstance(content, dict):
        raise DataError(f"{shown_json(content)} is no object; expected {{...}}", path, line)
    for column in columns:
        if column not in content:
            raise DataError(
                f"the object has no {column!r}; it has {', '.join(map(shown, content)) or 'nothing'}",
                path,
                line,
            )
    return [content[column] for column in columns]


def _rows_of_tsv(path: str | PathLike[str]) -> Iterator[tuple[int, list[str]]]:
    for number, line in read_lines(path):
        if line.strip():
            yield number, line.split("\t")


def _rows_of_csv(path: str | PathLike[str]) -> Iterator[tuple[int, list[str]]]:
    # A document may be longer than the 128 KiB that are a cell's limit.
    csv.field_size_limit(sys.maxsize)
    rows = csv.reader((f"{line}\n" for _, line in read_lines(path)), strict=True)
    begin = 1
    try:
        for cells in rows:
            if any(map(str.strip, cells)):
                yield begin, cells
            begin = rows.line_num + 1
    except csv.Error as error:
        raise DataError(
            f"the row that begins here is no CSV: {error}. Expected are quotes around a whole cell, and two "
            "quotes for one within it",
            path,
            begin,
        ) from error


def _of_rows(
    path: str | PathLike[str],
    columns: Sequence[Column],
    rows: Iterator[tuple[int, list[str]]],
    on_error: OnFault | None,
) -> Iterator[tuple[int, list[Any]]]:
    first = next(rows, None)
    if first is None:
        return
    begin, cells = first
    if isinstance(columns[0], str):
        names = [cell.strip() for cell in cells]
        for column in columns:
            if column not in names:
                raise DataError(
                    f"the header has no column {column!r}; it has {', '.join(map(shown, names))}",
                    path,
                    begin,
                )
        places = [names.index(str(column)) for column in columns]
        like = f"as the header (line {begin}): {', '.join(names)}"
    else:
        places = [int(column) - 1 for column in columns]
        if max(places) >= len(cells):
            raise DataError(
                f"the row has {counted(len(cells), 'cells')}; expected at least {max(places) + 1}",
                path,
                begin,
            )
        like = f"as the first row (line {begin})"
        yield begin, [cells[place] for place in places]
    for number, row in rows:
        with passing_over(on_error):
            if len(row) != len(cells):
                raise DataError(
                    f"the row has {counted(len(row), 'cells')}; expected {len(cells)}, {like}",
                    path,
                    number,
                )
            yield number, [row[place] for place in places]
