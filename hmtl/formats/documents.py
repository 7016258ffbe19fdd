"""
Column files made of documents, as in CoNLL-2012: `#begin document (name); part 000`, one row a
token, a blank line between sentences, `#end document`. The last column, of coreference, may be empty where
tabs part the columns.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from os import PathLike
from typing import Generic, Protocol, TypeVar

from hmtl.errors import DataError
from hmtl.formats.brackets import NO_CLUSTER, NOTHING, ClusterId, Span
from hmtl.formats.columns import Rows, SentenceBuffer, read_lines, shown, split_columns

BEGIN_DOCUMENT = "#begin document"
END_DOCUMENT = "#end document"
_BEGIN = re.compile(
    r"#begin document (?:\((?P<name>.+)\)|(?P<bare>[^\s();](?:[^();]*[^\s();])?))"
    r"(?:; *part (?P<part>[0-9]{1,9}))?[ \t]*"
)


@dataclass(slots=True)
class RawDocument:
    """
    The rows of one document.

    # Parameters

    name : `str`
        What `#begin document` gives, in parentheses or without them.
    part : `int`
        CoNLL-2012 cuts long documents into parts; 0 where none is given.
    line : `int`
        The line of `#begin document`, counted from 1.
    sentences : `list[Rows]`
    """

    name: str
    part: int
    line: int
    sentences: list[Rows] = field(default_factory=list)


class CorefSentence(Protocol):
    """What a `Document` needs of its sentences."""

    words: list[str]
    coref: dict[ClusterId, list[Span]]


SentenceT = TypeVar("SentenceT", bound=CorefSentence)


@dataclass(slots=True)
class Document(Generic[SentenceT]):
    """
    One parsed document (of CoNLL-2012: one part of it).

    # Parameters

    name : `str`
    part : `int`
        0 where the file gives none.
    line : `int`
        The line of `#begin document`, counted from 1.
    sentences : `list[SentenceT]`
    """

    name: str
    part: int
    line: int
    sentences: list[SentenceT]

    def clusters(self) -> dict[ClusterId, list[Span]]:
        """
        For each cluster id its mentions, as inclusive token spans counted from the start of the
        document; mentions in document order, clusters in the order of their first mentions.
        """
        clusters: dict[ClusterId, list[Span]] = {}
        offset = 0
        for sentence in self.sentences:
            for cluster, spans in sentence.coref.items():
                mentions = clusters.setdefault(cluster, [])
                mentions.extend((start + offset, end + offset) for start, end in spans)
            offset += len(sentence.words)
        return clusters


class _DocumentBuilder:
    """Follows the lines of a file, and holds the document that is open."""

    def __init__(self, path: str | PathLike[str], layout: str, fewest_columns: int) -> None:
        self._path = path
        self._buffer = SentenceBuffer(path, layout, fewest_columns, NO_CLUSTER)
        self._document: RawDocument | None = None

    def begin(self, line: int, text: str) -> None:
        if self._document is not None:
            raise self._error(
                f"a document begins inside document {shown(self._document.name)} (begun on line "
                f"{self._document.line}); expected '{END_DOCUMENT}' before it",
                line,
            )
        match = _BEGIN.fullmatch(text)
        if match is None:
            raise self._error(
                f"malformed {shown(text)}; expected '{BEGIN_DOCUMENT} (name)' or "
                f"'{BEGIN_DOCUMENT} (name); part 000'",
                line,
            )
        self._document = RawDocument(match["name"] or match["bare"], int(match["part"] or 0), line)

    def add_row(self, line: int, cells: list[str], ends_in_tab: bool) -> None:
        if self._document is None:
            raise self._error(
                f"the row {shown(' '.join(cells))} stands outside a document; expected "
                f"'{BEGIN_DOCUMENT} (name)' before it",
                line,
            )
        if ends_in_tab and NOTHING in cells[-1]:
            # A cell of brackets is none of coreference.
            cells, ends_in_tab = [*cells, NO_CLUSTER], False
        self._buffer.add(line, cells, ends_in_tab)

    def end_sentence(self) -> None:
        rows = self._buffer.take()
        if rows is not None and self._document is not None:
            self._document.sentences.append(rows)

    def end(self, line: int) -> RawDocument:
        if self._document is None:
            raise self._error(
                f"'{END_DOCUMENT}' without a document; expected '{BEGIN_DOCUMENT} (name)' before",
                line,
            )
        self.end_sentence()
        document, self._document = self._document, None
        return document

    def end_of_file(self, last_line: int) -> None:
        if self._document is not None:
            raise self._error(
                f"the file ends inside document {shown(self._document.name)} (begun on line "
                f"{self._document.line}); expected '{END_DOCUMENT}'. Is the file cut short?",
                last_line,
            )

    def _error(self, message: str, line: int) -> DataError:
        return DataError(message, self._path, line)


def read_raw_documents(
    path: str | PathLike[str], layout: str, fewest_columns: int
) -> Iterator[RawDocument]:
    """
    Streams the documents of a file, one in memory at a time.

    # Parameters

    path : `str` or `PathLike`
    layout : `str`
        The columns of the format, as an error message names them.
    fewest_columns : `int`
        How many columns a row has at least.

    # Raises

    `DataError`
        With file and line, for anything that is not the layout above, or no document at all.
    """
    builder = _DocumentBuilder(path, layout, fewest_columns)
    line, num_documents = 1, 0
    for line, full_text in read_lines(path):
        text = full_text.strip(" \t")
        if text.startswith(BEGIN_DOCUMENT):
            builder.begin(line, text)
        elif text.startswith(END_DOCUMENT):
            yield builder.end(line)
            num_documents += 1
        elif text.startswith("#"):
            raise DataError(
                f"unknown line {shown(text)}; expected '{BEGIN_DOCUMENT} (name)', "
                f"'{END_DOCUMENT}', a row or a blank line. Comments have no place here: remove them",
                path,
                line,
            )
        elif text:
            builder.add_row(line, split_columns(text), full_text.endswith("\t"))
        else:
            builder.end_sentence()
    builder.end_of_file(line)
    if num_documents == 0:
        raise DataError(
            f"the file holds no document; expected '{BEGIN_DOCUMENT} (name)'", path, line
        )
