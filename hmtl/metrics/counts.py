"""What the metrics are computed from: counts that can be reset, kept, and summed over processes."""

from collections import Counter
from dataclasses import MISSING, dataclass, fields
from typing import Any


@dataclass
class Counts:
    """
    The fields of a subclass, a dataclass, are what it counts, each with the value that it begins with: a
    number, a `Counter`, a list, other `Counts`, or a dictionary of any of these.
    """

    def reset(self) -> None:
        """Forget everything counted so far."""
        for each in fields(self):
            make = each.default_factory
            setattr(self, each.name, each.default if make is MISSING else make())

    def state_dict(self) -> dict[str, Any]:
        """Return the counts as plain numbers, in lists and dictionaries."""
        return {each.name: _plain(getattr(self, each.name)) for each in fields(self)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from counts that `state_dict` gave."""
        self.reset()
        self.merge(state)

    def merge(self, state: dict[str, Any]) -> None:
        """Count as well what another one counted, as its `state_dict` tells it."""
        for each in fields(self):
            setattr(self, each.name, _sum(getattr(self, each.name), state[each.name]))


def _plain(counts: Any) -> Any:
    if isinstance(counts, Counts):
        return counts.state_dict()
    if isinstance(counts, dict):
        return {name: _plain(each) for name, each in counts.items()}
    return list(counts) if isinstance(counts, list) else counts


def _sum(mine: Any, state: Any) -> Any:
    if isinstance(mine, Counts):
        mine.merge(state)
        return mine
    if isinstance(mine, Counter):
        mine.update(state)
        return mine
    if isinstance(mine, dict):
        return {name: _sum(each, state[name]) for name, each in mine.items()}
    return mine + state
