"""Precision, recall and F1 from counts, by label and over all labels."""

from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field

from hmtl.metrics.counts import Counts
from hmtl.metrics.fractions import Fractions

OVERALL = "overall"


@dataclass
class LabelledF1(Counts):
    """
    Counts items (spans, relations) that were predicted, that are gold, and that are both. An item
    given twice in one update counts once.
    """

    correct: Counter[str] = field(default_factory=Counter)
    predicted: Counter[str] = field(default_factory=Counter)
    gold: Counter[str] = field(default_factory=Counter)

    def count(
        self, predicted: Iterable[tuple[str, Hashable]], gold: Iterable[tuple[str, Hashable]]
    ) -> None:
        """
        # Parameters

        predicted, gold : `Iterable[Tuple[str, Hashable]]`
            Pairs of a label and what identifies the item within its sentence.
        """
        predicted_items, gold_items = set(predicted), set(gold)
        self.predicted.update(label for label, _ in predicted_items)
        self.gold.update(label for label, _ in gold_items)
        self.correct.update(label for label, _ in predicted_items & gold_items)

    def compute(self) -> dict[str, float]:
        """
        # Returns

        metrics : `Dict[str, float]`
            `precision-<label>`, `recall-<label>`, `f1-measure-<label>` and `support-<label>` (how many are
            gold) for every label seen, and the first three for `overall`: the micro-average, from the counts
            summed over labels. 0.0 where a figure is undefined.
        """
        metrics: dict[str, float] = {}
        for label in sorted(self.predicted.keys() | self.gold.keys()):
            counts = (self.correct[label], self.predicted[label], self.gold[label])
            metrics.update(_figures(label, *counts))
            metrics[f"support-{label}"] = self.gold[label]
        totals = (self.correct.total(), self.predicted.total(), self.gold.total())
        metrics.update(_figures(OVERALL, *totals))
        return metrics

    def fractions(self) -> dict[str, Fractions]:
        """What `overall` is computed from: sums over sentences."""
        correct = self.correct.total()
        return {OVERALL: Fractions(correct, self.predicted.total(), correct, self.gold.total())}


def _figures(label: str, correct: int, predicted: int, gold: int) -> dict[str, float]:
    figures = Fractions(correct, predicted, correct, gold).figures()
    return {
        f"precision-{label}": figures["precision"],
        f"recall-{label}": figures["recall"],
        f"f1-measure-{label}": figures["f1_score"],
    }
