"""
MUC, B-cubed, entity-based CEAF, and their mean: the CoNLL-2012 score of coreference.

Each scorer gives, for a document, two fractions: the numerator and denominator of precision, and
those of recall. Over a corpus, the numerators and the denominators are summed first and divided
last (as the CoNLL-2012 scorer and Lee et al., 2017 do), so long documents weigh more than short
ones.

What counts of clusters with a single mention:

- MUC counts links, and such a cluster has none.
- By default, B-cubed leaves them out on both sides, and CEAF-e leaves out those that were predicted
  but keeps those that are gold (a corpus such as ACE marks them). A resolver that only predicts
  links can never find a gold one, so CEAF-e recall stays below 1 there. These are the rules of Lee
  et al. (2017) and of the 2018 HMTL, and their published figures follow them.
- With `keep_singletons`, every cluster on both sides counts, which is the definition in the
  scorers' papers. On a corpus without gold singletons the two agree, if none is predicted.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from hmtl.metrics.clusterings import Comparison, b_cubed, ceafe, muc, without_singletons
from hmtl.metrics.counts import Counts
from hmtl.metrics.fractions import NOTHING, Fractions

Span = tuple[int, int]
Cluster = frozenset[Span]
SCORERS = ("muc", "b_cubed", "ceafe")


@dataclass(init=False)
class CorefScores(Counts):
    """
    Counts documents of predicted and gold clusters.

    # Parameters

    keep_singletons : `bool`, optional (default = `False`)
        Whether clusters of one mention count in B-cubed and CEAF-e (see above).
    """

    # By document: sums of fractions round otherwise in another order, and several processes that share
    # the documents are to come to the same figures as one.
    muc: list[list[float]] = field(default_factory=list)
    b_cubed: list[list[float]] = field(default_factory=list)
    ceafe: list[list[float]] = field(default_factory=list)

    def __init__(self, keep_singletons: bool = False) -> None:
        self.keep_singletons = keep_singletons
        self.reset()

    def update(
        self,
        predicted_clusters: Iterable[Iterable[Sequence[int]]],
        gold_clusters: Iterable[Iterable[Sequence[int]]],
    ) -> None:
        """
        Counts one document.

        # Parameters

        predicted_clusters, gold_clusters : `Iterable[Iterable[Sequence[int]]]`
            Clusters of `(start, end)` spans with inclusive ends. A span given twice in one cluster
            counts once.

        # Raises

        `ValueError`
            If a span is in two clusters of the same side.
        """
        predicted = _partition(predicted_clusters, "predicted")
        gold = _partition(gold_clusters, "gold")
        whole = Comparison(predicted, gold)
        document = {"muc": muc(whole), "b_cubed": b_cubed(whole), "ceafe": ceafe(whole)}
        if not self.keep_singletons:
            multiple = without_singletons(predicted)
            document["b_cubed"] = b_cubed(Comparison(multiple, without_singletons(gold)))
            document["ceafe"] = ceafe(Comparison(multiple, gold))
        for name, fractions in document.items():
            getattr(self, name).append(list(fractions))

    def compute(self, full: bool = False) -> dict[str, Any]:
        """
        # Parameters

        full : `bool`, optional (default = `False`)
            Whether to add each scorer's own figures.

        # Returns

        metrics : `Dict[str, Any]`
            `coref_precision`, `coref_recall` and `coref_f1`: the means over the three scorers of
            their precision, recall and F1. With `full`, also `muc`, `b_cubed` and `ceafe`, each a
            dictionary of `precision`, `recall` and `f1_score`.
        """
        by_scorer = {name: sums.figures() for name, sums in self.fractions().items()}
        metrics: dict[str, Any] = {
            f"coref_{short}": sum(figures[name] for figures in by_scorer.values()) / len(SCORERS)
            for short, name in (
                ("precision", "precision"),
                ("recall", "recall"),
                ("f1", "f1_score"),
            )
        }
        return {**by_scorer, **metrics} if full else metrics

    def fractions(self) -> dict[str, Fractions]:
        """By scorer, what its figures are computed from: sums over documents."""
        return {name: _sum(getattr(self, name)) for name in SCORERS}

    def merge(self, state: dict[str, Any]) -> None:
        super().merge({name: _documents(state[name]) for name in SCORERS})


def _sum(documents: list[list[float]]) -> Fractions:
    total = NOTHING
    for fractions in documents:
        total = total.add(Fractions(*fractions))
    return total


def _documents(state: list[Any]) -> list[Any]:
    """Checkpoints of before held the sum over all documents: it counts as one of them."""
    return [state] if state and not isinstance(state[0], list) else state


def _partition(clusters: Iterable[Iterable[Sequence[int]]], side: str) -> list[Cluster]:
    sets = [frozenset((start, end) for start, end in cluster) for cluster in clusters]
    sets = [cluster for cluster in sets if cluster]
    times = Counter(span for cluster in sets for span in cluster)
    shared = [span for span, count in times.items() if count > 1]
    if shared:
        raise ValueError(
            f"the span {min(shared)} is in {times[min(shared)]} {side} clusters of one document: "
            "clusters must not share a mention, merge those that do"
        )
    return sets
