"""Which files make up a corpus."""

from __future__ import annotations

import os
from collections.abc import Iterator
from os import PathLike
from pathlib import Path

from hmtl.errors import DataError


def documents_in(path: str | PathLike[str], suffix: str) -> list[Path]:
    """
    The files of a corpus: `path` itself where it is a file, whatever its name, or else all files
    under it whose names end in `suffix`, in an order that is the same on every machine. Hidden
    files and directories (`.name`) are no part of a corpus.

    # Raises

    `DataError`
        If there is nothing at `path`, or no such file under it.
    """
    root = Path(path)
    if root.is_dir():
        files = [file for file in files_under(root) if file.name.endswith(suffix)]
        if not files:
            ending = f" has a name that ends in '{suffix}'" if suffix else ""
            raise DataError(f"no file in this directory or below{ending or ' is there'}", path)
        return sorted(files, key=lambda file: file.parts)
    if not root.exists():
        raise DataError(
            "no such file or directory; check the path (a relative one counts from the working directory)",
            path,
        )
    return [root]


def files_under(root: Path) -> Iterator[Path]:
    """
    All but hidden ones under a directory; symbolic links are followed, each directory once.

    # Raises

    `DataError`
        If a directory cannot be read: what is in it would be missing in silence.
    """

    def refuse(error: OSError) -> None:
        raise DataError(f"cannot be read: {error.strerror}", error.filename) from error

    seen: set[str] = set()
    for directory, subdirectories, names in os.walk(root, onerror=refuse, followlinks=True):
        real = os.path.realpath(directory)
        if real in seen:
            subdirectories.clear()
            continue
        seen.add(real)
        subdirectories[:] = sorted(name for name in subdirectories if not name.startswith("."))
        for name in names:
            if not name.startswith("."):
                yield Path(directory, name)
