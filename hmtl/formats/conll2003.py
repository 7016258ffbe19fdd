"""
The columns of the CoNLL-2003 shared task (Tjong Kim Sang and De Meulder 2003): word, part of
speech, chunk, name tag; a blank line between sentences, `-DOCSTART-` between documents. The many
corpora that share only its first column (word) and last column (tag) are read too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from os import PathLike

from hmtl.errors import DataError, OnFault, passing_over
from hmtl.formats.annotated import Document, Sentence, TreebankColumns
from hmtl.formats.brackets import LabelledSpan
from hmtl.formats.columns import CellError, Rows, SentenceBuffer, read_lines, split_columns
from hmtl.formats.tags import spans_to_tags, split_tag, tags_to_spans

LAYOUT = "word, other columns (any number), name tag"
FEWEST_COLUMNS = 2
WORD, NAME_TAG = 0, -1
DOCUMENT_START = "-DOCSTART-"
# As the shared task's own files mark the beginning of a document, followed by a blank line.
BEGIN = f"{DOCUMENT_START} -X- O O"
NO_CHUNK = "O"
_OTHER_SCHEME = re.compile(r"[ELSU]-.")
_OTHER_SCHEME_HINT = (
    ". This is a tag of BIOES or BIOUL: hmtl import conll2003 reads these too, and writes "
    "the corpus in BIO tags"
)


def read_sentences(
    path: str | PathLike[str], on_error: OnFault | None = None
) -> Iterator[tuple[Sentence, list[LabelledSpan]]]:
    """
    Streams the sentences of a CoNLL-2003 file with their named entities, which are ordered by start; no two
    share a token. Name tags may be IOB1, as published, or BIO, as in many copies: what a tag means is the
    same under both where it stands in a file of that scheme. `on_error` is given the errors of sentences,
    which are then passed over, in place of raising them.

    # Raises

    `DataError`
        With file and line, for whatever the format does not allow.
    """
    line, is_empty = 1, True
    buffer = SentenceBuffer(path, LAYOUT, FEWEST_COLUMNS, on_error=on_error)
    for line, text in read_lines(path):
        cells = split_columns(text)
        if cells and cells[0] != DOCUMENT_START:
            is_empty = False
            buffer.add(line, cells)
        else:
            yield from _sentence(buffer.take(), on_error)
    yield from _sentence(buffer.take(), on_error)
    if is_empty:
        raise DataError(f"the file holds no sentence; expected rows of: {LAYOUT}", path, line)


def _sentence(
    rows: Rows | None, on_error: OnFault | None
) -> Iterator[tuple[Sentence, list[LabelledSpan]]]:
    if rows is not None:
        with passing_over(on_error):
            names = rows.parse(NAME_TAG, "name tag", _name_spans)
            yield Sentence(rows.column(WORD), line=rows.line), names


def _name_spans(tags: list[str]) -> list[LabelledSpan]:
    for row, tag in enumerate(tags):
        try:
            split_tag(tag, "BIO")
        except ValueError as error:
            hint = _OTHER_SCHEME_HINT if _OTHER_SCHEME.match(tag) else ""
            raise CellError(f"{error}{hint}", row) from error
    return tags_to_spans(tags, "BIO")


def conll2003_lines(document: Document, scheme: str = "BIO") -> Iterator[str]:
    """
    The lines for one document, without their ends. The format has no place for its name.

    # Parameters

    document : `Document`
        No two of its names share a token or cross the end of a sentence.
    scheme : `str`, optional (default = `"BIO"`)
        `"BIO"`, `"IOB1"` (which the shared task used) or `"BIOUL"`.
    """
    yield BEGIN
    yield ""
    for sentence, names in zip(document.sentences, document.by_sentence(document.names)):
        tags = spans_to_tags([name.labelled for name in names], len(sentence), scheme)
        treebank = sentence.treebank or TreebankColumns.absent(len(sentence))
        for word, pos_tag, tag in zip(sentence.words, treebank.pos_tags, tags):
            yield f"{word} {pos_tag} {NO_CHUNK} {tag}"
        yield ""
