"""What the importers of the readers' own columns have in common."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Protocol

from hmtl.errors import OnFault
from hmtl.formats.annotated import Document
from hmtl.importing.corpus_writer import convert_files
from hmtl.importing.naming import RENAMED
from hmtl.importing.sources import parts_of
from hmtl.importing.tally import Tally

# A corpus in these columns has all its documents again in single files, for coreference.
_AGAIN = {"single_file", "coref"}


class Read(Protocol):
    """Gives the documents of a file, the same each time; `on_error` is given the faults of others."""

    def __call__(self, path: Path, *, on_error: OnFault) -> Iterable[Document]: ...


def convert(
    arguments: argparse.Namespace, files: list[Path], read: Read, read_names: Read
) -> Tally:
    """
    Converts files of documents.

    # Parameters

    arguments : `argparse.Namespace`
    files : `list[Path]`
    read, read_names : `Read`
        Of the latter's documents the names count alone.
    """
    tally = Tally()
    files = _without_copies(files, arguments.source)
    first, again = _renamed(read_names), _renamed(read)

    def names(file: Path, left: Tally) -> Iterator[str]:
        return (document.name for document in first(file, left))

    return convert_files(arguments, files, names, again, tally)


def _renamed(read: Read) -> Callable[[Path, Tally], Iterator[Document]]:
    """The same, with a name of its own for a document that is there before, part and all."""
    times: Counter[tuple[str, int]] = Counter()

    def renamed(file: Path, tally: Tally) -> Iterator[Document]:
        for document in read(file, on_error=tally.faults.add):
            same = document.name, document.part
            times[same] += 1
            if times[same] > 1:
                document.name += f".{times[same]}"
                tally.changed("documents", RENAMED)
            yield document

    return renamed


def _without_copies(files: list[Path], source: Path) -> list[Path]:
    first = [file for file in files if parts_of(file, source)[0] not in _AGAIN]
    return first or files
