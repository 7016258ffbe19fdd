"""Names of documents that differ from each other."""

from __future__ import annotations

from hmtl.data_import.tally import Tally

RENAMED = "named apart from another of the same name"


class UniqueNames:
    """
    # Parameters

    tally : `Tally`
        Counts the documents that were renamed.
    """

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._seen: set[str] = set()

    def of(self, name: str) -> str:
        """The name itself when it comes for the first time, then `name.2`, `name.3` and so on."""
        unique, number = name, 1
        while unique in self._seen:
            number += 1
            unique = f"{name}.{number}"
        self._seen.add(unique)
        self._tally.changed("documents", RENAMED, unique != name)
        return unique
