"""One file of named arrays and JSON, in the format of safetensors, with a checksum."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy
import safetensors
import safetensors.numpy

from hmtl.common.files import replacing

# What the metadata of the file hold: JSON, and the CRC-32 of that and of the arrays. (The format itself has
# no checksum.)
CONTENT, CHECKSUM = "content", "crc32"


# What safetensors and torch raise, and what we do.
UNREADABLE = (safetensors.SafetensorError, RuntimeError, LookupError, ValueError, TypeError)


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
        Of booleans, whole numbers or floats.

    # Returns

    size : `int`
        Of the file, in bytes.

    # Raises

    DataError
        When the file cannot be written.
    """
    text = json.dumps(content)
    plain = {name: numpy.ascontiguousarray(array) for name, array in arrays.items()}
    metadata = {CONTENT: text, CHECKSUM: str(_checksum(text, plain))}
    with replacing(path) as file:
        return file.write(safetensors.numpy.save(plain, metadata))


def read_arrays(path: Path) -> ArrayFile:
    """
    # Raises

    CorruptFile
        When the file is not whole.
    OSError
        When it cannot be read, `FileNotFoundError` when there is none.
    """
    try:
        # As torch's tensors they are mapped; as numpy's they would be read at once.
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = file.metadata()
            arrays = {name: file.get_tensor(name).numpy() for name in file.keys()}
        if _checksum(metadata[CONTENT], arrays) != int(metadata[CHECKSUM]):
            raise ValueError("its content does not agree with its checksum")
        content = json.loads(metadata[CONTENT])
    except UNREADABLE as error:
        raise CorruptFile(f"{path}: {error}") from error
    for array in arrays.values():
        array.flags.writeable = False
    return ArrayFile(content, arrays)


def _checksum(content: str, arrays: Mapping[str, numpy.ndarray]) -> int:
    checksum = zlib.crc32(content.encode())
    for name, array in sorted(arrays.items()):
        checksum = checksum_of(name, array, checksum)
    return checksum


def checksum_of(name: str, array: numpy.ndarray, before: int = 0) -> int:
    """Return the CRC-32 of an array and its name, type and shape, after that of what stands `before`."""
    before = zlib.crc32(f"{name} {array.dtype} {array.shape}".encode(), before)
    return zlib.crc32(array.data, before)
