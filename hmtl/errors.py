"""The error that every reader of user data raises, so that entry points can answer it in one line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from os import PathLike


class DataError(Exception):
    """
    A corpus, checkpoint or other file of the user's is not what it should be.

    # Parameters

    message : `str`
        What is wrong, the offending value, what was expected, and how to mend it.
    path : `str`, optional (default = `None`)
        The file (or directory) at fault.
    line : `int`, optional (default = `None`)
        Its line, counted from 1.
    """

    def __init__(
        self, message: str, path: str | PathLike[str] | None = None, line: int | None = None
    ) -> None:
        where = "" if path is None else f"{path}: " if line is None else f"{path}:{line}: "
        super().__init__(where + message)
        self.message = message
        self.path = path
        self.line = line


OnFault = Callable[[DataError], None]


@contextmanager
def passing_over(on_error: OnFault | None) -> Iterator[None]:
    """Give a `DataError` of what is done here to `on_error`; raise it where that is `None`."""
    try:
        yield
    except DataError as error:
        if on_error is None:
            raise
        on_error(error)
