"""Accuracy, micro and macro F1 of labels of texts, or of tokens."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from hmtl.metrics.accuracy import Accuracy
from hmtl.metrics.counts import Counts
from hmtl.metrics.fractions import Fractions, ratio
from hmtl.metrics.labelled_f1 import LabelledF1

MACRO = "f1-measure-macro"


@dataclass
class LabelScores(Counts):
    """Counts texts, each of which has one label, several, or none; or tokens, which have one each."""

    exact: Accuracy = field(default_factory=Accuracy)
    by_label: LabelledF1 = field(default_factory=LabelledF1)

    def update(self, predicted: Collection[str], gold: Collection[str]) -> None:
        """Count one text: the labels that it was given, and those that it has."""
        self.exact.update([frozenset(predicted)], [frozenset(gold)])
        self.by_label.count([(label, 0) for label in predicted], [(label, 0) for label in gold])

    def update_tokens(self, predicted: Sequence[str], gold: Sequence[str]) -> None:
        """Count the tokens of one sequence: the label that each was given, and the one that it has."""
        self.exact.update(predicted, gold)
        self.by_label.count(_placed(predicted), _placed(gold))

    def fractions(self) -> dict[str, Fractions]:
        """What micro F1 is computed from."""
        return self.by_label.fractions()

    def compute(self) -> dict[str, float]:
        """
        # Returns

        metrics : `Dict[str, float]`
            `accuracy`, the share of texts with exactly their labels; what `LabelledF1` computes, of which
            `f1-measure-overall` is micro F1 (the accuracy, if each text has one label); `f1-measure-macro`,
            the mean of F1 over the labels that were predicted or are gold.
        """
        labels = self.by_label.predicted.keys() | self.by_label.gold.keys()
        metrics = {**self.exact.compute(), **self.by_label.compute()}
        total = sum(
            ratio(
                2 * self.by_label.correct[label],
                self.by_label.predicted[label] + self.by_label.gold[label],
            )
            for label in sorted(labels)
        )
        return {**metrics, MACRO: ratio(total, len(labels))}


def _placed(labels: Sequence[str]) -> list[tuple[str, int]]:
    return [(label, place) for place, label in enumerate(labels)]
