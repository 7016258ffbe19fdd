"""
Data sets of Hugging Face's library with a column of tokens and one of tags: what `save_to_disk` wrote, or
.parquet, .arrow and .jsonl files, one or a folder of them.

Tags are strings, or numbers whose names the data set holds (ClassLabel) or --label-names gives, in BIO, IOB1,
BIOUL or BIOES, or plain labels, of which a run is a name. A row is a sentence, and a document, unless
--document names the column that tells documents or --sentences-per-document cuts the rows. A split is told by
the name of a file or folder. Nothing is fetched, and no code of a data set is run.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from hmtl.errors import DataError
from hmtl.formats.annotated import Document, Sentence, mentions_of
from hmtl.formats.brackets import LabelledSpan
from hmtl.formats.columns import CellError, shown_json
from hmtl.formats.json_files import read_json
from hmtl.formats.json_records import read_records
from hmtl.formats.tags import OUTSIDE, tags_to_spans
from hmtl.importing import corpus_writer
from hmtl.importing.conll_columns import AUTO, BIO, BIOUL, SCHEMES, checked, is_bioul
from hmtl.importing.naming import UniqueNames
from hmtl.importing.sources import files_in, name_of
from hmtl.importing.tally import Tally

SUFFIXES = (".parquet", ".arrow", ".jsonl", ".json")
INFO = "dataset_info.json"
# Files of a data set that are none of rows.
INFO_FILES = (INFO, "state.json", "dataset_dict.json", "dataset_infos.json")
_CACHE = "cache-"
IO = "IO"
WORD_COLUMNS = ("tokens", "words", "token")
TAG_COLUMNS = ("ner_tags", "tags", "labels", "ner", "ner_labels")
DOCUMENT_COLUMNS = ("document_id", "doc_id")
# How a data set's own features stand in the schema of its files.
_METADATA = b"huggingface"
_ROWS_AT_ONCE = 1000
# What pyarrow raises beside its own errors.
_ERRORS = (OSError, ValueError, TypeError, LookupError, ArithmeticError, MemoryError)

# By column what a row holds.
Row = dict[str, Any]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the format."""
    parser.add_argument(
        "--word",
        metavar="COLUMN",
        help=f"words (default: the first there is of {', '.join(WORD_COLUMNS)})",
    )
    parser.add_argument(
        "--tag",
        metavar="COLUMN",
        help=f"tags (default: the first there is of {', '.join(TAG_COLUMNS)})",
    )
    parser.add_argument(
        "--label-names",
        metavar="A,B,...",
        help="what tags that are numbers mean, from 0 on (default: what the data set says)",
    )
    parser.add_argument(
        "--scheme",
        choices=[*SCHEMES, IO],
        default=AUTO,
        help="of the tags; IO: plain labels (default: auto, which takes E-, L-, S- and U- for BIOUL, per "
        "sentence, and names of numbers without B- and I- for IO)",
    )
    parser.add_argument(
        "--document",
        metavar="COLUMN",
        help="rows that follow each other and hold the same here are a document (default: the first there "
        f"is of {', '.join(DOCUMENT_COLUMNS)}; else each row is one)",
    )
    parser.add_argument(
        "--sentences-per-document",
        type=int,
        metavar="N",
        help="without such a column: N rows are a document",
    )
    corpus_writer.add_arguments(parser, default_layout="conll2003")


def run(arguments: argparse.Namespace) -> Tally:
    """Converts a data set."""
    tally = Tally()
    source = arguments.source
    files = [
        file
        for file in files_in(source, SUFFIXES)
        if file.name not in INFO_FILES and not file.name.startswith(_CACHE)
    ]
    if not files:
        raise DataError(f"holds no file of rows; expected one of {', '.join(SUFFIXES)}", source)
    first, again = UniqueNames(Tally()), UniqueNames(tally)

    def names(file: Path, tally: Tally) -> Iterator[str]:
        return map(first.of, _Rows(file, arguments, tally).names())

    def documents(file: Path, tally: Tally) -> Iterator[Document]:
        for document in _Rows(file, arguments, tally).documents():
            document.name = again.of(document.name)
            yield document

    return corpus_writer.convert_files(arguments, files, names, documents, tally)


def _pyarrow(path: Path) -> Any:
    """The package that reads what is in columns."""
    try:
        import pyarrow.ipc
        import pyarrow.parquet
    except ImportError as error:
        raise DataError(
            "files in columns need the package pyarrow; install it with: pip install 'hmtl[huggingface]'",
            path,
        ) from error
    return pyarrow


