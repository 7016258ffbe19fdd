"""Writing files so that a reader finds the old content or the new, never half of one."""

import json
import os
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Iterator

from hmtl.errors import DataError


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """
    Opens a temporary file beside `path` for writing bytes, which takes its place once the block ends
    without an exception.

    # Raises

    DataError
        When the file cannot be written (no space, no permission); what was at `path` is still there.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with open(temporary, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise DataError(
            f"cannot be written: {error.strerror or error}. Free space or choose a directory that can be "
            "written; what stood there before is unchanged.",
            path,
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: Path, content: Any) -> None:
    """Writes readable JSON, in one piece."""
    with replacing(path) as file:
        file.write(json.dumps(content, indent=2, ensure_ascii=False).encode("utf-8"))
        file.write(b"\n")
