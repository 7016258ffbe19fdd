"""Exact-match F1 of labelled relations between tokens."""

from collections.abc import Iterable

from hmtl.metrics.labelled_f1 import LabelledF1

Relation = tuple[int, int, str]


class RelationF1(LabelledF1):
    """
    A predicted relation is correct if a gold relation of the same sentence has its label and joins
    the same two tokens in the same direction (the `boundaries` evaluation of Bekoulis et al.,
    2018).
    """

    def update(self, predicted: Iterable[Relation], gold: Iterable[Relation]) -> None:
        """
        Counts one sentence.

        # Parameters

        predicted, gold : `Iterable[Tuple[int, int, str]]`
            The token index of the first argument, that of the second, and the label.
        """
        self.count(
            [(label, (arg1, arg2)) for arg1, arg2, label in predicted],
            [(label, (arg1, arg2)) for arg1, arg2, label in gold],
        )
