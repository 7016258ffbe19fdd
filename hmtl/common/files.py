"""Writing files so that a reader finds the old content or the new, never half of one."""

import errno
import fcntl
import hashlib
import io
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from hmtl.errors import DataError

# Small writes are gathered up to this size, so that a file of ten thousand tensors is no slower than one.
BUFFER_SIZE = 2**20
# What a digest is computed from at a time.
CHUNK_SIZE = 2**22

PARTIAL = ".partial"


class FileBeingWritten(io.BufferedWriter):
    """
    A file that is digested while it is written.

    # Parameters

    path : `Path`
        What stands there already is lost.
    """

    def __init__(self, path: Path) -> None:
        self._file = _DigestedFile(path)
        super().__init__(self._file, BUFFER_SIZE)

    @property
    def size(self) -> int:
        """The bytes that have reached the operating system: all of them after a `flush`."""
        return self._file.size

    @property
    def sha256(self) -> str:
        """Their SHA-256 (FIPS 180-4), in hexadecimal."""
        return self._file.digest.hexdigest()

    @property
    def refusal(self) -> OSError | None:
        """What the operating system said when it refused to write."""
        return self._file.refusal

    def make_durable(self) -> None:
        """Returns once everything written would survive a loss of power."""
        self.flush()
        os.fsync(self._file.descriptor)

    def abandon(self) -> None:
        """Closes the file without writing what is still in the buffer."""
        self._file.abandoned = True
        self.close()


class _DigestedFile(io.RawIOBase):
    """The system's file under a `FileBeingWritten`."""

    # Where it could not be opened, Python closes it nevertheless.
    descriptor = -1

    def __init__(self, path: Path) -> None:
        self.digest = hashlib.sha256()
        self.size = 0
        self.refusal: OSError | None = None
        self.abandoned = False
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        self.descriptor = os.open(path, flags, 0o666)

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        if self.abandoned:
            return len(view)
        try:
            written = os.write(self.descriptor, view)
        except OSError as error:
            self.refusal = error
            raise
        self.digest.update(view[:written])
        self.size += written
        return written

    def close(self) -> None:
        if not self.closed:
            super().close()
            if self.descriptor >= 0:
                os.close(self.descriptor)


@contextmanager
def refusals(path: Path) -> Iterator[None]:
    """
    Tells the user when the system refuses to write.

    # Parameters

    path : `Path`
        What the block writes to.

    # Raises

    DataError
        In place of an `OSError`.
    """
    try:
        yield
    except OSError as error:
        raise DataError(
            f"cannot be written: {error.strerror or error}. {_way_out(error)}", path
        ) from error


def _way_out(error: OSError) -> str:
    if error.errno == errno.ENOENT and isinstance(error.filename, (str, os.PathLike)):
        path = Path(error.filename)
        missing = [each for each in (path, *path.parents) if not os.path.exists(each)]
        if missing:
            return (
                f"There is no {missing[-1]}: was it removed or renamed? Put it back, or choose a directory "
                "that is there."
            )
    return "Free space or choose a directory that can be written; what stood there before is unchanged."


@contextmanager
def writing(path: Path) -> Iterator[FileBeingWritten]:
    """
    Opens a file that nobody reads yet. When the block ends without an exception, its content is on the
    disk.

    # Raises

    DataError
        When the file cannot be written (no space, no permission).
    """
    with refusals(path), _durably(path) as file:
        yield file


@contextmanager
def replacing(path: Path) -> Iterator[FileBeingWritten]:
    """
    Opens a temporary file beside `path` for writing bytes, which takes its place once the block ends
    without an exception.

    # Raises

    DataError
        When the file cannot be written (no space, no permission); what was at `path` is still there.
    """
    temporary = _temporary(path)
    try:
        with refusals(path):
            with _durably(temporary) as file:
                yield file
            put_in_place(temporary, path)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextmanager
