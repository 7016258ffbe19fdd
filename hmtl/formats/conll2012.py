"""
The columns of the CoNLL-2012 shared task (Pradhan et al. 2012), in which OntoNotes 5 is read:
document, part, word number, word, part of speech, parse, lemma, frameset, sense, speaker, names,
one column per predicate, coreference.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from hmtl.errors import DataError
from hmtl.formats.brackets import LabelledSpan, Span, bracket_spans, coref_spans
from hmtl.formats.columns import Rows
from hmtl.formats.documents import Document, read_raw_documents
from hmtl.formats.files import documents_in

logger = logging.getLogger(__name__)

LAYOUT = (
    "document, part, word number, word, part of speech, parse, lemma, frameset, sense, speaker, "
    "names, predicates (any number of columns), coreference"
)
FEWEST_COLUMNS = 12
WORD_NUMBER, WORD, POS_TAG, NAMES, COREFERENCE = 2, 3, 4, 10, -1
# The treebank writes a sentence-final mark it had to tell from others with a slash.
_ESCAPED_WORDS = {"/.": ".", "/?": "?"}
# Parts of OntoNotes that nobody annotated for names have this in place of '*'.
_NOT_ANNOTATED = "-"
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
    names : `list[LabelledSpan]`
        Named entities, ordered by start; the notation lets them nest.
    coref : `dict[int, list[Span]]`
        For each cluster id its mentions in this sentence.
    """

    line: int
    words: list[str]
    pos_tags: list[str]
    names: list[LabelledSpan]
    coref: dict[int, list[Span]]


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
        sentences = [_parse_sentence(rows) for rows in raw.sentences]
        yield Conll2012Document(raw.name, raw.part, raw.line, sentences)


def _parse_sentence(rows: Rows) -> Conll2012Sentence:
    rows.check_numbers(WORD_NUMBER, "the word number")
    return Conll2012Sentence(
        line=rows.line,
        words=[_ESCAPED_WORDS.get(word, word) for word in rows.column(WORD)],
        pos_tags=rows.column(POS_TAG),
        names=rows.parse(NAMES, "names", _name_spans),
        coref=rows.parse(COREFERENCE, "coreference", coref_spans),
    )


def _name_spans(cells: list[str]) -> list[LabelledSpan]:
    return bracket_spans(["*" if cell == _NOT_ANNOTATED else cell for cell in cells])
