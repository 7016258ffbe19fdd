"""Random choices that give the same sequence on every Python the project supports."""

import random
from typing import Callable, Sequence, TypeVar

T = TypeVar("T")


class Dice:
    """
    Choices drawn from `random.Random.random` alone, the one method whose sequence Python promises to
    keep between versions.

    # Parameters

    seed : `str`
        Any string; equal strings give equal choices.
    """

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed)

    def chance(self, probability: float) -> bool:
        """Whether an event of this probability (0 to 1) happens."""
        return self._random.random() < probability

    def below(self, limit: int) -> int:
        """An integer from 0 to `limit` - 1."""
        return int(self._random.random() * limit)

    def pick(self, choices: Sequence[T]) -> T:
        """One of `choices`, all equally likely."""
        return choices[self.below(len(choices))]

    def weigh(self, choices: Sequence[T], weight: Callable[[T], float]) -> T:
        """One of `choices`, each as likely as its weight (not negative) among the sum of all."""
        left = self._random.random() * sum(weight(choice) for choice in choices)
        for choice in choices:
            left -= weight(choice)
            if left < 0:
                return choice
        return choices[-1]

    def shuffled(self, choices: Sequence[T]) -> list[T]:
        """A new list of `choices` in random order (Fisher and Yates)."""
        result = list(choices)
        for last in range(len(result) - 1, 0, -1):
            other = self.below(last + 1)
            result[last], result[other] = result[other], result[last]
        return result
