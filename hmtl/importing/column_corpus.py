"""What the importers of the readers' own columns have in common."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from hmtl.formats.annotated import Document
from hmtl.importing.corpus_writer import convert_files
from hmtl.importing.naming import RENAMED
from hmtl.importing.sources import parts_of
from hmtl.importing.tally import Tally

# A corpus in these columns has all its documents again in single files, for coreference.
_AGAIN = {"single_file", "coref"}

Read = Callable[[Path], Iterable[Document]]


def convert(
    arguments: argparse.Namespace, files: list[Path], read: Read, read_names: Read
) -> Tally:
    """
    Converts files of documents.

    # Parameters

    arguments : `argparse.Namespace`
    files : `list[Path]`
    read, read_names : `Callable[[Path], Iterable[Document]]`
        Give the documents of a file, the same each time, and of the other the names count alone.
    """
    tally = Tally()
    files = _without_copies(files, arguments.source)
    first, again = _renamed(read_names, Tally()), _renamed(read, tally)

    def names(file: Path, _: Tally) -> Iterator[str]:
        return (document.name for document in first(file))

    def documents(file: Path, _: Tally) -> Iterable[Document]:
        return again(file)

    return convert_files(arguments, files, names, documents, tally)


def _renamed(read: Read, tally: Tally) -> Read:
    """The same, with a name of its own for a document that is there before, part and all."""
    times: Counter[tuple[str, int]] = Counter()

    def renamed(file: Path) -> Iterator[Document]:
        for document in read(file):
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
