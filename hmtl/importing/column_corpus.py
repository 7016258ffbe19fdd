"""What the importers of the readers' own columns have in common."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from hmtl.formats.annotated import Document
from hmtl.importing import corpus_writer, splits
from hmtl.importing.naming import RENAMED
from hmtl.importing.tally import Tally

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
        for file, document in _documents(files, read, Tally())
    }
    division = splits.choose(arguments, own.keys, splits.of_source(own))
    documents = (document for _, document in _documents(files, read, tally))
    corpus_writer.write_corpus(arguments, documents, division, tally, len(own))
    return tally


def _documents(files: list[Path], read: Read, tally: Tally) -> Iterator[tuple[Path, Document]]:
    """All documents with their files. One that is there before, part and all, gets a name of its own."""
    times: Counter[tuple[str, int]] = Counter()
    for file in files:
        for document in read(file):
            same = document.name, document.part
            times[same] += 1
            if times[same] > 1:
                document.name += f".{times[same]}"
                tally.changed("documents", RENAMED)
            yield file, document


def _parts(file: Path, source: Path) -> tuple[str, ...]:
    return file.relative_to(source).parts if source.is_dir() else (file.name,)


def _without_copies(files: list[Path], source: Path) -> list[Path]:
    first = [file for file in files if _parts(file, source)[0] not in _AGAIN]
    return first or files


def part_that_tells(file: Path, source: Path) -> str:
    """The first folder, or else the name, that tells a split; empty if none does."""
    return next((part for part in _parts(file, source) if splits.split_named(part)), "")
