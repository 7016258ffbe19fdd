"""Exact-match F1 of labelled spans: named entities and mentions."""

from collections.abc import Iterable

from hmtl.metrics.labelled_f1 import LabelledF1

LabelledSpan = tuple[str, tuple[int, int]]


class SpanF1(LabelledF1):
    """
    A predicted span is correct if a gold span of the same sentence has its start, its end and its
    label (CoNLL-2002/2003). For spans that `hmtl.formats.tags` reads from tags, the figures are those
    of seqeval: of its strict mode for BIOUL, and of its default mode for BIO and IOB1.
    """

    def update(self, predicted: Iterable[LabelledSpan], gold: Iterable[LabelledSpan]) -> None:
        """
        Counts one sentence.

        # Parameters

        predicted, gold : `Iterable[Tuple[str, Tuple[int, int]]]`
            Pairs of a label and a `(start, end)` with an inclusive end.
        """
        self.count(predicted, gold)
