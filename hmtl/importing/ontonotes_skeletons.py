"""
The `*_skel` files of CoNLL-2012 and of its successors: the columns of the shared task without the words,
which only those have who hold a licence for OntoNotes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from hmtl.errors import DataError
from hmtl.formats.annotated import Document
from hmtl.formats.conll2012 import read_documents
from hmtl.formats.files import documents_in
from hmtl.importing import splits
from hmtl.importing.tally import Tally

logger = logging.getLogger(__name__)

_GOLD, _PREDICTED = "gold_skel", "auto_skel"
# Where both are there, the second is the one of the shared task; the first has more documents.
_TEST, _SHARED_TASK_TEST = "test", "conll-2012-test"

NOT_ENGLISH = "Arabic or Chinese"
PREDICTED = "predicted annotation (*auto_skel)"
OTHER_TEST = f"in the folder {_TEST}, where {_SHARED_TASK_TEST} is there too"
NO_WORDS = "the release has no such document"
OTHER_WORDS = "the skeleton and the release have different sentences"
_FOREIGN = ("arabic", "chinese")


def find_skeletons(directory: Path, tally: Tally) -> dict[Path, str | None]:
    """
    The gold skeletons of English documents, in the order of their paths, each with the split that its
    folders tell; the others are counted.

    # Raises

    `DataError`
        If there is none.
    """
    found: dict[Path, str | None] = {}
    files = documents_in(directory, "_skel")
    folders_of = {file: file.relative_to(directory).parts[:-1] for file in files}
    has_shared_task_test = any(_SHARED_TASK_TEST in folders for folders in folders_of.values())
    for file, folders in folders_of.items():
        if not file.name.endswith(_GOLD):
            tally.dropped("skeletons", PREDICTED)
        elif any(folder.lower() in _FOREIGN for folder in folders):
            tally.dropped("skeletons", NOT_ENGLISH)
        elif has_shared_task_test and _TEST in folders:
            tally.dropped("skeletons", OTHER_TEST)
        else:
            named = (splits.split_named(folder) for folder in folders)
            found[file] = next((split for split in named if split), None)
    if not found:
        raise DataError(f"no file here or below ends in '{_GOLD}' and is English", directory)
    return found


def documents(
    skeleton: Path,
    words_of: Mapping[str, Callable[[], list[list[str]]]],
    tally: Tally,
) -> Iterator[Document]:
    """
    The parts of a skeleton's document with their words.

    # Parameters

    skeleton : `Path`
    words_of : `Mapping[str, Callable[[], list[list[str]]]]`
        For each document of the release what reads its sentences, without traces and disfluencies.
    tally : `Tally`
        Counts a document that the release does not have, or has with other sentences.

    # Raises

    `DataError`
        With file and line, for whatever the columns' format does not allow.
    """
    parts = list(read_documents(skeleton))
    for name in dict.fromkeys(part.name for part in parts):
        of_document = [part for part in parts if part.name == name]
        if name not in words_of:
            tally.dropped("documents", NO_WORDS, len(of_document))
            continue
        words = words_of[name]()
        expected = [len(sentence) for part in of_document for sentence in part.sentences]
        if expected != [len(sentence) for sentence in words]:
            tally.dropped("documents", OTHER_WORDS, len(of_document))
            logger.warning("%s: %s; left out", skeleton, OTHER_WORDS)
            continue
        yield from _filled(of_document, words)


def _filled(parts: list[Document], words: list[list[str]]) -> Iterator[Document]:
    remaining = iter(words)
    for part in parts:
        yield replace(
            part,
            sentences=[replace(sentence, words=next(remaining)) for sentence in part.sentences],
        )
