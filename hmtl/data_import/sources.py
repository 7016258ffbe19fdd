"""The files of a corpus that are to be read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hmtl.errors import DataError
from hmtl.formats.files import documents_in


def files_in(source: Path, suffixes: Sequence[str]) -> list[Path]:
    """
    `source` itself where it is a file, or else all files under it whose names end in one of `suffixes`, but
    for hidden ones.

    # Raises

    `DataError`
        If there is nothing at `source`, or no such file under it.
    """
    files = documents_in(source, "")
    if not source.is_dir():
        return files
    fitting = [file for file in files if file.name.endswith(tuple(suffixes))]
    if not fitting:
        raise DataError(
            f"no file here or below has a name that ends in {' or '.join(suffixes)}", source
        )
    return fitting


def name_of(file: Path, source: Path, suffix: str = "") -> str:
    """The name of a file's document: its path below `source`, without the suffix."""
    root = source if source.is_dir() else source.parent
    return file.relative_to(root).as_posix().removesuffix(suffix)
