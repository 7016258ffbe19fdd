"""The share of items that were labelled right."""

from collections.abc import Hashable, Iterable
from typing import Any

from hmtl.metrics.fractions import ratio


class Accuracy:
    """Counts labels that were predicted and those that were right."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forgets everything counted so far."""
        self._correct = 0
        self._total = 0

    def update(self, predicted: Iterable[Hashable], gold: Iterable[Hashable]) -> None:
        """
        Counts one sequence.

        # Parameters

        predicted, gold : `Iterable[Hashable]`
            The labels of the same items in the same order.
        """
        hits = [label == other for label, other in zip(predicted, gold, strict=True)]
        self._correct += sum(hits)
        self._total += len(hits)

    def compute(self) -> dict[str, float]:
        """
        # Returns

        metrics : `Dict[str, float]`
            `accuracy`, 0.0 where nothing was counted.
        """
        return {"accuracy": ratio(self._correct, self._total)}

    def state_dict(self) -> dict[str, Any]:
        """The counts, as plain numbers."""
        return {"correct": self._correct, "total": self._total}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from counts that `state_dict` gave."""
        self._correct, self._total = state["correct"], state["total"]

    def merge(self, state: dict[str, Any]) -> None:
        """Counts as well what another one counted, as its `state_dict` tells it."""
        self._correct += state["correct"]
        self._total += state["total"]
