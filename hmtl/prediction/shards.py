"""
A corpus in shards, each of which any process on any machine can predict by itself: what an engine of many
machines hands out (`hmtl/prediction/on_ray.py`).

What a shard holds follows from the files alone. Its answers are one file, which bears its name only once it
is whole: what is there is done, what was interrupted is done again, and a shard that two workers have
predicted is there once.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import fsspec
import fsspec.core

from hmtl.errors import DataError
from hmtl.prediction.records import (
    JSON_LINES,
    JSON_LINES_SUFFIXES,
    LINES,
    TEXT,
    RawRecord,
    lines_of,
    whole_text,
)
from hmtl.prediction.renderings import RENDERINGS

if TYPE_CHECKING:
    from hmtl.prediction.predictor import Predictor

PARQUET = "parquet"
INPUT_FORMATS, OUTPUT_FORMATS = (TEXT, LINES, JSON_LINES, PARQUET), (JSON_LINES, PARQUET)
# Of a Parquet file, those that a record is made of.
COLUMNS = ("id", "doc_key", "text", "tokens", "sentences")
# So many shards, but neither so small that their files are a burden nor so large that much is done twice.
SHARDS_WANTED = 256
LEAST_BYTES, MOST_BYTES = 2**16, 2**23
CHUNK = 2**16
PLAN, PARTIAL = "plan.json", ".partial"
_OURS = re.compile(r"(part-\d+-of-\d+\.(jsonl|parquet)(\.[0-9a-f]+\.partial)?|plan\.json)")


class Piece(NamedTuple):
    """
    A stretch of a file.

    # Parameters

    url : `str`
        The file, as fsspec finds it.
    begin, end : `int`
        Its bytes, whole lines of them; of a Parquet file its row groups.
    before : `int`
        So many lines or rows stand before it in the file.
    """

    url: str
    begin: int
    end: int
    before: int


Shard = list[Piece]


@dataclass(frozen=True)
class Job:
    """
    What is done with each shard.

    # Parameters

    input_format, output_format : `str`
        One of `INPUT_FORMATS`, and one of `OUTPUT_FORMATS`.
    output : `str`
        The directory of the answers, as fsspec finds it.
    num_shards : `int`
    min_score : `float`, optional (default = `None`)
        Answers that are less probable are left out.
    """

    input_format: str
    output_format: str
    output: str
    num_shards: int
    min_score: float | None = None

    def file_of(self, number: int) -> str:
        """Return the file of a shard's answers; in the order of these names the texts are in theirs."""
        name = f"part-{number:05d}-of-{self.num_shards:05d}.{self.output_format}"
        return f"{self.output.rstrip('/')}/{name}"


def absolute(url: str) -> str:
    """Return an address that is the same in every process."""
    files, path = _file_system(url)
    return str(files.unstrip_protocol(path))


def plan(inputs: Sequence[str], input_format: str | None) -> tuple[list[Shard], str]:
    """
    Cut files into shards. A large file of lines is read once for it, to number the lines.

    # Parameters

    inputs : `Sequence[str]`
        Files, directories and patterns, on any file system that fsspec reads.
    input_format : `str`, optional
        One of `INPUT_FORMATS`; `None` goes by the names of the files.

    # Returns

    shards : `list[Shard]`
    input_format : `str`

    # Raises

    DataError
        When one of the inputs is not there, or nobody says which of several formats it is.
    """
    files = [found for each in inputs for found in _files(each)]
    formats = {input_format or _format_of(url) for url, _ in files}
    if len(formats) > 1:
        raise DataError(
            f"the inputs are of several formats ({', '.join(sorted(formats))}); say which with "
            "--input-format, or predict those of one format at a time"
        )
    (found_format,) = formats
    wanted = sum(size for _, size in files) // SHARDS_WANTED
    most = min(max(wanted, LEAST_BYTES), MOST_BYTES)
    shards: list[Shard] = []
    room = 0
    for url, size in files:
        for piece, piece_size in _pieces(url, size, found_format, most):
            if not shards or piece_size > room:
                shards.append([])
                room = most
            shards[-1].append(piece)
            room -= piece_size
    return shards, found_format


