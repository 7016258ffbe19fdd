"""What the importers of the readers' own columns have in common."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path

from hmtl.data_import import corpus_writer, splits
from hmtl.data_import.documents import Document
from hmtl.data_import.tally import Tally

# A corpus in these columns has all its documents again in single files, for coreference.
_AGAIN = {"single_file", "coref"}

Read = Callable[[Path], Iterable[Document]]


def convert(arguments: argparse.Namespace, files: list[Path], read: Read) -> Tally:
    """
    Converts files of documents.

    # Parameters

    arguments : `argparse.Namespace`
    files : `list[Path]`
    read : `Callable[[Path], Iterable[Document]]`
        Gives the documents of a file, the same each time.
    """
    tally = Tally()
    files = _without_copies(files, arguments.source)
    own = {
        document.name: part_that_tells(file, arguments.source)
        for file in files
        for document in read(file)
    }
    division = splits.choose(arguments, own.keys, splits.of_source(own))
    documents = (document for file in files for document in read(file))
    corpus_writer.write_corpus(arguments, documents, division, tally, len(own))
    return tally


def _parts(file: Path, source: Path) -> tuple[str, ...]:
    return file.relative_to(source).parts if source.is_dir() else (file.name,)


def _without_copies(files: list[Path], source: Path) -> list[Path]:
    first = [file for file in files if _parts(file, source)[0] not in _AGAIN]
    return first or files


def part_that_tells(file: Path, source: Path) -> str:
    """The first folder, or else the name, that tells a split; empty if none does."""
    return next((part for part in _parts(file, source) if splits.split_named(part)), "")
