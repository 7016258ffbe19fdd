"""Digests of files, remembered for as long as the files are not touched."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path

from hmtl.common.files import sha256_of, write_json
from hmtl.formats.files import files_under

# Smaller files are read faster than they are looked up.
SMALLEST_REMEMBERED = 2**20
MOST_REMEMBERED = 10_000
# A file that was changed less than this before it was read may change again with the same time of change.
SAFE_AGE_IN_NANOSECONDS = 2 * 10**9


class Fingerprints:
    """
    # Parameters

    memory : `Path`
        A JSON file: the digests of large files by path, with size, times of change, and inode.
    """

    def __init__(self, memory: Path) -> None:
        self._memory = memory
        self._known = _read(memory)
        self._changed = False

    def of(self, path: Path) -> str:
        """
        The SHA-256, in hexadecimal, of a file or of a directory with all that a corpus reader may find
        there: names and contents, symbolic links followed, hidden files left out.
        """
        digest = hashlib.sha256()
        for file in sorted(files_under(path)) if path.is_dir() else [path]:
            digest.update(f"{file.relative_to(path)}\0{self._of_file(file)}\n".encode())
        return digest.hexdigest()

    def _of_file(self, path: Path) -> str:
        status = path.stat()
        if status.st_size < SMALLEST_REMEMBERED:
            return sha256_of(path)
        name = str(path.resolve())
        state = [
            *(status.st_size, status.st_mtime_ns, status.st_ctime_ns),
            *(status.st_ino, status.st_dev),
        ]
        if name in self._known and self._known[name][0] == state:
            return self._known[name][1]
        now = time.time_ns()
        digest = sha256_of(path)
        if now - max(status.st_mtime_ns, status.st_ctime_ns) > SAFE_AGE_IN_NANOSECONDS:
            self._known[name] = (state, digest)
            self._changed = True
        return digest

    def remember(self) -> None:
        """
        Writes what is new. Of several processes that do so at once, the last one's knowledge remains.

        # Raises

        DataError
            When it cannot be written.
        """
        if self._changed:
            write_json(self._memory, dict(list(self._known.items())[-MOST_REMEMBERED:]))
            self._changed = False


def _read(memory: Path) -> dict[str, tuple[list[int], str]]:
    try:
        entries = json.loads(memory.read_text(encoding="utf-8")).items()
        return {name: (list(state), str(digest)) for name, (state, digest) in entries}
    except (OSError, ValueError, TypeError, AttributeError):
        # Nothing is lost but the time to read the files again.
        return {}
