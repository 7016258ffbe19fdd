"""
Re-DocRED as mentions, relations and coreference in like_conll, and whole, as it is. Its development documents
and the first of its test documents are for training, the next ones for development and test.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from tqdm import tqdm

from hmtl.formats.annotated import Document
from hmtl.formats.docred import (
    BEGIN,
    BETWEEN,
    END,
    SUFFIX,
    document_text,
    read_documents,
)
from hmtl.formats.json_files import Fields, read_json
from hmtl.importing.corpus_writer import write_document
from hmtl.importing.docred import Reader, document_name, type_counts, without_rare_types
from hmtl.importing.layouts import LikeConll, Options
from hmtl.importing.splits import DEV, SPLITS, TEST, TRAIN, Splits
from hmtl.importing.tally import Tally

DEVELOPMENT_FILE, TEST_FILE = "dev_revised.json", "test_revised.json"
# All that is read of the test file: who has only these documents of it needs no more.
FIRST_TEST_DOCUMENTS = "test_revised.first350.json"
LABEL_COUNTS = "label_counts.json"
# The columns of what `attributions` gives.
ATTRIBUTIONS = (
    "document",
    "Wikipedia article (text CC BY-SA 3.0, https://en.wikipedia.org/wiki/TITLE)",
)

# Wikidata's labels (CC0) of the properties that are DocRED's relation types.
_RELATION_NAMES = Path(__file__).with_name("relation_names.json")
_LEAST_RELATIONS = 30
# The split of a test document, by its number: the first whose bound is above it.
_TEST_BOUNDS = {TRAIN: 100, DEV: 225, TEST: 350}
_COLLECTIONS = {DEVELOPMENT_FILE: "redocred-dev", TEST_FILE: "redocred-test"}


def convert(folder: Path, directory: Path, whole: Path, tally: Tally) -> None:
    """
    Write `<split>/redocred_<split>_<nn>.like_conll`, `single_file/<split>.like_conll` and
    `label_counts.json`; and `<split>.json` of the same documents in their own form.

    # Parameters

    folder : `Path`
        Holds the two JSON files.
    directory, whole : `Path`
        For the one and the other.
    tally : `Tally`

    # Raises

    `DataError`
        With file and document, for what is no DocRED.
    """
    split_of: dict[str, str] = {}
    documents: list[Document] = []
    for split, document in tqdm(
        _read(folder, tally), "reading Re-DocRED", unit=" documents", disable=None
    ):
        split_of[document.name] = split
        documents.append(document)
    division = Splits(split_of.get, "as the open corpora are")
    layout = _Layout(directory, tally, Options())
    counts = type_counts(documents, division)
    kept = without_rare_types(documents, counts, _LEAST_RELATIONS, tally)
    for document in tqdm(
        kept, "writing Re-DocRED", len(documents), unit=" documents", disable=None
    ):
        write_document(document, layout, division, division, tally)
    layout.write_label_counts()
    whole.mkdir()
    for split in SPLITS:
        texts = [document_text(each) for each in documents if split_of[each.name] == split]
        content = BEGIN + BETWEEN.join(texts) + END
        (whole / f"{split}{SUFFIX}").write_text(content, encoding="utf-8", newline="\n")


def attributions(folder: Path) -> Iterator[tuple[str, str]]:
    """For each document that is used its name and the title of its Wikipedia article."""
    for file, collection in _COLLECTIONS.items():
        path = _path(folder, file)
        for number, content in enumerate(read_json(path)[: _used(file)]):
            title = Fields(content, path).string("title")
            yield document_name(collection, number, title), title


def _path(folder: Path, file: str) -> Path:
    path = folder / file
    return folder / FIRST_TEST_DOCUMENTS if file == TEST_FILE and not path.is_file() else path


def _used(file: str) -> int | None:
    """How many documents of a file are used; `None`: all."""
    return max(_TEST_BOUNDS.values()) if file == TEST_FILE else None


def _read(folder: Path, tally: Tally) -> Iterator[tuple[str, Document]]:
    """The documents with their splits, each split's in the order in which they are written."""
    reader = Reader(read_json(_RELATION_NAMES), tally)
    for file, collection in _COLLECTIONS.items():
        documents = read_documents(_path(folder, file))
        for number, whole in enumerate(islice(documents, _used(file))):
            document = reader.by_spans(whole)
            document.name = document_name(collection, number, whole.name)
            if file == TEST_FILE:
                yield next(s for s, bound in _TEST_BOUNDS.items() if number < bound), document
            else:
                yield TRAIN, document


class _Layout(LikeConll):
    """Files that are named after the corpus; counts the labels that are written."""

    prefix = "redocred_"

    def __init__(self, directory: Path, tally: Tally, options: Options) -> None:
        super().__init__(directory, tally, options)
        self._counts: dict[str, dict[str, Counter[str]]] = {}

    def write(self, document: Document, split: str | None, coref_split: str | None) -> None:
        super().write(document, split, coref_split)
        empty = {"mentions": Counter[str](), "relations": Counter[str]()}
        counts = self._counts.setdefault(str(split), empty)
        counts["mentions"].update(mention.type for mention in document.mentions)
        sentences = document.sentence_of_words()
        as_written = sorted(document.relations, key=lambda r: (sentences[r.arg1[0]], r))
        counts["relations"].update(relation.type for relation in as_written)

    def write_label_counts(self) -> None:
        """Of each split and kind the labels, the most frequent first, then the one that was met first."""
        ordered = {
            split: {kind: dict(counts.most_common()) for kind, counts in kinds.items()}
            for split, kinds in self._counts.items()
        }
        text = json.dumps(ordered, indent=1)
        (self.directory / LABEL_COUNTS).write_text(text, encoding="utf-8")
