"""Rows of float32 by key, on disk: several processes may read and add at once, nothing is ever changed."""

from __future__ import annotations

import fcntl
import logging
import mmap
import os
import struct
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy

logger = logging.getLogger(__name__)

ROWS_FILE, INDEX_FILE = "rows.f32", "index"
# Of the keys, in bytes.
KEY_SIZE = 16
# A record of the index: key, first row, number of rows, CRC-32 of the rows, CRC-32 of the record so far.
RECORD = struct.Struct(f"<{KEY_SIZE}sQIII")
CHECKED = struct.Struct(f"<{KEY_SIZE}sQII")
VALUE_SIZE = 4


class VectorStore:
    """
    # Parameters

    directory : `Path`
        Made if it is not there. Nothing else may lie in it.
    width : `int`
        Numbers in a row; the same whenever the directory is opened.
    max_bytes : `int`
        Of the rows. What would not fit is not kept.

    # Raises

    OSError
        When the directory cannot be made or written.
    """

    def __init__(self, directory: Path, width: int, max_bytes: int) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.width = width
        self.max_bytes = max_bytes
        self.is_full = False
        self._row_bytes = width * VALUE_SIZE
        self._index = _open(directory / INDEX_FILE)
        self._rows = _open(directory / ROWS_FILE)
        # Held shared for as long as the process lives: who wants to delete the directory asks for it.
        fcntl.flock(self._rows, fcntl.LOCK_SH)
        self._places: dict[bytes, tuple[int, int, int]] = {}
        self._checked: set[bytes] = set()
        self._num_records = 0
        self._end = 0
        self._mapped = memoryview(b"")
        self._has_warned = False
        self._read_index()

    def close(self) -> None:
        """Rows that were given out remain."""
        os.close(self._index)
        os.close(self._rows)

    def __len__(self) -> int:
        """How many keys are known to this process."""
        return len(self._places)

    @property
    def size(self) -> int:
        """Of the rows, in bytes."""
        return self._end * self._row_bytes

    def get(self, key: bytes) -> numpy.ndarray | None:
        """
        # Returns

        rows : `numpy.ndarray`, optional
            Read-only, on the disk until it is looked at. Shape `(num_rows, width)`.
        """
        place = self._places.get(key)
        if place is None:
            return None
        first, count, checksum = place
        start, end = first * self._row_bytes, (first + count) * self._row_bytes
        if end > len(self._mapped):
            self._map()
        data = self._mapped[start:end]
        if key not in self._checked:
            if len(data) < end - start or zlib.crc32(data) != checksum:
                self._forget(key)
                return None
            self._checked.add(key)
        return numpy.frombuffer(data, numpy.float32).reshape(count, self.width)

    def look_for_more(self) -> None:
        """Takes notice of what other processes have added."""
        if os.fstat(self._index).st_size > self._num_records * RECORD.size:
            self._read_index()

    def put(self, items: Mapping[bytes, numpy.ndarray]) -> None:
        """
        Adds rows, as many as there is space for.

        # Parameters

        items : `Mapping[bytes, numpy.ndarray]`
            By key of `KEY_SIZE` bytes; shape `(num_rows, width)`, float32. Keys that are there already are
            passed over.

        # Raises

        OSError
            When they cannot be written; what was there is as it was.
        """
        with self._writing():
            self._read_index(repair=True)
            rows, records, end = [], [], self._end
            for key, values in items.items():
                if key in self._places:
                    continue
                if (end + len(values)) * self._row_bytes > self.max_bytes:
                    self.is_full = True
                    break
                data = numpy.ascontiguousarray(values, numpy.float32).tobytes()
                checked = CHECKED.pack(key, end, len(values), zlib.crc32(data))
                records.append(checked + zlib.crc32(checked).to_bytes(4, "little"))
                rows.append(data)
                end += len(values)
            # The index last: what it names is there.
            _write(self._rows, b"".join(rows), self.size)
            _write(self._index, b"".join(records), self._num_records * RECORD.size)
            self._read_index()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        fcntl.flock(self._index, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._index, fcntl.LOCK_UN)

    def _read_index(self, repair: bool = False) -> None:
        """`repair`, by the one who may write, cuts off what a process left that was killed while it wrote."""
        start = self._num_records * RECORD.size
        data = os.pread(self._index, os.fstat(self._index).st_size - start, start)
        for offset in range(0, len(data) - RECORD.size + 1, RECORD.size):
            record = data[offset : offset + RECORD.size]
            key, first, count, checksum, own_checksum = RECORD.unpack(record)
            if zlib.crc32(record[: CHECKED.size]) != own_checksum:
                break
            self._places[key] = (first, count, checksum)
            self._end = max(self._end, first + count)
            self._num_records += 1
        if repair and os.fstat(self._index).st_size > self._num_records * RECORD.size:
            self._warn()
            os.ftruncate(self._index, self._num_records * RECORD.size)

    def _map(self) -> None:
        size = os.fstat(self._rows).st_size
        if size:
            self._mapped = memoryview(mmap.mmap(self._rows, size, access=mmap.ACCESS_READ))

    def _forget(self, key: bytes) -> None:
        self._warn()
        del self._places[key]

    def _warn(self) -> None:
        if not self._has_warned:
            logger.warning("%s is damaged; what is lost is computed anew", self.directory)
            self._has_warned = True


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)


def _write(descriptor: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written


def is_in_use(directory: Path) -> bool:
    """Whether some process has a store there open."""
    try:
        descriptor = os.open(directory / ROWS_FILE, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
