"""The files of a corpus that are to be read."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hmtl.errors import DataError
from hmtl.formats.files import documents_in, files_under
from hmtl.importing.splits import split_named


def files_in(source: Path, suffixes: Sequence[str]) -> list[Path]:
    """
    `source` itself where it is a file, or else all files under it whose names end in one of `suffixes`, in
    capitals or not, but for hidden ones.

    # Raises

    `DataError`
        If there is nothing at `source`, or no such file under it.
    """
    if not source.is_dir():
        return documents_in(source, "")
    files = sorted(files_under(source), key=lambda file: file.parts)
    lower = tuple(suffix.lower() for suffix in suffixes)
    fitting = [file for file in files if file.name.lower().endswith(lower)]
    if not fitting:
        raise DataError(
            f"no file here or below has a name that ends in {' or '.join(suffixes)}", source
        )
    return fitting


def by_stem(source: Path, suffixes: Sequence[str]) -> dict[Path, dict[str, Path]]:
    """
    The files that belong together: those in one folder whose names differ in their suffix only.

    # Parameters

    source : `Path`
        A folder, or one of the files that belong together.
    suffixes : `Sequence[str]`
        Each with its dot, in small letters; the files may have them in capitals.

    # Returns

    `dict[Path, dict[str, Path]]`
        By path without a suffix, ordered, the file of each suffix.

    # Raises

    `DataError`
        If there is nothing at `source`, or two files differ in the capitals of their suffix only.
    """
    if source.is_dir():
        files = list(files_under(source))
    else:
        (file,) = documents_in(source, "")
        files = [beside for beside in file.parent.iterdir() if beside.is_file()]
    longest_first = sorted(suffixes, key=len, reverse=True)
    found: dict[Path, dict[str, Path]] = {}
    for file in sorted(files, key=lambda file: file.parts):
        suffix = next((each for each in longest_first if file.name.lower().endswith(each)), None)
        if suffix is None:
            continue
        same = found.setdefault(file.with_name(file.name[: -len(suffix)] or file.name), {})
        if same.setdefault(suffix, file) != file:
            raise DataError(f"there is {same[suffix].name} beside it; remove one of them", file)
    if source.is_dir():
        return found
    return {stem: same for stem, same in found.items() if source in same.values()}


def name_of(path: Path, source: Path) -> str:
    """The name of a file's document: its path below `source`."""
    root = source if source.is_dir() else source.parent
    return path.relative_to(root).as_posix()


def parts_of(file: Path, source: Path) -> tuple[str, ...]:
    """The folders below `source` and the name of a file."""
    return file.relative_to(source).parts if source.is_dir() else (file.name,)


def part_that_tells(file: Path, source: Path) -> str:
    """The first folder, or else the name, that tells a split; empty if none does."""
    return next((part for part in parts_of(file, source) if split_named(part)), "")


@contextmanager
def told_as_data_errors(path: Path, what: str, expected: str) -> Iterator[None]:
    """
    What packages raise about files that they cannot read is of many kinds: all of it as a `DataError`, and no
    warning.

    # Parameters

    path : `Path`
    what, expected : `str`
        For the message, as "is no CAS" and "what a tool exports".
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except DataError:
        raise
    except Exception as error:
        raise DataError(
            f"{what} that can be read{_said(error)}; expected {expected}", path
        ) from error


def _said(error: Exception) -> str:
    """What a package says of a file. What Python says of the package's code helps nobody."""
    said = " ".join(str(error).split())[:200]
    if isinstance(error, KeyError):
        return f" (there is no {said})"
    is_of_code = isinstance(
        error, (AttributeError, TypeError, LookupError, AssertionError, NameError)
    )
    return "" if is_of_code or not said else f" ({said})"
