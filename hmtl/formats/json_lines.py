"""JSON lines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from os import PathLike
from typing import Any

from hmtl.errors import DataError
from hmtl.formats.columns import read_lines
from hmtl.formats.spacy_text import without_surrogates

_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def read_json_lines(path: str | PathLike[str], what: str = "document") -> Iterator[tuple[int, Any]]:
    """
    The number of each line that is not blank, counted from 1, and what it holds.

    # Parameters

    path : `str` or `PathLike`
    what : `str`, optional (default = `"document"`)
        What a line holds, for messages.

    # Raises

    `DataError`
        If the file cannot be read, or a line is no JSON.
    """
    for number, line in read_lines(path):
        if not line.strip():
            continue
        try:
            yield number, without_lone_surrogates(json.loads(line), line)
        except json.JSONDecodeError as error:
            raise DataError(
                f"is no JSON: {error.msg} in column {error.colno}; expected one {what} a line",
                path,
                number,
            ) from error
        except RecursionError as error:
            raise DataError("is nested too deeply to be read", path, number) from error
        except ValueError as error:
            raise DataError(f"is JSON that cannot be read: {error}", path, number) from error


def without_lone_surrogates(value: Any, source: str) -> Any:
    """What a text of JSON holds, without lone surrogates, which no file in UTF-8 can hold."""
    if not _ESCAPED_SURROGATE.search(source):
        return value
    return json.loads(without_surrogates(json.dumps(value, ensure_ascii=False)))