def begin(
    job: Job, shards: Sequence[Shard], settings: Any, recover: bool, force: bool
) -> list[int]:
    """
    Make the directory of the answers ready.

    # Parameters

    job : `Job`
    shards : `Sequence[Shard]`
    settings : `Any`
        Of plain values: what is predicted with. An output is gone on with by the same only.
    recover : `bool`
        Go on with what is there.
    force : `bool`
        Replace what is there.

    # Returns

    numbers : `list[int]`
        The shards that are still to be predicted.

    # Raises

    DataError
        When something is there, and neither says what to do with it; or when it was begun otherwise.
    """
    digest = hashlib.sha256(json.dumps(shards).encode()).hexdigest()
    wanted = json.dumps({"settings": settings, "job": asdict(job), "shards": digest}).encode()
    files, root = _file_system(job.output)
    with _naming(job.output):
        files.invalidate_cache()
        names = (
            {Path(each).name for each in files.ls(root, detail=False)}
            if files.exists(root)
            else set()
        )
        others = sorted(name for name in names if not _OURS.fullmatch(name))
        if names and not recover and (not force or others):
            raise DataError(
                f"holds something else than predictions ({others[0]!r}). Choose another --output."
                if others
                else "predictions are here. Go on with them with --recover, begin anew with --force, or "
                "choose another --output.",
                job.output,
            )
        if recover and PLAN in names:
            if files.cat_file(f"{root}/{PLAN}") != wanted:
                raise DataError(
                    "this prediction was begun with other inputs, another model or other settings. Go on "
                    "with the same ones, begin anew with --force, or choose another --output.",
                    job.output,
                )
        else:
            _remove(files, root, names if force else ())
            files.makedirs(root, exist_ok=True)
            files.pipe_file(f"{root}/{PLAN}", wanted)
            names = set()
        # What workers left that were killed.
        _remove(files, root, [name for name in names if name.endswith(PARTIAL)])
    return [n for n in range(len(shards)) if Path(job.file_of(n)).name not in names]


def predict_shard(predictor: Predictor, shard: Shard, number: int, job: Job) -> int:
    """
    Predict a shard, unless its answers are there.

    # Returns

    num_predicted : `int`

    # Raises

    DataError
        At a malformed record, or when a file cannot be read or written; of the shard nothing is there then.
    """
    from hmtl.prediction.stream import predicted

    path = job.file_of(number)
    own_format = JSON_LINES if job.input_format == PARQUET else job.input_format
    records = (raw for piece in shard for raw in _raw_records(piece, job.input_format))
    num_predicted = 0
    files, name = _file_system(path)
    with _naming(path):
        if files.exists(name):
            return 0
        partial = f"{name}.{uuid.uuid4().hex}{PARTIAL}"
        with files.open(partial, "wb") as file:
            write = _parquet_writer(file) if job.output_format == PARQUET else _line_writer(file)
            with write as writer:
                for answers, _ in predicted(predictor, records, own_format, job.min_score):
                    writer(
                        [(each, RENDERINGS[JSON_LINES].render(each, one)) for each, one in answers]
                    )
                    num_predicted += len(answers)
        files.mv(partial, name)
    return num_predicted


def _file_system(url: str) -> tuple[Any, str]:
    """Return the file system of an address, and the path there."""
    try:
        files, path = fsspec.core.url_to_fs(url)
    except (OSError, ImportError, ValueError) as error:
        # It is of no kind that is known, or needs a package of its own.
        raise DataError(f"cannot be reached: {error}", url) from error
    return files, path


@contextmanager
def _naming(url: str) -> Iterator[None]:
    """
    # Raises

    DataError
        In place of what a file system raises.
    """
    try:
        yield
    except OSError as error:
        raise DataError(
            f"cannot be read or written: {error or type(error).__name__}", url
        ) from error


