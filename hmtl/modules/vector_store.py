"""Rows of float32 by key, on disk: several processes may read and add at once, nothing is ever changed."""

from __future__ import annotations

import fcntl
import logging
import os
import uuid
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy
import safetensors
import safetensors.numpy

from hmtl.common.array_file import UNREADABLE, checksum_of
from hmtl.common.files import PARTIAL

logger = logging.getLogger(__name__)

SUFFIX, IN_USE_FILE = ".safetensors", "in_use"
# Of the keys, in bytes.
KEY_SIZE = 16
# Files held open. Each is two mappings, of which Linux grants a process 65,530.
MOST_OPEN = 2**14


class VectorStore:
    """
    What is added at once is one file of safetensors, under a name of its own: nobody waits for anybody, on
    a file system that machines share neither. (A database such as LMDB may not lie on one of those.)

    # Parameters

    directory : `Path`
        Made if it is not there. Nothing else may lie in it.
    max_bytes : `int`
        Of the rows. What would not fit is not kept.

    # Raises

    OSError
        When the directory cannot be made or written.
    """

    def __init__(self, directory: Path, max_bytes: int) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.max_bytes = max_bytes
        self.is_full = False
        # Held shared for as long as the process lives: who wants to delete the directory asks for it.
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        self._in_use = os.open(directory / IN_USE_FILE, flags, 0o666)
        with suppress(OSError):  # A file system without locks: see `is_in_use`.
            fcntl.flock(self._in_use, fcntl.LOCK_SH)
        self._open = lru_cache(MOST_OPEN)(_opened)
        self._sizes: dict[Path, int] = {}
        self._places: dict[bytes, Path] = {}
        self._checked: set[bytes] = set()
        self._has_warned = False
        self.look_for_more()

    def close(self) -> None:
        """Rows that were given out remain."""
        self._open.cache_clear()
        os.close(self._in_use)

    def __len__(self) -> int:
        """How many keys are known to this process."""
        return len(self._places)

    @property
    def size(self) -> int:
        """Of the files, in bytes."""
        return sum(self._sizes.values())

    def get(self, key: bytes) -> numpy.ndarray | None:
        """
        # Returns

        rows : `numpy.ndarray`, optional
            Read-only, on the disk until it is looked at. Shape `(num_rows, width)`.
        """
        path = self._places.get(key)
        if path is None:
            return None
        try:
            file = self._open(path)
            rows = file.get_tensor(key.hex()).numpy()
            if key not in self._checked and _checksum(key, rows) != file.metadata()[key.hex()]:
                raise ValueError("its content does not agree with its checksum")
        except (OSError, *UNREADABLE) as error:
            self._lose(path, error)
            return None
        self._checked.add(key)
        rows.flags.writeable = False
        return rows

    def look_for_more(self) -> None:
        """Take notice of what other processes have added."""
        for path in self.directory.glob(f"*{SUFFIX}"):
            if path in self._sizes:
                continue
            try:
                file = self._open(path)
                if {*file.keys()} != {*(file.metadata() or {})}:
                    raise ValueError("its keys and their checksums do not agree")
                keys = [bytes.fromhex(name) for name in file.keys()]
                self._sizes[path] = path.stat().st_size
            except (OSError, *UNREADABLE) as error:
                self._lose(path, error)
                continue
            self._places.update(dict.fromkeys(keys, path))

    def put(self, items: Mapping[bytes, numpy.ndarray]) -> None:
        """
        Add rows, as many as there is space for.

        # Parameters

        items : `Mapping[bytes, numpy.ndarray]`
            By key of `KEY_SIZE` bytes; shape `(num_rows, width)`, float32. Keys that are there already are
            passed over.

        # Raises

        OSError
            When they cannot be written; what was there is as it was.
        """
        self.look_for_more()
        rows, checksums, size = {}, {}, self.size
        for key, values in items.items():
            if key in self._places:
                continue
            size += values.nbytes
            if size > self.max_bytes:
                self.is_full = True
                break
            rows[key.hex()] = numpy.ascontiguousarray(values, numpy.float32)
            checksums[key.hex()] = _checksum(key, rows[key.hex()])
        if rows:
            path = self.directory / f"{uuid.uuid4().hex}{SUFFIX}"
            temporary = path.with_suffix(PARTIAL)
            temporary.write_bytes(safetensors.numpy.save(rows, checksums))
            temporary.replace(path)
            self.look_for_more()

    def _lose(self, path: Path, error: Exception) -> None:
        """Forget a file that is damaged, that somebody has deleted, or for which there is no memory."""
        if not isinstance(error, (OSError, RuntimeError)):
            with suppress(OSError):
                path.unlink()
            if not self._has_warned:
                logger.warning("%s is damaged; what is lost is computed anew", self.directory)
                self._has_warned = True
        self._sizes[path] = 0
        self._places = {key: place for key, place in self._places.items() if place != path}


def _opened(path: Path) -> Any:
    # As torch's tensors the rows are mapped; as numpy's they would be read at once.
    return safetensors.safe_open(path, framework="pt")


def _checksum(key: bytes, rows: numpy.ndarray) -> str:
    return str(checksum_of(key.hex(), rows))


def is_in_use(directory: Path) -> bool:
    """Return whether some process has a store there open."""
    try:
        descriptor = os.open(directory / IN_USE_FILE, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        # Or nobody can tell: then it stays.
        return True
    finally:
        os.close(descriptor)
    return False
