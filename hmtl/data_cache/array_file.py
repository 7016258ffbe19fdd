"""One file of named arrays and JSON: checksummed, written in one piece, read by mapping it into memory."""

from __future__ import annotations

import json
import mmap
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy

from hmtl.files import CHUNK_SIZE, FileBeingWritten, replacing

MAGIC = b"hmtl arrays 1\n"
# Little-endian: the length of the JSON header behind the magic, and the CRC-32 at the end of the file.
LENGTH_BYTES, CHECKSUM_BYTES = 8, 4
# A cache line: no number lies across two.
ALIGNMENT = 64
# What an array may hold: booleans, whole numbers, floats. Never objects.
KINDS = "biuf"


class CorruptFile(Exception):
    """A file is not as it was written."""


class ArrayFile(NamedTuple):
    """What a file holds. The arrays are read-only and stay on the disk until they are looked at."""

    content: Any
    arrays: dict[str, numpy.ndarray]


def write_arrays(path: Path, content: Any, arrays: Mapping[str, numpy.ndarray]) -> int:
    """
    # Parameters

    path : `Path`
        A file that is there is replaced, in one piece.
    content : `Any`
        Anything that JSON can hold.
    arrays : `Mapping[str, numpy.ndarray]`

    # Returns

    size : `int`
        Of the file, in bytes.

    # Raises

    DataError
        When the file cannot be written.
    """
    table, end = {}, 0
    for name, array in arrays.items():
        table[name] = {"dtype": array.dtype.str, "shape": array.shape, "offset": end}
        end = _aligned(end + array.nbytes)
    header = json.dumps({"content": content, "arrays": table}).encode()
    header += b" " * (_aligned(_start(header)) - _start(header))
    with replacing(path) as file:
        checksum = _write(file, 0, MAGIC + len(header).to_bytes(LENGTH_BYTES, "little") + header)
        for array in arrays.values():
            data = numpy.ascontiguousarray(array).reshape(-1).view(numpy.uint8).data
            padding = bytes(_aligned(array.nbytes) - array.nbytes)
            checksum = _write(file, _write(file, checksum, data), padding)
        file.write(checksum.to_bytes(CHECKSUM_BYTES, "little"))
        file.flush()
        return file.size


def _write(file: FileBeingWritten, checksum: int, data: bytes | memoryview) -> int:
    file.write(data)
    return zlib.crc32(data, checksum)


def read_arrays(path: Path) -> ArrayFile:
    """
    # Raises

    CorruptFile
        When the file is not whole.
    OSError
        When it cannot be read, `FileNotFoundError` when there is none.
    """
    with open(path, "rb") as file:
        try:
            mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
            _check(mapped)
            start = len(MAGIC) + LENGTH_BYTES
            end = start + int.from_bytes(mapped[len(MAGIC) : start], "little")
            header = json.loads(bytes(mapped[start:end]))
            table = header["arrays"].items()
            return ArrayFile(
                header["content"], {name: _array(mapped[end:], entry) for name, entry in table}
            )
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise CorruptFile(f"{path}: {error}") from error


def _check(mapped: memoryview) -> None:
    if bytes(mapped[: len(MAGIC)]) != MAGIC:
        raise ValueError("is no file of arrays")
    checksum, end = 0, len(mapped) - CHECKSUM_BYTES
    for start in range(0, end, CHUNK_SIZE):
        checksum = zlib.crc32(mapped[start : min(start + CHUNK_SIZE, end)], checksum)
    if checksum != int.from_bytes(mapped[end:], "little"):
        raise ValueError("its content does not agree with its checksum")


def _array(data: memoryview, entry: dict[str, Any]) -> numpy.ndarray:
    dtype, shape = numpy.dtype(entry["dtype"]), tuple(entry["shape"])
    if dtype.kind not in KINDS:
        raise ValueError(f"holds values of type {dtype}")
    count = int(numpy.prod(shape, dtype=numpy.int64))
    return numpy.frombuffer(data, dtype, count, entry["offset"]).reshape(shape)


def _start(header: bytes) -> int:
    return len(MAGIC) + LENGTH_BYTES + len(header)


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT
