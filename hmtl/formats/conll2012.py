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
from functools import partial
from itertools import count
from os import PathLike
from pathlib import Path

from hmtl.errors import DataError, OnFault
from hmtl.formats.annotated import Document, Sentence, TreebankColumns, mentions_of
from hmtl.formats.brackets import LabelledSpan, bracket_cells, bracket_spans
from hmtl.formats.columns import Rows
from hmtl.formats.documents import END_DOCUMENT, begin_line, coref_columns, read
from hmtl.formats.files import documents_in

logger = logging.getLogger(__name__)

LAYOUT = (
    "document, part, word number, word, part of speech, parse, lemma, frameset, sense, speaker, "
    "names, predicates (any number of columns), coreference"
)
NAMES_LAYOUT = LAYOUT.partition(", predicates")[0]
COREFERENCE_LAYOUT = "document, part, word number, word, others (any number), coreference"
FEWEST_COLUMNS, FEWEST_FOR_NAMES, FEWEST_FOR_COREFERENCE = 12, 11, 5
WORD_NUMBER, WORD, NAMES = 2, 3, 10
# Of the treebank: part of speech, parse, lemma, frameset, sense and speaker; and predicates.
TREEBANK, FIRST_PREDICATE = range(4, 10), 11
# The treebank writes a sentence-final mark it had to tell from others with a slash.
_ESCAPED_WORDS = {"/.": ".", "/?": "?"}
# Parts of OntoNotes that nobody annotated for names have `-` in place of '*', other corpora `_`.
_NOT_ANNOTATED = ("-", "_")
SUFFIX = "_conll"
# The shared task lays a second copy of each file, with predicted columns, beside the gold one.
_PREDICTED_SUFFIX = "auto_conll"


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


def read_documents(
    path: str | PathLike[str], on_error: OnFault | None = None
) -> Iterator[Document]:
    """
    Streams the documents of a CoNLL-2012 file, with names and the treebank's columns where it has them. Words
    are as in the file, but for OntoNotes' escapes: `/.` and `/?` come without the slash. `on_error` is as in
    `hmtl.formats.documents.read`.

    # Raises

    `DataError`
        With file and line, for whatever the format does not allow.
    """
    add_sentence = partial(_add_sentence, names=True, coreference=True)
    return read(path, COREFERENCE_LAYOUT, FEWEST_FOR_COREFERENCE, add_sentence, True, on_error)


def read_names(path: str | PathLike[str], on_error: OnFault | None = None) -> Iterator[Document]:
    """As `read_documents`, but names alone: the column of coreference may be missing, or hold anything."""
    add_sentence = partial(_add_sentence, names=True, coreference=False)
    return read(path, NAMES_LAYOUT, FEWEST_FOR_NAMES, add_sentence, False, on_error)


def read_coreference(
    path: str | PathLike[str], with_treebank: bool = False, on_error: OnFault | None = None
) -> Iterator[Document]:
    """
    As `read_documents`, but coreference alone: the column of names, and all others between word and
    coreference, may be missing, or hold anything. With the treebank's columns, all must be there.
    """
    add_sentence = partial(_add_sentence, names=False, coreference=True)
    if with_treebank:
        add_sentence = partial(add_sentence, treebank=True)
        return read(path, LAYOUT, FEWEST_COLUMNS, add_sentence, True, on_error)
    return read(path, COREFERENCE_LAYOUT, FEWEST_FOR_COREFERENCE, add_sentence, True, on_error)


def read_treebank(path: str | PathLike[str], on_error: OnFault | None = None) -> Iterator[Document]:
    """
    As `read_documents`, but words and the treebank's columns alone, which all sentences have: those of names
    and coreference may hold anything.
    """
    return read(path, LAYOUT, FEWEST_COLUMNS, _add_treebank, False, on_error)


def _add_treebank(document: Document, rows: Rows, first: int) -> None:
    sentence = Sentence(_words(rows), treebank=_treebank(rows), line=rows.line)
    document.sentences.append(sentence)


def _add_sentence(
    document: Document,
    rows: Rows,
    first: int,
    names: bool,
    coreference: bool,
    treebank: bool = False,
) -> None:
    columns = _treebank(rows) if treebank or names and coreference else None
    document.sentences.append(Sentence(_words(rows), treebank=columns, line=rows.line))
    if names and rows.num_columns > NAMES + coreference:
        document.names += mentions_of(rows.parse(NAMES, "names", _name_spans), first)


def _words(rows: Rows) -> list[str]:
    rows.check_numbers(WORD_NUMBER, "the word number")
    return [_ESCAPED_WORDS.get(word, word) for word in rows.column(WORD)]


def _treebank(rows: Rows) -> TreebankColumns | None:
    if rows.num_columns < FEWEST_COLUMNS:
        return None
    predicates = [rows.column(index) for index in range(FIRST_PREDICATE, rows.num_columns - 1)]
    return TreebankColumns(*map(rows.column, TREEBANK), predicates=predicates)


def _name_spans(cells: list[str]) -> list[LabelledSpan]:
    return bracket_spans(["*" if cell in _NOT_ANNOTATED else cell for cell in cells])


def conll2012_lines(document: Document) -> Iterator[str]:
    """
    The lines of a CoNLL-2012 file for one document (or part), without their ends: names, coreference
    (clusters numbered in document order), and the treebank's columns where the sentences have them.

    # Parameters

    document : `Document`
        As `hmtl.importing.resolution.for_columns` leaves it; what the notation cannot hold is a `ValueError`.
    """
    yield begin_line(document)
    for sentence, names, coref in zip(
        document.sentences, document.by_sentence(document.names), coref_columns(document)
    ):
        treebank = sentence.treebank or TreebankColumns.absent(len(sentence))
        columns = [
            map(str, count()),
            sentence.words,
            treebank.pos_tags,
            treebank.parse,
            treebank.lemmas,
            treebank.framesets,
            treebank.senses,
            treebank.speakers,
            bracket_cells([name.labelled for name in names], len(sentence)),
            *treebank.predicates,
            coref,
        ]
        yield from (f"{document.name} {document.part} {' '.join(cells)}" for cells in zip(*columns))
        yield ""
    yield END_DOCUMENT
