"""
How alike two clusterings of mentions are: MUC, B-cubed, CEAF-e, CEAF-m, LEA and BLANC.

Each gives, for a document, the fractions that its figures are computed from; they are summed over documents
and divided last. What counts of clusters with a single mention is the caller's to decide: what is in the
clusters counts. All of them look only at the pairs of clusters that share a mention.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy

from hmtl.metrics.fractions import Fractions

Cluster = Collection[Hashable]
ClusterT = TypeVar("ClusterT", bound=Sized)
Pair = tuple[int, int]


@dataclass(frozen=True)
class Comparison:
    """
    The clusters of one document on both sides; on a side, no mention is in two.

    # Parameters

    predicted, gold : `Sequence[Cluster]`
    """

    predicted: Sequence[Cluster]
    gold: Sequence[Cluster]

    @cached_property
    def shared(self) -> Mapping[Pair, int]:
        """How many mentions a predicted and a gold cluster share, by their indices, where they share any."""
        owner = {mention: index for index, cluster in enumerate(self.gold) for mention in cluster}
        return Counter(
            (index, owner[mention])
            for index, cluster in enumerate(self.predicted)
            for mention in cluster
            if mention in owner
        )

    @cached_property
    def turned(self) -> "Comparison":
        """The sides exchanged."""
        other = Comparison(self.gold, self.predicted)
        other.__dict__["shared"] = {(b, a): count for (a, b), count in self.shared.items()}
        return other

    def shared_by_predicted(self) -> list[list[Pair]]:
        """For each predicted cluster the gold ones that it shares mentions with, and how many."""
        found: list[list[Pair]] = [[] for _ in self.predicted]
        for (predicted, gold), count in self.shared.items():
            found[predicted].append((gold, count))
        return found


def muc(clusters: Comparison) -> Fractions:
    """Links kept and links there are (Vilain et al., 1995)."""
    return Fractions(*_muc_one_way(clusters), *_muc_one_way(clusters.turned))


def b_cubed(clusters: Comparison) -> Fractions:
    """Per mention, the share of its cluster that belongs with it (Bagga and Baldwin, 1998)."""
    return Fractions(*_b_cubed_one_way(clusters), *_b_cubed_one_way(clusters.turned))


def ceafe(clusters: Comparison) -> Fractions:
    """
    The similarity of clusters paired one to one in the best way (Luo, 2005), where two clusters are
    as similar as the F1 of their mentions (his phi_4).
    """
    similarity = {
        (row, column): 2 * count / (len(clusters.predicted[row]) + len(clusters.gold[column]))
        for (row, column), count in clusters.shared.items()
    }
    best = sum(similarity[pair] for pair in best_pairs(similarity))
    return Fractions(best, len(clusters.predicted), best, len(clusters.gold))


def ceafm(clusters: Comparison) -> Fractions:
    """The same by mentions: two clusters are as similar as they share mentions (Luo's phi_3)."""
    best = sum(clusters.shared[pair] for pair in best_pairs(clusters.shared))
    return Fractions(best, _size(clusters.predicted), best, _size(clusters.gold))


def lea(clusters: Comparison) -> Fractions:
    """
    Per cluster, weighted by its size, the share of its links that are kept (Moosavi and Strube, 2016). A
    cluster of one mention has one link, to itself, which is kept where it is such a cluster on the other
    side.
    """
    return Fractions(*_lea_one_way(clusters), *_lea_one_way(clusters.turned))


def blanc(clusters: Comparison) -> tuple[Fractions, Fractions]:
    """
    Links between mentions that corefer, and links between mentions that do not (Recasens and Hovy, 2011, as
    Luo et al., 2014, extend it to mentions that are not the gold ones). BLANC is the mean of the two.
    """
    within = sum(map(_num_links, clusters.shared.values()))
    by_side = []
    for side in (clusters, clusters.turned):
        known: Counter[int] = Counter()
        for (index, _), count in side.shared.items():
            known[index] += count
        by_side.append(sum(map(_num_links, known.values())))
    both = sum(clusters.shared.values())
    # Of the links between mentions that both sides know, those that neither side takes for coreferent.
    apart = _num_links(both) - sum(by_side) + within
    coreferent, other = [], []
    for partition in (clusters.predicted, clusters.gold):
        links = sum(_num_links(len(cluster)) for cluster in partition)
        coreferent += [within, links]
        other += [apart, _num_links(_size(partition)) - links]
    return Fractions(*coreferent), Fractions(*other)


def best_pairs(similarity: Mapping[Pair, float]) -> Iterator[Pair]:
    """
    Pair rows with columns, one to one, so that their similarities sum up to the most.

    # Parameters

    similarity : `Mapping[Tuple[int, int], float]`
        By row and column, above 0; what is not there is 0.
    """
    for rows, columns in _connected(similarity):
        if len(rows) == 1 or len(columns) == 1:
            yield max(
                ((row, column) for row in rows for column in columns), key=similarity.__getitem__
            )
            continue
        # A good part of a second at the start of every program, were it at the top.
        from scipy.optimize import linear_sum_assignment

        dense = numpy.array(
            [[similarity.get((row, column), 0.0) for column in columns] for row in rows]
        )
        for row, column in zip(*linear_sum_assignment(dense, maximize=True)):
            if dense[row, column]:
                yield rows[row], columns[column]


def _connected(pairs: Mapping[Pair, float]) -> Iterator[tuple[list[int], list[int]]]:
    """Rows and columns that hang together through pairs, in order: they can be paired by themselves."""
    columns_of, rows_of = defaultdict(list), defaultdict(list)
    for row, column in pairs:
        columns_of[row].append(column)
        rows_of[column].append(row)
    seen_rows: set[int] = set()
    for first in columns_of:
        if first in seen_rows:
            continue
        rows, columns, waiting = {first}, set(), [first]
        while waiting:
            for column in columns_of[waiting.pop()]:
                if column not in columns:
                    columns.add(column)
                    new = [row for row in rows_of[column] if row not in rows]
                    rows.update(new)
                    waiting.extend(new)
        seen_rows |= rows
        yield sorted(rows), sorted(columns)


def _muc_one_way(clusters: Comparison) -> tuple[int, int]:
    kept = there_are = 0
    for cluster, shared in zip(clusters.predicted, clusters.shared_by_predicted()):
        # The other side cuts this cluster into one part for each of its own clusters that it
        # touches, and one for each mention that it does not know. A link is kept inside a part.
        parts = len(shared) + len(cluster) - sum(count for _, count in shared)
        kept += len(cluster) - parts
        there_are += len(cluster) - 1
    return kept, there_are


def _b_cubed_one_way(clusters: Comparison) -> tuple[float, int]:
    shares = sum(
        sum(count * count for _, count in shared) / len(cluster)
        for cluster, shared in zip(clusters.predicted, clusters.shared_by_predicted())
    )
    return float(shares), _size(clusters.predicted)


def _lea_one_way(clusters: Comparison) -> tuple[float, int]:
    resolved = 0.0
    for cluster, shared in zip(clusters.predicted, clusters.shared_by_predicted()):
        if len(cluster) == 1:
            resolved += any(len(clusters.gold[other]) == 1 for other, _ in shared)
        elif len(cluster) > 1:
            kept = sum(_num_links(count) for _, count in shared)
            resolved += len(cluster) * kept / _num_links(len(cluster))
    return resolved, _size(clusters.predicted)


def without_singletons(clusters: Iterable[ClusterT]) -> list[ClusterT]:
    """Return those of two mentions or more."""
    return [cluster for cluster in clusters if len(cluster) > 1]


def _num_links(num_mentions: int) -> int:
    return num_mentions * (num_mentions - 1) // 2


def _size(clusters: Sequence[Cluster]) -> int:
    return sum(map(len, clusters))