class _Table:
    """
    The rows of a file, of which only those in memory are that are looked at.

    # Parameters

    path : `Path`
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def columns(self) -> list[str]:
        """The names of the columns."""
        raise NotImplementedError

    def label_names(self, column: str) -> list[str] | None:
        """What the numbers in a column mean, where the data set says it."""
        features = self._features()
        found = features.get(column)
        # A list holds what its elements are: as `feature`, or as a list of one, in older versions.
        while isinstance(found, (dict, list)):
            if isinstance(found, list):
                found = found[0] if found else None
            elif "names" in found:
                names = found["names"]
                # Older versions number them.
                names = list(names.values()) if isinstance(names, dict) else names
                return [str(name) for name in names] if isinstance(names, list) else None
            else:
                found = found.get("feature")
        return None

    def _features(self) -> Row:
        """What the data set says of its columns: in the file, or else beside it."""
        info = self._path.with_name(INFO)
        content = read_json(info) if info.is_file() else {}
        features = content.get("features") if isinstance(content, dict) else None
        return features if isinstance(features, dict) else {}

    def rows(self, columns: Sequence[str]) -> Iterator[tuple[int | None, Row]]:
        """Each row, with its line where the file has lines."""
        raise NotImplementedError


class _Json(_Table):
    def __init__(self, path: Path, tally: Tally) -> None:
        super().__init__(path)
        self._tally = tally

    def columns(self) -> list[str]:
        tally = Tally()
        columns = next((list(row) for _, row in self._rows(tally)), [])
        if not columns:
            tally.faults.check()
        return columns

    def rows(self, columns: Sequence[str]) -> Iterator[tuple[int | None, Row]]:
        return self._rows(self._tally)

    def _rows(self, tally: Tally) -> Iterator[tuple[int | None, Row]]:
        for line, row in read_records(self._path, tally.faults.add, tally.replaced):
            if isinstance(row, dict):
                yield line, row
            else:
                fault = f"{shown_json(row)} is no object; expected a row"
                tally.faults.add(DataError(fault, self._path, line))


class _Columnar(_Table):
    """An Arrow file, stream or not, or a Parquet file."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        arrow = _pyarrow(path)
        with self._told():
            if path.suffix.lower() == ".parquet":
                file = arrow.parquet.ParquetFile(path)
                self._schema = file.schema_arrow
                self._batches: Callable[[list[str]], Iterator[Any]] = lambda columns: (
                    file.iter_batches(_ROWS_AT_ONCE, columns=columns)
                )
            else:
                source = arrow.memory_map(str(path))
                try:
                    reader = arrow.ipc.open_stream(source)
                    self._batches = lambda _: iter(reader)
                except arrow.ArrowInvalid:
                    reader = arrow.ipc.open_file(source)
                    self._batches = lambda _: map(
                        reader.get_batch, range(reader.num_record_batches)
                    )
                self._schema = reader.schema
            self._names = list(self._schema.names)

    def columns(self) -> list[str]:
        return self._names

    def _features(self) -> Row:
        said = (self._schema.metadata or {}).get(_METADATA)
        try:
            content = json.loads(said) if said else {}
        except ValueError:
            content = {}
        info = content.get("info") if isinstance(content, dict) else None
        features = info.get("features") if isinstance(info, dict) else None
        return features if isinstance(features, dict) else super()._features()

    def rows(self, columns: Sequence[str]) -> Iterator[tuple[int | None, Row]]:
        with self._told():
            for batch in self._batches(list(columns)):
                # What the file says of its own sizes may be wrong.
                batch.validate(full=True)
                for begin in range(0, batch.num_rows, _ROWS_AT_ONCE):
                    part = batch.slice(begin, _ROWS_AT_ONCE)
                    values = [part.column(name).to_pylist() for name in columns]
                    for row in zip(*values) if columns else [()] * part.num_rows:
                        yield None, dict(zip(columns, row))

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (*_ERRORS, _pyarrow(self._path).ArrowException) as error:
            said = " ".join(str(error).split())[:200]
            raise DataError(
                f"is no {self._path.suffix[1:]} file that can be read: {said}", self._path
            ) from error


def _open(path: Path, tally: Tally) -> _Table:
    is_columnar = path.suffix.lower() in (".parquet", ".arrow")
    return _Columnar(path) if is_columnar else _Json(path, tally)


