"""The loss of an instance by itself, where that of a batch depends on its padding."""

from collections.abc import Sequence
from typing import Any

from hmtl.metrics.fractions import ratio

UNPADDED_LOSS = "unpadded-loss"


class UnpaddedLoss:
    """The mean over instances of the loss that each has in a batch of its own."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forgets everything counted so far."""
        self._total = 0.0
        self._count = 0

    def update(self, losses: Sequence[float]) -> None:
        """Counts the instances of a batch."""
        self._total += sum(losses)
        self._count += len(losses)

    def compute(self) -> dict[str, float]:
        """
        # Returns

        metrics : `Dict[str, float]`
            `unpadded-loss`, 0.0 where nothing was counted.
        """
        return {UNPADDED_LOSS: ratio(self._total, self._count)}

    def state_dict(self) -> dict[str, Any]:
        """The sum, as plain numbers."""
        return {"total": self._total, "count": self._count}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from what `state_dict` gave."""
        self._total, self._count = state["total"], state["count"]

    def merge(self, state: dict[str, Any]) -> None:
        """Counts as well what another one counted, as its `state_dict` tells it."""
        self._total += state["total"]
        self._count += state["count"]
