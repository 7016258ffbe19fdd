"""
The columns of the CoNLL-2012 shared task (Pradhan et al. 2012), in which OntoNotes 5 is read:
document, part, word number, word, part of speech, parse, lemma, frameset, sense, speaker, names,
one column per predicate, coreference.

Other corpora in these columns have `_` in those that they do not use, or leave out all between word and
coreference.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from hmtl.errors import DataError
from hmtl.formats.brackets import ClusterId, LabelledSpan, Span, bracket_spans, coref_spans
from hmtl.formats.columns import Rows
from hmtl.formats.documents import Document, RawDocument, read_raw_documents
from hmtl.formats.files import documents_in

logger = logging.getLogger(__name__)

LAYOUT = (
    "document, part, word number, word, part of speech, parse, lemma, frameset, sense, speaker, "
    "names, predicates (any number of columns), coreference"
)
NAMES_LAYOUT = LAYOUT.partition(", predicates")[0]
COREFERENCE_LAYOUT = "document, part, word number, word, others (any number), coreference"
FEWEST_COLUMNS, FEWEST_FOR_NAMES, FEWEST_FOR_COREFERENCE = 12, 11, 5
WORD_NUMBER, WORD, POS_TAG, NAMES, COREFERENCE = 2, 3, 4, 10, -1
# The treebank writes a sentence-final mark it had to tell from others with a slash.
_ESCAPED_WORDS = {"/.": ".", "/?": "?"}
# Parts of OntoNotes that nobody annotated for names have `-` in place of '*', other corpora `_`.
_NOT_ANNOTATED = ("-", "_")
SUFFIX = "_conll"
# The shared task lays a second copy of each file, with predicted columns, beside the gold one.
_PREDICTED_SUFFIX = "auto_conll"


@dataclass(slots=True)
class Conll2012Sentence:
    """
    # Parameters

    line : `int`
        The line of the first word, counted from 1.
    words : `list[str]`
        As in the file, but for OntoNotes' escapes: `/.` and `/?` come without the slash.
    pos_tags : `list[str]`
        Empty where the file has no such column.
    names : `list[LabelledSpan]`
        Named entities, ordered by start; the notation lets them nest. Empty where they were not asked for.
    coref : `dict[ClusterId, list[Span]]`
        For each cluster id its mentions in this sentence. Empty where they were not asked for.
    """

    line: int
    words: list[str]
    pos_tags: list[str]
    names: list[LabelledSpan]
    coref: dict[ClusterId, list[Span]]


class Conll2012Document(Document[Conll2012Sentence]):
    """One document, or one part of it, of a CoNLL-2012 file."""


def corpus_files(path: str | PathLike[str]) -> list[Path]:
    """
    The files of a corpus, as `hmtl.formats.files.documents_in` finds them: in a directory all
    `*_conll`, but not `*auto_conll`, which hold predicted annotations.

    # Raises

    `DataError`
        If there is none.
    """
    files = documents_in(path, SUFFIX)
    if not Path(path).is_dir():
        return files
    gold = [file for file in files if not file.name.endswith(_PREDICTED_SUFFIX)]
    if not gold:
        raise DataError(
            f"all files here end in '{_PREDICTED_SUFFIX}' (predicted annotations); expected "
            "'*gold_conll'",
            path,
        )
    if len(gold) < len(files):
        logger.info("%s: left out %d '*auto_conll' files", path, len(files) - len(gold))
    return gold


def read_documents(path: str | PathLike[str]) -> Iterator[Conll2012Document]:
    """
    Streams the documents of a CoNLL-2012 file.

    # Raises

    `DataError`
        With file and line, for whatever the format does not allow.
    """
    for raw in read_raw_documents(path, LAYOUT, FEWEST_COLUMNS):
        yield parse(raw)


def read_names(path: str | PathLike[str]) -> Iterator[Conll2012Document]:
    """As `read_documents`, but without coreference: its column may be missing, or hold anything."""
    for raw in read_raw_documents(path, NAMES_LAYOUT, FEWEST_FOR_NAMES):
        yield parse(raw, coreference=False)


def read_coreference(path: str | PathLike[str]) -> Iterator[Conll2012Document]:
    """
    As `read_documents`, but without names: their column, and all others between word and coreference, may be
    missing, or hold anything.
    """
    for raw in read_raw_documents(path, COREFERENCE_LAYOUT, FEWEST_FOR_COREFERENCE):
        yield parse(raw, names=False)


def parse(raw: RawDocument, names: bool = True, coreference: bool = True) -> Conll2012Document:
    """
    # Parameters

    raw : `RawDocument`
    names, coreference : `bool`, optional (default = `True`)
        What is wanted. Where the rows are too short for both there are no names.

    # Raises

    `DataError`
        With file and line, for whatever the columns' notation does not allow.
    """
    sentences = [_parse_sentence(rows, names, coreference) for rows in raw.sentences]
    return Conll2012Document(raw.name, raw.part, raw.line, sentences)


def _parse_sentence(rows: Rows, names: bool, coreference: bool) -> Conll2012Sentence:
    rows.check_numbers(WORD_NUMBER, "the word number")
    has_names = names and rows.num_columns > NAMES + coreference
    return Conll2012Sentence(
        line=rows.line,
        words=[_ESCAPED_WORDS.get(word, word) for word in rows.column(WORD)],
        pos_tags=rows.column(POS_TAG) if rows.num_columns >= FEWEST_FOR_NAMES else [],
        names=rows.parse(NAMES, "names", _name_spans) if has_names else [],
        coref=rows.parse(COREFERENCE, "coreference", coref_spans) if coreference else {},
    )


def _name_spans(cells: list[str]) -> list[LabelledSpan]:
    return bracket_spans(["*" if cell in _NOT_ANNOTATED else cell for cell in cells])
