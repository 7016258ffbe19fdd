"""What each of several processes takes of the work."""

from typing import Any, Dict, NamedTuple, Sequence, TypeVar

Item = TypeVar("Item")


class Part(NamedTuple):
    """
    Which of how many processes this is: `rank` counts from 0 and is less than `world_size`.
    """

    rank: int = 0
    world_size: int = 1

    def of(self, items: Sequence[Item]) -> Sequence[Item]:
        """
        Neighbouring items, so that those of all processes one after the other are the whole. Two processes
        have as many, or one of them one more; where there are fewer items than processes, some have none.
        """
        first, end = (rank * len(items) // self.world_size for rank in (self.rank, self.rank + 1))
        return items[first:end]


WHOLE = Part()


class RepeatedBatch(Dict[str, Any]):
    """
    The batch of a process for which there is no instance left: it repeats one of another process's. It is
    computed with like any other, so that the process goes through the same steps, but counts for nothing.
    """
