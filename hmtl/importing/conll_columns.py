"""
Names as tags in columns: CoNLL-2003 and any file with a token a line, a blank line between sentences, and
BIO, IOB1 or BIOUL (BIOES, BILOU) tags in some column; one file or a folder of them.

Documents begin at -DOCSTART- lines; a file without them is one document, unless --sentences-per-document cuts
it. Each is named after its file and numbered. Columns beside word and tag are not read, but for the parts of
speech that --pos asks for.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hmtl.errors import DataError
from hmtl.formats.annotated import Document, Sentence, TreebankColumns, mentions_of
from hmtl.formats.brackets import LabelledSpan
from hmtl.formats.columns import (
    CellError,
    Rows,
    SentenceBuffer,
    read_lines,
    split_columns,
)
from hmtl.formats.conll2003 import DOCUMENT_START
from hmtl.formats.tags import OUTSIDE, split_tag, tags_to_spans
from hmtl.importing import corpus_writer
from hmtl.importing.sources import files_in, name_of
from hmtl.importing.tally import Tally

SUFFIXES = (
    ".txt",
    ".conll",
    ".bio",
    ".iob",
    ".iob2",
    ".tsv",
    ".tags",
    ".train",
    ".testa",
    ".testb",
)
AUTO, BIO, BIOUL = "auto", "BIO", "BIOUL"
# What the choices of --scheme are read as: IOB1 and BIO tags read alike, and BIOES is BIOUL in other letters.
SCHEMES = {AUTO: AUTO, "BIO": BIO, "IOB1": BIO, "BIOUL": BIOUL, "BIOES": BIOUL, "BILOU": BIOUL}
REMEDY = (
    f", or, where a file has no {DOCUMENT_START} lines, cut it into documents of N sentences with "
    "--sentences-per-document N"
)
HINT = "--tag and --scheme say where tags are and what they are"
ILL_FORMED = "are of no well-formed name"
REPAIRED = "begin with I- and were read as names of their own"
_BIOES_LETTERS = {"E": "L", "S": "U"}
_TAG = re.compile(r"O|[BIELSU]-\S+")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the format."""
    group = parser.add_argument_group("columns (counted from 1; from the end: -1 is the last)")
    group.add_argument("--word", type=_column, default=0, metavar="N", help="words (default: 1)")
    group.add_argument("--tag", type=_column, default=-1, metavar="N", help="tags (default: -1)")
    group.add_argument(
        "--pos", type=_column, metavar="N", help="parts of speech (default: not read)"
    )
    group.add_argument(
        "--tabs",
        action="store_true",
        help="columns are parted by tabs only (default: by any blanks)",
    )
    group.add_argument(
        "--scheme",
        choices=SCHEMES,
        default=AUTO,
        help="of the tags (default: auto, which takes E-, L-, S- and U- for BIOUL, per file)",
    )
    parser.add_argument(
        "--suffix",
        action="append",
        metavar="END",
        help="what names of files in a folder end in; may be repeated (default: "
        f"{', '.join(SUFFIXES)})",
    )
    parser.add_argument(
        "--comment",
        metavar="TEXT",
        help="lines that begin so are passed over, as those of # in many files, but for rows with as many "
        "columns as others and a tag (default: none)",
    )
    parser.add_argument(
        "--sentences-per-document",
        type=int,
        metavar="N",
        help="cut a file without -DOCSTART- into documents of N sentences, so that it can be split",
    )
    corpus_writer.add_arguments(parser, default_layout="conll2003")


def _column(text: str) -> int:
    """A column's index in Python's sense."""
    number = int(text)
    if number == 0:
        raise argparse.ArgumentTypeError("columns are counted from 1, or from -1 at the end")
    return number - 1 if number > 0 else number


def run(arguments: argparse.Namespace) -> Tally:
    """Converts a file or a folder."""
    tally = Tally()
    files = files_in(arguments.source, arguments.suffix or SUFFIXES)

    bioul: set[Path] = set()

    def names(path: Path, tally: Tally) -> Iterator[str]:
        for name, sentences in _Reader(arguments, tally).named(path):
            if path not in bioul and any(map(is_bioul, _tags(sentences, arguments.tag))):
                bioul.add(path)
            yield name

    def documents(path: Path, tally: Tally) -> Iterator[Document]:
        scheme = SCHEMES[arguments.scheme]
        if scheme == AUTO:
            scheme = BIOUL if path in bioul else BIO
        return _Reader(arguments, tally).documents(path, scheme)

    return corpus_writer.convert_files(arguments, files, names, documents, tally, REMEDY)


def _tags(sentences: Iterable[Rows], column: int) -> Iterator[str]:
    return (cells[column] for rows in sentences for cells in rows.cells)