def _files(given: str) -> Iterator[tuple[str, int]]:
    """Yield the files that are meant with their sizes, in the order of their names."""
    files, root = _file_system(given)
    with _naming(given):
        is_folder = files.isdir(root)
        names = files.find(root) if is_folder else files.glob(root)
        if not names and files.isfile(root):
            # A name with brackets in it is a pattern, too.
            names = [root]
        found = [
            (files.unstrip_protocol(name), files.size(name))
            for name in sorted(names)
            # What engines write beside their parts.
            if not (is_folder and Path(name).name.startswith(("_", "."))) and files.isfile(name)
        ]
    if not found:
        raise DataError("there is no such file; give files, directories or patterns", given)
    yield from found


def _format_of(url: str) -> str:
    suffix = Path(url).suffix
    if suffix == ".parquet":
        return PARQUET
    return JSON_LINES if suffix in JSON_LINES_SUFFIXES else TEXT


def _pieces(url: str, size: int, input_format: str, most: int) -> Iterator[tuple[Piece, int]]:
    """Yield the pieces of a file with their sizes in bytes."""
    if input_format == PARQUET:
        yield from _row_groups(url)
        return
    if input_format == TEXT or size <= most:
        yield Piece(url, 0, size, 0), size
        return
    with _naming(url), fsspec.open(url, "rb") as file:
        start = position = before = lines = 0
        while chunk := file.read(CHUNK):
            position += len(chunk)
            lines += chunk.count(b"\n")
            last = chunk.rfind(b"\n")
            if position - start >= most and last >= 0:
                stop = position - len(chunk) + last + 1
                yield Piece(url, start, stop, before), stop - start
                start, before = stop, lines
        if start < position:
            yield Piece(url, start, position, before), position - start


def _row_groups(url: str) -> Iterator[tuple[Piece, int]]:
    with _naming(url), fsspec.open(url, "rb") as file:
        try:
            metadata = _parquet().ParquetFile(file).metadata
        except ValueError as error:
            raise DataError(f"is no Parquet file: {error}", url) from error
        before = 0
        for number in range(metadata.num_row_groups):
            group = metadata.row_group(number)
            yield Piece(url, number, number + 1, before), group.total_byte_size
            before += group.num_rows


def _raw_records(piece: Piece, input_format: str) -> Iterator[RawRecord]:
    files, name = _file_system(piece.url)
    path = Path(name)
    with _naming(piece.url), files.open(name, "rb") as file:
        if input_format == PARQUET:
            yield from _rows(piece, path, file)
        elif input_format == TEXT:
            yield whole_text(path, file)
        else:
            file.seek(piece.begin)
            yield from lines_of(path, file, piece.before, piece.end - piece.begin)


def _rows(piece: Piece, path: Path, file: BinaryIO) -> Iterator[RawRecord]:
    """Yield rows as lines of JSON."""
    found = _parquet().ParquetFile(file)
    columns = [name for name in found.schema_arrow.names if name in COLUMNS]
    number = piece.before
    groups = range(piece.begin, piece.end)
    for batch in found.iter_batches(row_groups=list(groups), columns=columns, batch_size=1024):
        for row in batch.to_pylist():
            number += 1
            content = {name: value for name, value in row.items() if value is not None}
            yield RawRecord(path, number, json.dumps(content, default=str).encode())


@contextmanager
def _line_writer(file: BinaryIO) -> Iterator[Any]:
    yield lambda answers: file.write("".join(line for _, line in answers).encode())


@contextmanager
def _parquet_writer(file: BinaryIO) -> Iterator[Any]:
    import pyarrow

    schema = pyarrow.schema([("id", pyarrow.string()), ("answers", pyarrow.string())])
    with _parquet().ParquetWriter(file, schema) as writer:

        def write(answers: Iterable[tuple[Any, str]]) -> None:
            rows = [
                {
                    "id": each if isinstance(each, str) else json.dumps(each),
                    "answers": line.rstrip(),
                }
                for each, line in answers
            ]
            writer.write_table(pyarrow.Table.from_pylist(rows, schema))

        yield write


def _parquet() -> Any:
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise DataError(
            "Parquet needs the package pyarrow; install it with: pip install 'hmtl[ray]'"
        ) from error
    return pyarrow.parquet


def _remove(files: Any, root: str, names: Iterable[str]) -> None:
    for name in names:
        files.rm_file(f"{root}/{name}")
