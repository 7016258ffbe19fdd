"""JSON files of others, read with errors that tell where."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hmtl.errors import DataError
from hmtl.formats.columns import shown_json
from hmtl.formats.json_lines import OnReplaced, what_is_wrong, writable


def read_json(path: Path, on_replaced: OnReplaced | None = None) -> Any:
    """
    What a JSON file holds; `on_replaced` is as in `read_json_lines`.

    # Raises

    `DataError`
        If it cannot be read or is no JSON.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
        return writable(json.loads(text), text, on_replaced)
    except UnicodeDecodeError as error:
        raise DataError(f"byte {error.start} is not UTF-8", path) from error
    except (ValueError, RecursionError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else None
        raise DataError(what_is_wrong(error), path, line) from error
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", path) from error


class Fields:
    """
    The fields of a JSON object, with errors that name the field.

    # Parameters

    content : `Any`
        What should be an object.
    path : `Path`
    line : `int`, optional (default = `None`)
    where : `str`, optional (default = `""`)
        What it is of, as `document 'Solingen'`.
    """

    def __init__(self, content: Any, path: Path, line: int | None = None, where: str = "") -> None:
        self.path = path
        self.line = line
        self.where = where
        if not isinstance(content, dict):
            raise self.error(f"{shown_json(content)} is no object; expected {{...}}")
        self._content = content

    def __contains__(self, key: str) -> bool:
        """Whether there is such a field."""
        return key in self._content

    def items(self) -> Iterable[tuple[str, Any]]:
        """All fields."""
        return self._content.items()

    def get(self, key: str) -> Any:
        """A field of any kind; `None` if it is absent."""
        return self._content.get(key)

    def list_of(self, key: str) -> list[Any]:
        """A field that must be a list; an absent one or `null` is empty."""
        value = self._content.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.error(f"{key} is {shown_json(value)}; expected a list")
        return value

    def string(self, *keys: str) -> str:
        """The first of several fields that is there, which must be a string."""
        for key in keys:
            if key in self._content:
                value = self._content[key]
                if not isinstance(value, str):
                    quoted = f", as {shown_json(str(value))}" if isinstance(value, int) else ""
                    raise self.error(f"{key} is {shown_json(value)}; expected a string{quoted}")
                return value
        raise self.error(f"there is no {' or '.join(keys)}")

    def sentences(self, key: str) -> list[list[str]]:
        """A field that must hold lists of words."""
        sentences = self.list_of(key)
        for sentence in sentences:
            if not isinstance(sentence, list) or not all(isinstance(w, str) for w in sentence):
                raise self.error(f"{key} holds {shown_json(sentence)}; expected lists of words")
        if not any(sentences):
            raise self.error(f"{key} holds no word")
        return sentences

    def error(self, message: str) -> DataError:
        """The error to raise about this object."""
        return DataError(
            f"{self.where}: {message}" if self.where else message, self.path, self.line
        )
