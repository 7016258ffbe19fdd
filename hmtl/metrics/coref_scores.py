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

import numpy

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
        multiple = (predicted, gold) if self.keep_singletons else (_drop(predicted), _drop(gold))
        document = {
            "muc": muc(predicted, gold),
            "b_cubed": b_cubed(*multiple),
            "ceafe": ceafe(multiple[0], gold),
        }
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


def muc(predicted: Sequence[Cluster], gold: Sequence[Cluster]) -> Fractions:
    """Links kept and links there are (Vilain et al., 1995)."""
    return Fractions(*_muc_one_way(predicted, gold), *_muc_one_way(gold, predicted))


def b_cubed(predicted: Sequence[Cluster], gold: Sequence[Cluster]) -> Fractions:
    """Per mention, the share of its cluster that belongs with it (Bagga and Baldwin, 1998)."""
    return Fractions(*_b_cubed_one_way(predicted, gold), *_b_cubed_one_way(gold, predicted))


def ceafe(predicted: Sequence[Cluster], gold: Sequence[Cluster]) -> Fractions:
    """
    The similarity of clusters paired one to one in the best way (Luo, 2005), where two clusters are
    as similar as the F1 of their mentions (his phi_4).
    """
    if not predicted or not gold:
        return Fractions(0.0, len(predicted), 0.0, len(gold))
    owner = _owner(gold)
    similarity = numpy.zeros((len(gold), len(predicted)))
    for column, cluster in enumerate(predicted):
        for row, overlap in _overlaps(cluster, owner).items():
            similarity[row, column] = 2 * overlap / (len(gold[row]) + len(cluster))
    # A good part of a second at the start of every program, were it at the top.
    from scipy.optimize import linear_sum_assignment

    best = float(similarity[linear_sum_assignment(similarity, maximize=True)].sum())
    return Fractions(best, len(predicted), best, len(gold))


def _muc_one_way(clusters: Sequence[Cluster], others: Sequence[Cluster]) -> tuple[int, int]:
    owner = _owner(others)
    kept = there_are = 0
    for cluster in clusters:
        overlaps = _overlaps(cluster, owner)
        # The other side cuts this cluster into one part for each of its own clusters that it
        # touches, and one for each mention that it does not know. A link is kept inside a part.
        parts = len(overlaps) + len(cluster) - overlaps.total()
        kept += len(cluster) - parts
        there_are += len(cluster) - 1
    return kept, there_are


def _b_cubed_one_way(clusters: Sequence[Cluster], others: Sequence[Cluster]) -> tuple[float, int]:
    owner = _owner(others)
    shares = sum(
        sum(overlap * overlap for overlap in _overlaps(cluster, owner).values()) / len(cluster)
        for cluster in clusters
    )
    return float(shares), sum(len(cluster) for cluster in clusters)


def _owner(clusters: Sequence[Cluster]) -> dict[Span, int]:
    return {span: index for index, cluster in enumerate(clusters) for span in cluster}


def _overlaps(cluster: Cluster, owner: dict[Span, int]) -> "Counter[int]":
    return Counter(owner[span] for span in cluster if span in owner)


def _drop(clusters: Sequence[Cluster]) -> list[Cluster]:
    return [cluster for cluster in clusters if len(cluster) > 1]


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
