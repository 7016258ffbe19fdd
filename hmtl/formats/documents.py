"""
Column files made of documents, as in CoNLL-2012: `#begin document (name); part 000`, one row a
token, a blank line between sentences, `#end document`. The last column, of coreference, may be empty where
tabs part the columns.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from os import PathLike

from hmtl.errors import DataError, OnFault
from hmtl.formats.annotated import Document, shifted
from hmtl.formats.brackets import (
    NO_CLUSTER,
    NOTHING,
    ClusterId,
    Span,
    coref_cells,
    coref_spans,
)
from hmtl.formats.columns import Rows, SentenceBuffer, read_lines, shown, split_columns

BEGIN_DOCUMENT = "#begin document"
END_DOCUMENT = "#end document"
_BEGIN = re.compile(
    r"#begin document (?:\((?P<name>.+)\)|(?P<bare>[^\s();](?:[^();]*[^\s();])?))"
    r"(?:; *part (?P<part>[0-9]{1,9}))?[ \t]*"
)
COREFERENCE = -1

# Adds a sentence to a document, with all that its rows tell but coreference, given its first token's place.
AddSentence = Callable[[Document, Rows, int], None]


class _DocumentBuilder:
    """Follows the lines of a file, and holds the document that is open."""

    def __init__(
        self,
        path: str | PathLike[str],
        layout: str,
        fewest_columns: int,
        add_sentence: AddSentence,
        coreference: bool,
    ) -> None:
        self._path = path
        self._buffer = SentenceBuffer(path, layout, fewest_columns, NO_CLUSTER)
        self._add_sentence = add_sentence
        self._coreference = coreference
        self._document: Document | None = None
        self._clusters: dict[ClusterId, list[Span]] = {}
        self._num_words = 0

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
        part = int(match["part"] or 0)
        self._document = Document(match["name"] or match["bare"], [], part=part, line=line)
        self._clusters, self._num_words = {}, 0

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
        if rows is None or self._document is None:
            return
        first = self._num_words
        self._add_sentence(self._document, rows, first)
        self._num_words += len(rows)
        if self._coreference:
            for cluster, spans in rows.parse(COREFERENCE, "coreference", coref_spans).items():
                mentions = self._clusters.setdefault(cluster, [])
                mentions.extend(shifted(span, first) for span in spans)

    def end(self, line: int) -> Document:
        if self._document is None:
            raise self._error(
                f"'{END_DOCUMENT}' without a document; expected '{BEGIN_DOCUMENT} (name)' before",
                line,
            )
        self.end_sentence()
        document, self._document = self._document, None
        document.clusters = list(self._clusters.values())
        return document

    def abandon(self) -> None:
        """Forget the document that is open, if any."""
        self._document = None
        self._buffer.take()

    def end_of_file(self, last_line: int) -> None:
        if self._document is not None:
            raise self._error(
                f"the file ends inside document {shown(self._document.name)} (begun on line "
                f"{self._document.line}); expected '{END_DOCUMENT}'. Is the file cut short?",
                last_line,
            )

    def _error(self, message: str, line: int) -> DataError:
        return DataError(message, self._path, line)


def read(
    path: str | PathLike[str],
    layout: str,
    fewest_columns: int,
    add_sentence: AddSentence,
    coreference: bool,
    on_error: OnFault | None = None,
) -> Iterator[Document]:
    """
    Streams the documents of a file, one in memory at a time.

    # Parameters

    path : `str` or `PathLike`
    layout : `str`
        The columns of the format, as an error message names them.
    fewest_columns : `int`
        How many columns a row has at least.
    add_sentence : `AddSentence`
    coreference : `bool`
        Whether the last column is read; without it, documents have no clusters.
    on_error : `Callable[[DataError], None]`, optional (default = `None`)
        Is given the first error of a document, which is then passed over, in place of raising it.

    # Returns

    `Iterator[Document]`
        Mentions of a cluster in document order, clusters in the order of their first mentions.

    # Raises

    `DataError`
        With file and line, for anything that is not the layout above, or no document at all.
    """
    builder = _DocumentBuilder(path, layout, fewest_columns, add_sentence, coreference)
    line, num_documents, num_faults, is_passed_over = 1, 0, 0, False
    for line, full_text in read_lines(path):
        text = full_text.strip(" \t")
        is_passed_over = is_passed_over and not text.startswith(BEGIN_DOCUMENT)
        if is_passed_over:
            continue
        try:
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
        except DataError as error:
            if on_error is None:
                raise
            on_error(error)
            builder.abandon()
            num_faults, is_passed_over = num_faults + 1, True
    builder.end_of_file(line)
    if num_documents + num_faults == 0:
        raise DataError(
            f"the file holds no document; expected '{BEGIN_DOCUMENT} (name)'", path, line
        )


def begin_line(document: Document) -> str:
    """Return the line that a document begins with."""
    return f"{BEGIN_DOCUMENT} ({document.name}); part {document.part:03d}"


def coref_columns(document: Document) -> Iterator[list[str]]:
    """Give for each sentence its column of coreference, with clusters numbered in document order."""
    ordered = sorted(sorted(cluster) for cluster in document.clusters if cluster)
    # Of clusters whose first mentions begin at one token, the wider mention stands first on the page.
    ordered.sort(key=lambda cluster: (cluster[0][0], -cluster[0][1]))
    spans = [(number, span) for number, cluster in enumerate(ordered) for span in cluster]
    firsts = [first for first, _ in document.sentence_bounds()]
    within: dict[int, list[tuple[int, Span]]] = {}
    for number, span in spans:
        first = firsts[bisect_right(firsts, span[0]) - 1]
        within.setdefault(first, []).append((number, shifted(span, -first)))
    for first, last in document.sentence_bounds():
        yield coref_cells(within.get(first, ()), last - first + 1)
