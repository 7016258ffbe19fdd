"""Precision and recall as what they are made of, which can be summed over sentences or documents."""

from typing import NamedTuple


def ratio(numerator: float, denominator: float) -> float:
    """`numerator / denominator`, and 0.0 where the denominator is zero."""
    return numerator / denominator if denominator else 0.0


def f1_score(precision: float, recall: float) -> float:
    """The harmonic mean of precision and recall; 0.0 where both are zero."""
    return ratio(2 * precision * recall, precision + recall)


class Fractions(NamedTuple):
    """Precision and recall, each before its division."""

    precision_numerator: float
    precision_denominator: float
    recall_numerator: float
    recall_denominator: float

    def add(self, other: "Fractions") -> "Fractions":
        """The sum, part by part."""
        return Fractions(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))

    def figures(self) -> dict[str, float]:
        """`precision`, `recall` and `f1_score`, 0.0 where undefined."""
        precision = ratio(self.precision_numerator, self.precision_denominator)
        recall = ratio(self.recall_numerator, self.recall_denominator)
        return {"precision": precision, "recall": recall, "f1_score": f1_score(precision, recall)}


NOTHING = Fractions(0, 0, 0, 0)
