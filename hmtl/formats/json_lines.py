"""JSON lines."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from os import PathLike
from typing import Any

from hmtl.errors import DataError
from hmtl.formats.columns import read_lines
from hmtl.formats.spacy_text import without_surrogates

_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def read_json_lines(
    path: str | PathLike[str],
    what: str = "document",
    on_error: Callable[[DataError], None] | None = None,
) -> Iterator[tuple[int, Any]]:
    """
    The number of each line that is not blank, counted from 1, and what it holds.

    # Parameters

    path : `str` or `PathLike`
    what : `str`, optional (default = `"document"`)
        What a line holds, for messages.
    on_error : `Callable[[DataError], None]`, optional (default = `None`)
        Is given the errors of lines, which are then passed over, in place of raising them.

    # Raises

    `DataError`
        If the file cannot be read, or a line is no JSON.
    """
    for number, line in read_lines(path):
        if not line.strip():
            continue
        try:
            value = without_lone_surrogates(json.loads(line), line)
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
        return f"is JSON that cannot be read: {error}"
    is_cut = error.msg.startswith("Unterminated") or error.pos >= len(error.doc.rstrip())
    cut = ", where it ends (is it cut short?)" if is_cut else ""
    return f"is no JSON: {error.msg} in column {error.colno}{cut}"


def without_lone_surrogates(value: Any, source: str) -> Any:
    """What a text of JSON holds, without lone surrogates, which no file in UTF-8 can hold."""
    if not _ESCAPED_SURROGATE.search(source):
        return value
    return json.loads(without_surrogates(json.dumps(value, ensure_ascii=False)))
