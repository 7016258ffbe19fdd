"""JSON lines."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from os import PathLike
from typing import Any

from hmtl.errors import DataError, OnFault
from hmtl.formats.columns import read_lines

OnReplaced = Callable[[int], None]

REPLACED = "NUL, or one half of a pair of UTF-16, which no text file holds: became U+FFFD"
# As JSON may be written, and as it is dumped below.
_ESCAPED = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_UNWRITABLE = re.compile("[\ud800-\udfff]|(?<!\\\\)((?:\\\\\\\\)*)\\\\u0000")


def read_json_lines(
    path: str | PathLike[str],
    what: str = "document",
    on_error: OnFault | None = None,
    on_replaced: OnReplaced | None = None,
) -> Iterator[tuple[int, Any]]:
    """
    The number of each line that is not blank, counted from 1, and what it holds.

    # Parameters

    path : `str` or `PathLike`
    what : `str`, optional (default = `"document"`)
        What a line holds, for messages.
    on_error : `Callable[[DataError], None]`, optional (default = `None`)
        Is given the errors of lines, which are then passed over, in place of raising them.
    on_replaced : `Callable[[int], None]`, optional (default = `None`)
        Is told how many characters `writable` replaced.

    # Raises

    `DataError`
        If the file cannot be read, or a line is no JSON.
    """
    for number, line in read_lines(path):
        if not line.strip():
            continue
        try:
            value = writable(json.loads(line), line, on_replaced)
        except (ValueError, RecursionError) as error:
            message = what_is_wrong(error)
            if isinstance(error, json.JSONDecodeError):
                message += f"; expected one {what} a line"
            fault = DataError(message, path, number)
            if on_error is None:
                raise fault from error
            on_error(fault)
        else:
            yield number, value


def what_is_wrong(error: ValueError | RecursionError) -> str:
    """What a message says of a text that `json` could not read."""
    if isinstance(error, RecursionError):
        return "is nested too deeply to be read"
    if not isinstance(error, json.JSONDecodeError):
        # Nothing else is a ValueError there, and Python's own words are about its settings.
        return "is JSON that cannot be read: a number has too many digits"
    is_cut = error.msg.startswith("Unterminated") or error.pos >= len(error.doc.rstrip())
    cut = ", where it ends (is it cut short?)" if is_cut else ""
    return f"is no JSON: {error.msg} in column {error.colno}{cut}"


def writable(value: Any, source: str, on_replaced: OnReplaced | None = None) -> Any:
    """
    What a text of JSON holds, with U+FFFD for NUL and for each lone surrogate: no file of text can hold the
    one, none in UTF-8 the other. All places stay as they are.
    """
    if not _ESCAPED.search(source):
        return value
    dumped = json.dumps(value, ensure_ascii=False)
    text, count = _UNWRITABLE.subn(
        lambda found: f"{found[1] or ''}\N{REPLACEMENT CHARACTER}", dumped
    )
    if count and on_replaced is not None:
        on_replaced(count)
    return json.loads(text) if count else value
