"""The share of items that were labelled right."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass

from hmtl.metrics.counts import Counts
from hmtl.metrics.fractions import ratio


@dataclass
class Accuracy(Counts):
    """Counts labels that were predicted and those that were right."""

    correct: int = 0
    total: int = 0

    def update(self, predicted: Iterable[Hashable], gold: Iterable[Hashable]) -> None:
        """
        Counts one sequence.

        # Parameters

        predicted, gold : `Iterable[Hashable]`
            The labels of the same items in the same order.
        """
        hits = [label == other for label, other in zip(predicted, gold, strict=True)]
        self.correct += sum(hits)
        self.total += len(hits)

    def compute(self) -> dict[str, float]:
        """
        # Returns

        metrics : `Dict[str, float]`
            `accuracy`, 0.0 where nothing was counted.
        """
        return {"accuracy": ratio(self.correct, self.total)}
