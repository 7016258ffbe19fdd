"""Precision, recall and F1 from counts, by label and over all labels."""

from collections import Counter
from collections.abc import Hashable, Iterable
from typing import Any

from hmtl.metrics.fractions import Fractions

OVERALL = "overall"


class LabelledF1:
    """
    Counts items (spans, relations) that were predicted, that are gold, and that are both. An item
    given twice in one update counts once.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forgets everything counted so far."""
        self._correct: Counter[str] = Counter()
        self._predicted: Counter[str] = Counter()
        self._gold: Counter[str] = Counter()

    def count(
        self, predicted: Iterable[tuple[str, Hashable]], gold: Iterable[tuple[str, Hashable]]
    ) -> None:
        """
        # Parameters

        predicted, gold : `Iterable[Tuple[str, Hashable]]`
            Pairs of a label and what identifies the item within its sentence.
        """
        predicted_items, gold_items = set(predicted), set(gold)
        self._predicted.update(label for label, _ in predicted_items)
        self._gold.update(label for label, _ in gold_items)
        self._correct.update(label for label, _ in predicted_items & gold_items)

    def compute(self) -> dict[str, float]:
        """
        # Returns

        metrics : `Dict[str, float]`
            `precision-<label>`, `recall-<label>` and `f1-measure-<label>` for every label seen, and
            the same for `overall`: the micro-average, from the counts summed over labels. 0.0 where
            a figure is undefined.
        """
        metrics: dict[str, float] = {}
        for label in sorted(self._predicted.keys() | self._gold.keys()):
            counts = (self._correct[label], self._predicted[label], self._gold[label])
            metrics.update(_figures(label, *counts))
        totals = (self._correct.total(), self._predicted.total(), self._gold.total())
        metrics.update(_figures(OVERALL, *totals))
        return metrics

    def fractions(self) -> dict[str, Fractions]:
        """What `overall` is computed from: sums over sentences."""
        correct = self._correct.total()
        return {OVERALL: Fractions(correct, self._predicted.total(), correct, self._gold.total())}

    def state_dict(self) -> dict[str, Any]:
        """The counts, as plain numbers."""
        return {
            "correct": dict(self._correct),
            "predicted": dict(self._predicted),
            "gold": dict(self._gold),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from counts that `state_dict` gave."""
        self._correct = Counter(state["correct"])
        self._predicted = Counter(state["predicted"])
        self._gold = Counter(state["gold"])

    def merge(self, state: dict[str, Any]) -> None:
        """Counts as well what another one counted, as its `state_dict` tells it."""
        self._correct.update(state["correct"])
        self._predicted.update(state["predicted"])
        self._gold.update(state["gold"])


def _figures(label: str, correct: int, predicted: int, gold: int) -> dict[str, float]:
    figures = Fractions(correct, predicted, correct, gold).figures()
    return {
        f"precision-{label}": figures["precision"],
        f"recall-{label}": figures["recall"],
        f"f1-measure-{label}": figures["f1_score"],
    }
