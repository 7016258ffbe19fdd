"""Faults of files, collected: one message tells the first of them, not one at a time."""

from __future__ import annotations

from types import TracebackType

from hmtl.errors import DataError

# So many are told.
MOST = 20


class Faults:
    """As a context, it takes in the `DataError` that is raised there."""

    def __init__(self) -> None:
        self._found: list[DataError] = []

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self._found)

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        # One that tells so many already goes on, through a context around this one too.
        if isinstance(error, DataError) and len(self._found) < MOST:
            self.add(error)
            return True
        return False

    def add(self, fault: DataError) -> None:
        """
        Take in a fault.

        # Raises

        `DataError`
            If that are enough.
        """
        self._found.append(fault)
        if len(self._found) == MOST:
            self.check()

    def check(self) -> None:
        """
        Tell what was found.

        # Raises

        `DataError`
            If there was anything.
        """
        if len(self._found) > 1:
            more = ", and maybe more" if len(self._found) == MOST else ""
            # A reader may look at a line before it is done with another.
            in_order = sorted(self._found, key=lambda each: (f"{each.path}", each.line or 0))
            told = "\n".join(map(str, in_order))
            raise DataError(f"{len(self._found)} faults{more}:\n{told}") from self._found[0]
        if self._found:
            raise self._found[0]
