"""F1 and Ign F1 of relations between the entities of documents, as DocRED defines them."""

from collections.abc import Collection
from dataclasses import dataclass, field

from hmtl.metrics.counts import Counts
from hmtl.metrics.fractions import Fractions, f1_score
from hmtl.metrics.labelled_f1 import OVERALL, LabelledF1

Triple = tuple[int, int, str]


@dataclass
class DocumentRelationScores(Counts):
    """
    A predicted relation is correct if the gold ones have its head, its tail and its type.

    Ign F1 (Yao et al., 2019) forgoes what a model may have by heart: correct relations that hold in the
    training data, too, between entities of the same names, count neither as correct nor as predicted when
    precision is computed; recall is that of all.
    """

    relations: LabelledF1 = field(default_factory=LabelledF1)
    correct_known: int = 0

    def update(
        self, predicted: Collection[Triple], gold: Collection[Triple], known: Collection[Triple]
    ) -> None:
        """
        Counts one document.

        # Parameters

        predicted, gold : `Collection[Tuple[int, int, str]]`
            Head and tail, each an entity of the document, and type.
        known : `Collection[Tuple[int, int, str]]`
            Those that hold in the training data; of others than the correct ones it does not matter.
        """
        self.relations.count(*([(r, (h, t)) for h, t, r in side] for side in (predicted, gold)))
        self.correct_known += len(set(predicted) & set(gold) & set(known))

    def fractions(self) -> dict[str, Fractions]:
        """What F1 is computed from."""
        return self.relations.fractions()

    def compute(self) -> dict[str, float]:
        """
        # Returns

        metrics : `Dict[str, float]`
            What `LabelledF1.compute` tells, and `ign-precision` and `ign-f1-measure`.
        """
        all_ = self.fractions()[OVERALL]
        recall = all_.figures()["recall"]
        known = self.correct_known
        ignoring = all_.precision_numerator - known, all_.precision_denominator - known
        precision = Fractions(*ignoring, 0, 0).figures()["precision"]
        return {
            **self.relations.compute(),
            "ign-precision": precision,
            "ign-f1-measure": f1_score(precision, recall),
        }