@dataclass
class _Rows:
    """
    A file of a data set.

    # Parameters

    path : `Path`
    options : `argparse.Namespace`
    tally : `Tally`
        Takes in the faults of rows, and counts.
    """

    path: Path
    options: argparse.Namespace
    tally: Tally

    def __post_init__(self) -> None:
        self._table = _open(self.path, self.tally)
        self._columns = self._table.columns()
        if not self._columns:
            raise DataError("holds no row", self.path)
        self._by = self._column("document", DOCUMENT_COLUMNS, must=False)
        root = name_of(self.path, self.options.source)
        self._file = root.removesuffix(self.path.suffix)

    def _column(self, option: str, usual: Sequence[str], must: bool = True) -> str | None:
        """The column that an option names, or a usual one that is there."""
        wanted = getattr(self.options, option)
        found = next(
            (each for each in ([wanted] if wanted else usual) if each in self._columns), None
        )
        if found is None and (must or wanted):
            raise DataError(
                f"there is no column {wanted or ' or '.join(usual)}; say with --{option} which it is of "
                f"{', '.join(self._columns)}",
                self.path,
            )
        return found

    def names(self) -> Iterator[str]:
        """The names of the documents."""
        columns = [self._by] if self._by else []
        for name, _ in self._groups(columns):
            yield name

    def _groups(
        self, columns: Sequence[str]
    ) -> Iterator[tuple[str, Iterator[tuple[int, int | None, Row]]]]:
        """The rows of each document, each with its number and its line, and the name of the document."""
        numbered = (
            (number, line, row)
            for number, (line, row) in enumerate(self._table.rows(columns), start=1)
        )
        size = self.options.sentences_per_document or 1
        if self._by is None:
            for group, rows in groupby(numbered, lambda each: (each[0] - 1) // size):
                yield f"{self._file}-{group + 1:05d}", rows
            return
        column = self._by
        for value, rows in groupby(numbered, lambda each: str(each[2].get(column))):
            yield value or self._file, rows

    def documents(self) -> Iterator[Document]:
        """The documents of the file."""
        words, tags = self._column("word", WORD_COLUMNS), self._column("tag", TAG_COLUMNS)
        assert words and tags
        given = self.options.label_names
        label_names = given.split(",") if given else self._table.label_names(tags)
        scheme = SCHEMES.get(self.options.scheme, IO)
        if scheme == AUTO and label_names and not any("-" in name[1:2] for name in label_names):
            scheme = IO
        reader = _Tags(self.path, tags, label_names, scheme)
        columns = list(dict.fromkeys([words, tags, *([self._by] if self._by else [])]))
        for name, rows in self._groups(columns):
            document = Document(name, [])
            first = 0
            for number, line, row in rows:
                with self.tally.faults:
                    where = "" if line else f"row {number}: "
                    tokens = self._tokens(row.get(words), words, where, line)
                    if not tokens:
                        self.tally.dropped("sentences", corpus_writer.NO_WORD)
                        continue
                    spans = reader.spans(row.get(tags), len(tokens), where, line)
                    document.sentences.append(Sentence(tokens))
                    document.names += mentions_of(spans, first)
                    first += len(tokens)
            yield document

    def _tokens(self, value: Any, column: str, where: str, line: int | None) -> list[str]:
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise DataError(
                f"{where}{column} is {shown_json(_plain(value))}; expected a list of strings",
                self.path,
                line,
            )
        return value


@dataclass(frozen=True)
class _Tags:
    path: Path
    column: str
    label_names: list[str] | None
    scheme: str

    def spans(self, tags: Any, length: int, where: str, line: int | None) -> list[LabelledSpan]:
        """The names of a sentence."""

        def error(message: str) -> DataError:
            return DataError(f"{where}{self.column} {message}", self.path, line)

        if not isinstance(tags, list) or len(tags) != length:
            found = f"has {len(tags)} values" if isinstance(tags, list) else f"is {_shown(tags)}"
            raise error(f"{found}; expected one for each of the {length} tokens")
        try:
            named = [self._name(tag) for tag in tags]
            if self.scheme == IO:
                return tags_to_spans([tag if tag == OUTSIDE else f"I-{tag}" for tag in named], BIO)
            scheme = self.scheme
            if scheme == AUTO:
                scheme = BIOUL if any(map(is_bioul, named)) else BIO
            return tags_to_spans(checked(named, scheme), scheme)
        except (CellError, ValueError) as problem:
            raise error(f"holds what is no tag: {problem}") from problem

    def _name(self, tag: Any) -> str:
        if isinstance(tag, str):
            return tag
        if not isinstance(tag, int) or isinstance(tag, bool):
            raise ValueError(f"{_shown(tag)}; expected strings or whole numbers")
        if self.label_names is None:
            raise ValueError(
                f"{tag}, and the data set does not say what it means; give the names with --label-names "
                "O,B-PER,..."
            )
        if not 0 <= tag < len(self.label_names):
            raise ValueError(
                f"{tag}, and there are {len(self.label_names)} names of tags, from 0 on"
            )
        return self.label_names[tag]


def _shown(value: Any) -> str:
    return shown_json(_plain(value))


def _plain(value: Any) -> Any:
    """A value that JSON can show: columns may hold others."""
    return json.loads(json.dumps(value, default=repr))
