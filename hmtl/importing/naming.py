"""Names of documents that differ from each other."""

from __future__ import annotations

from hmtl.importing.tally import Tally

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
        self._instead: dict[str, str] = {}

    def of(self, name: str) -> str:
        """
        The name itself when it comes for the first time, then `name.2`, `name.3` and so on; without NUL, as
        `corpus_writer.writable` has texts.
        """
        if "\0" in name:
            self._tally.replaced(name.count("\0"))
            name = name.replace("\0", "\N{REPLACEMENT CHARACTER}")
        unique, number = name, 1
        while unique in self._seen:
            number += 1
            unique = f"{name}.{number}"
        self._seen.add(unique)
        self._tally.changed("documents", RENAMED, unique != name)
        return unique

    def instead_of(self, name: str, wanted: str) -> str:
        """What stands for a name whenever it comes: `wanted`, named apart from what stands for others."""
        if name not in self._instead:
            self._instead[name] = self.of(wanted)
        return self._instead[name]