@dataclass(frozen=True)
class _Reader:
    options: argparse.Namespace
    tally: Tally

    def documents(self, path: Path, scheme: str) -> Iterator[Document]:
        for name, sentences in self.named(path):
            yield self._document(name, sentences, scheme)

    def named(self, path: Path) -> Iterator[tuple[str, list[Rows]]]:
        """The sentences of each document with its name."""
        # With its suffix, in which files may differ alone, as eng.testa and eng.testb do.
        file = name_of(path, self.options.source)
        for number, sentences in enumerate(self._documents_of_rows(path), start=1):
            yield f"{file}-{number:05d}", sentences

    def _documents_of_rows(self, path: Path) -> Iterator[list[Rows]]:
        sentences: list[Rows] = []
        most = self.options.sentences_per_document
        is_marked = False
        for rows in self._sentences(path):
            if rows is None:
                is_marked = True
            else:
                sentences.append(rows)
            if sentences and (rows is None or (not is_marked and len(sentences) == most)):
                yield sentences
                sentences = []
        if sentences:
            yield sentences

    def _sentences(self, path: Path) -> Iterator[Rows | None]:
        """The sentences of a file; `None` where a document begins."""
        buffer = SentenceBuffer(
            path,
            "word, tag and others, as --word and --tag say",
            self._fewest(),
            on_error=self.tally.faults.add,
        )
        line, num_sentences, num_columns, inside = 1, 0, 0, False
        by_tabs, comment = self.options.tabs, self.options.comment
        for line, text in read_lines(path):
            cells = split_columns(text) if not by_tabs else text.split("\t") if text.strip() else []
            if comment and self._is_comment(text, cells, num_columns, inside):
                continue
            is_start = cells[:1] == [DOCUMENT_START]
            inside = bool(cells) and not is_start
            if inside:
                buffer.add(line, cells)
                num_columns = len(cells)
                continue
            rows = buffer.take()
            if rows is not None:
                yield rows
                num_sentences += 1
            if is_start:
                yield None
        rows = buffer.take()
        if rows is not None:
            yield rows
        elif num_sentences == 0 and not self.tally.faults:
            raise DataError("the file holds no sentence", path, line)

    def _is_comment(self, text: str, cells: list[str], num_columns: int, inside: bool) -> bool:
        """
        Whether a line is passed over. `#Oslo B-LOC` is a row: it has a tag where the others have theirs. A
        `#` alone is a word only inside a sentence, or where a tab follows it.
        """
        begin = self.options.comment
        if not begin or not text.startswith(begin):
            return False
        fits = len(cells) == num_columns if num_columns else len(cells) >= self._fewest()
        may_be_word = cells[:1] != [begin.strip()] or inside or text.startswith(f"{begin}\t")
        return not (fits and may_be_word and _TAG.fullmatch(cells[self.options.tag]))

    def _fewest(self) -> int:
        asked = [self.options.word, self.options.tag]
        asked += [] if self.options.pos is None else [self.options.pos]
        return max(index + 1 if index >= 0 else -index for index in asked)

    def _document(self, name: str, sentences: Sequence[Rows], scheme: str) -> Document:
        document = Document(name, [])
        first = 0
        for rows in sentences:
            document.sentences.append(self._sentence(rows))
            with self.tally.faults:
                document.names += mentions_of(self._spans(rows, scheme), first)
            first += len(rows)
        return document

    def _sentence(self, rows: Rows) -> Sentence:
        words = rows.column(self.options.word)
        if self.options.pos is None:
            return Sentence(words, line=rows.line)
        treebank = replace(
            TreebankColumns.absent(len(words)), pos_tags=rows.column(self.options.pos)
        )
        return Sentence(words, treebank=treebank, line=rows.line)

    def _spans(self, rows: Rows, scheme: str) -> list[LabelledSpan]:
        tags = rows.parse(self.options.tag, "tag", lambda cells: checked(cells, scheme))
        spans = tags_to_spans(tags, scheme)
        if scheme == BIOUL:
            covered = sum(end - start + 1 for _, (start, end) in spans)
            tagged = sum(tag != OUTSIDE for tag in tags)
            self.tally.dropped("tags", ILL_FORMED, tagged - covered)
        elif self.options.scheme == BIO:
            repaired = sum(tags[start].startswith("I-") for _, (start, _) in spans)
            self.tally.changed("names", REPAIRED, repaired)
        return spans


def is_bioul(tag: str) -> bool:
    """Whether a tag can only be one of BIOUL, or BIOES."""
    return tag[1:2] == "-" and tag[0] in "ELSU"


def checked(tags: list[str], scheme: str) -> list[str]:
    """
    The tags in the letters of `scheme`.

    # Raises

    `CellError`
        For one that is none of it.
    """
    result = []
    for row, tag in enumerate(tags):
        if scheme == BIOUL and tag[1:2] == "-":
            tag = _BIOES_LETTERS.get(tag[0], tag[0]) + tag[1:]
        try:
            split_tag(tag, scheme)
        except ValueError as error:
            raise CellError(f"{error}. {HINT}", row) from error
        result.append(tag)
    return result