def making_directory(path: Path) -> Iterator[Path]:
    """
    Gives an empty directory under another name, which is renamed to `path` once the block ends without
    an exception: a directory that is there is a whole one, with all its files on the disk.

    # Raises

    DataError
        When it cannot be written, or `path` is there already.
    """
    temporary = _temporary(path)
    try:
        with refusals(path):
            remove_directory(temporary)
            temporary.mkdir(parents=True)
            yield temporary
            for file in temporary.rglob("*"):
                make_durable(file)
            make_durable(temporary)
            put_in_place(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def _durably(path: Path) -> Iterator[FileBeingWritten]:
    file = FileBeingWritten(path)
    try:
        yield file
        file.make_durable()
    except Exception:
        # torch hides the system's error behind one of its own.
        if file.refusal is not None:
            raise file.refusal from None
        raise
    finally:
        file.abandon()


def same_file(source: Path, path: Path) -> None:
    """
    Lets `path` stand for the file that `source` stands for, in place of what it stood for before: a
    second name of one file, or a copy where the file system has no such thing.

    # Raises

    DataError
        When `path` cannot be written.
    """
    if path.exists() and path.samefile(source):
        return
    temporary = _temporary(path)
    try:
        temporary.unlink(missing_ok=True)
        os.link(source, temporary)
    except OSError:
        with replacing(path) as file, open(source, "rb") as original:
            shutil.copyfileobj(original, file, CHUNK_SIZE)
        return
    try:
        with refusals(path):
            put_in_place(temporary, path)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def remove_directory(path: Path) -> None:
    """
    Removes a directory with all that is in it, if it is there; an interruption leaves none that looks
    whole.

    # Raises

    DataError
        When it cannot be removed.
    """
    if not path.exists():
        return
    with refusals(path):
        if not path.name.endswith(PARTIAL):
            temporary = _temporary(path)
            remove_directory(temporary)
            path = path.rename(temporary)
        shutil.rmtree(path)


def remove_partial(directory: Path) -> None:
    """Removes what a killed process was writing in a directory."""
    for path in directory.glob(f".*{PARTIAL}"):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(OSError):
                path.unlink()


def remove_abandoned(path: Path) -> None:
    """
    Removes what killed processes left of a directory that they were making, by `making_directory`, to become
    `path`. One that a process holds (by `held`) is being made.
    """
    name = re.compile(rf"\.{re.escape(path.name)}\.[0-9]+{re.escape(PARTIAL)}")
    for left in path.parent.glob(f".*{PARTIAL}"):
        if name.fullmatch(left.name):
            with suppress(DataError), held(left, "another"):
                shutil.rmtree(left, ignore_errors=True)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK_SIZE):
            digest.update(chunk)
    return digest.hexdigest()


def sha256_of_tree(path: Path) -> str:
    """The same of a file or, with all that is in it, a directory: names and contents count."""
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.relative_to(path)}\0{sha256_of(file)}\n".encode())
    return digest.hexdigest()


@contextmanager
def sole_writer(directory: Path) -> Iterator[None]:
    """
    Makes a directory if it is not there, and keeps other processes from writing to it (those that ask, as
    this one does) until the block or the process ends.

    # Raises

    DataError
        When another process is at work there, or the directory cannot be made.
    """
    with refusals(directory):
        directory.mkdir(parents=True, exist_ok=True)
    with held(directory, "another directory"):
        yield


@contextmanager
def held(path: Path, way_out: str) -> Iterator[None]:
    """
    The same for a file or directory that is there already.

    # Parameters

    path : `Path`
    way_out : `str`
        What the user may choose in its place.
    """
    with refusals(path):
        descriptor = os.open(path, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DataError(
                f"another process is writing here. Wait for it, stop it, or choose {way_out}.", path
            ) from error
        except OSError:
            pass  # A file system without locks: the user has to see to it.
        yield
    finally:
        os.close(descriptor)


def write_json(path: Path, content: Any) -> None:
    """Write readable JSON, in one piece."""
    with replacing(path) as file:
        file.write(json.dumps(content, indent=2, ensure_ascii=False).encode("utf-8"))
        file.write(b"\n")


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}{PARTIAL}")


def put_in_place(temporary: Path, path: Path) -> None:
    """Rename, and return once that would survive a loss of power."""
    os.replace(temporary, path)
    make_durable(path.parent)


def make_durable(path: Path) -> None:
    """Returns once a file that was written, or the names in a directory, would survive a loss of power."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
