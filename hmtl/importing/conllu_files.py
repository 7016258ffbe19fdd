"""
CoNLL-U files (https://universaldependencies.org/format.html): ten columns, parted by tabs, a word a line,
with comments above each sentence and a blank line below.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from os import PathLike

from hmtl.errors import DataError
from hmtl.formats.columns import Rows, SentenceBuffer, read_lines, shown

ID, FORM, LEMMA, UPOS, XPOS, FEATS, HEAD, DEPREL, DEPS, MISC = range(10)
LAYOUT = "ID FORM LEMMA UPOS XPOS FEATS HEAD DEPREL DEPS MISC, parted by tabs"
NOTHING = "_"
NEW_DOCUMENT, ENTITY_FIELDS = "newdoc", "global.Entity"

# 8, 8-9 over the words that are written as one, 8.1 for one that is not written.
_ID = re.compile(r"(?P<word>[0-9]+)(?P<other>[-.][0-9]+)?")


@dataclass(slots=True)
class ConlluSentence:
    """
    # Parameters

    comments : `dict[str, str]`
        `# key = value`; the value of a comment without `=` is empty.
    rows : `Rows`
        Of all ten columns.
    words : `list[int]`
        Which of the rows are words: neither the tokens that several are written as nor empty nodes.
    """

    comments: dict[str, str]
    rows: Rows
    words: list[int]

    def column(self, index: int) -> list[str]:
        """One column of the words."""
        return [self.rows.cells[row][index] for row in self.words]


@dataclass(slots=True)
class ConlluDocument:
    """
    # Parameters

    name : `str`
        What `# newdoc id =` says; may be empty.
    entity_fields : `list[str]`
        What stands in the brackets of `Entity=`, by the `# global.Entity =` of the file.
    sentences : `list[ConlluSentence]`
    """

    name: str
    entity_fields: list[str]
    sentences: list[ConlluSentence] = field(default_factory=list)


def read_documents(path: str | PathLike[str]) -> Iterator[ConlluDocument]:
    """
    Streams the documents of a file, one in memory at a time. What stands before the first `# newdoc` is one.

    # Raises

    `DataError`
        With file and line, for whatever is no CoNLL-U, or if there is no sentence.
    """
    document: ConlluDocument | None = None
    entity_fields: list[str] = []
    for sentence in read_sentences(path):
        comments = sentence.comments
        if ENTITY_FIELDS in comments:
            entity_fields = comments[ENTITY_FIELDS].split("-")
        marks = [key for key in comments if key.split()[:1] == [NEW_DOCUMENT]]
        if document is None or marks:
            if document is not None:
                yield document
            name = comments[marks[0]] if marks else ""
            document = ConlluDocument(name, entity_fields)
        document.sentences.append(sentence)
    if document is None:
        raise DataError("the file holds no sentence", path)
    yield document


def read_sentences(path: str | PathLike[str]) -> Iterator[ConlluSentence]:
    """
    Streams the sentences of a file.

    # Raises

    `DataError`
        With file and line, for whatever is no CoNLL-U.
    """
    buffer = SentenceBuffer(path, LAYOUT, MISC + 1)
    comments: dict[str, str] = {}
    is_inside = False
    for line, text in read_lines(path):
        if not text.strip():
            rows = buffer.take()
            if rows is not None:
                yield _sentence(comments, rows)
                comments = {}
            is_inside = False
        elif is_inside or not text.startswith("#"):
            buffer.add(line, text.split("\t"))
            is_inside = True
        else:
            key, _, value = text[1:].partition("=")
            comments[key.strip()] = value.strip()
    rows = buffer.take()
    if rows is not None:
        yield _sentence(comments, rows)


def _sentence(comments: dict[str, str], rows: Rows) -> ConlluSentence:
    if rows.num_columns != MISC + 1:
        raise rows.error(f"the row has {rows.num_columns} columns; expected ten: {LAYOUT}")
    words: list[int] = []
    for row, cells in enumerate(rows.cells):
        match = _ID.fullmatch(cells[ID])
        if match is None:
            raise rows.error(
                f"ID (column 1) is {shown(cells[ID])}; expected the number of a word, as 8, or 8-9 or 8.1",
                row,
            )
        if not match["other"]:
            words.append(row)
            if int(match["word"]) != len(words):
                raise rows.error(
                    f"the word's number (column 1) is {cells[ID]}; expected {len(words)}. Is a row missing?",
                    row,
                )
    if not words:
        raise rows.error("the sentence holds no word")
    return ConlluSentence(comments, rows, words)
