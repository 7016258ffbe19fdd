"""A system that refuses to write, one call at a time."""

import builtins
import errno
import os
from collections.abc import Callable
from typing import Any

import pytest

ERRORS = (errno.ENOSPC, errno.EIO, errno.EROFS)
WRITING_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT
WRITING_MODES = frozenset("wax+")
# What changes the disk. Files that are opened for reading do not count.
CALLS = (
    "open",
    "write",
    "fsync",
    "replace",
    "rename",
    "link",
    "mkdir",
    "truncate",
    "unlink",
    "rmdir",
)


class FailingSystem:
    """
    # Parameters

    error : `int`
        The number of the error that a refused call gives.
    """

    def __init__(self, error: int) -> None:
        self.error = error
        self.calls = 0
        self.refused = ""

    def count(self, monkeypatch: pytest.MonkeyPatch, act: Callable[[], Any]) -> int:
        """How many calls that write there are in something that succeeds."""
        with monkeypatch.context() as patch:
            self.fail_at(patch, None)
            act()
        return self.calls

    def fail_at(self, patch: pytest.MonkeyPatch, number: "int | None") -> None:
        """Lets the call of that number fail, and those after it succeed."""
        self.calls = 0
        for name in CALLS:
            patch.setattr(os, name, self._failing(getattr(os, name), name, number))
        patch.setattr(builtins, "open", self._failing(open, "builtins.open", number))

    def _failing(self, call: Callable, name: str, number: "int | None") -> Callable:
        def failing(*arguments: Any, **keywords: Any) -> Any:
            if _writes(name, arguments, keywords):
                self.calls += 1
                if self.calls == number:
                    self.refused = name
                    raise OSError(self.error, os.strerror(self.error))
            return call(*arguments, **keywords)

        return failing


def _writes(name: str, arguments: tuple, keywords: dict) -> bool:
    if name == "open":
        return bool(arguments[1] & WRITING_FLAGS)
    if name == "builtins.open":
        mode = arguments[1] if len(arguments) > 1 else keywords.get("mode", "r")
        return bool(WRITING_MODES & set(mode))
    return True
