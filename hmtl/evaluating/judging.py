"""What of an instance was found, missed, and found without being there: the same for all kinds of answers."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

from hmtl.checking.example import Example
from hmtl.common.answers import COREFERENCE, DOCUMENT_RELATIONS, RELATIONS, TREE
from hmtl.formats.brackets import Span
from hmtl.metrics.fractions import Fractions

# A labelled span `(label, span)`; a relation `(label, (first token, second token))`; of coreference a mention
# with the one before it in its cluster, `(LINK, (earlier, later))`.
Item = tuple[str, tuple[Hashable, Hashable]]
LINK = "link"


@dataclass(frozen=True)
class Judged:
    """
    An instance with its answer.

    # Parameters

    gold, found : `Example`
    gold_items : `dict[Item, bool]`
        Whether each gold item was found. A link is, if the two mentions are in one predicted cluster.
    found_items : `dict[Item, bool]`
        Whether each item that was found is right.
    """

    gold: Example
    found: Example
    gold_items: dict[Item, bool]
    found_items: dict[Item, bool]

    @property
    def missed(self) -> list[Item]:
        return [item for item, is_found in self.gold_items.items() if not is_found]

    @property
    def wrong(self) -> list[Item]:
        return [item for item, is_right in self.found_items.items() if not is_right]

    @property
    def num_errors(self) -> int:
        return len(self.missed) + len(self.wrong)


def judge(kind: str, gold: Sequence[Example], found: Sequence[Example]) -> list[Judged]:
    """
    # Parameters

    kind : `str`
        One of `hmtl.common.answers.KINDS`.
    gold, found : `Sequence[Example]`
        The same instances, in the same order.
    """
    return [_judged(kind, *sides) for sides in zip(gold, found, strict=True)]


def is_known(kind: str) -> bool:
    """Return whether answers of this kind can be judged here: all but trees and relations of documents."""
    return kind not in (TREE, DOCUMENT_RELATIONS)


def _judged(kind: str, gold: Example, found: Example) -> Judged:
    if kind == COREFERENCE:
        theirs, ours = gold.clusters or [], found.clusters or []
        return Judged(gold, found, _links(theirs, ours), _links(ours, theirs))
    expected, answered = _items(kind, gold), _items(kind, found)
    return Judged(
        gold,
        found,
        {item: item in set(answered) for item in expected},
        {item: item in set(expected) for item in answered},
    )


def _items(kind: str, example: Example) -> list[Item]:
    if kind == RELATIONS:
        return list(
            dict.fromkeys((r.type, (r.arg1[1], r.arg2[1])) for r in example.relations or ())
        )
    return list(dict.fromkeys((label, (a, b)) for label, (a, b) in example.spans or ()))


def _links(
    clusters: Iterable[Sequence[Span]], others: Iterable[Sequence[Span]]
) -> dict[Item, bool]:
    cluster_of = {span: number for number, cluster in enumerate(others) for span in cluster}
    links: dict[Item, bool] = {}
    for cluster in clusters:
        ordered = sorted(set(cluster))
        for earlier, later in zip(ordered, ordered[1:]):
            together = cluster_of.get(earlier, -1) == cluster_of.get(later, -2)
            links[LINK, (earlier, later)] = together
    return links


def fractions(judged: Iterable[Judged]) -> Fractions:
    """Return what precision and recall of the items are computed from."""
    total = Fractions(0, 0, 0, 0)
    for each in judged:
        total = total.add(
            Fractions(
                sum(each.found_items.values()),
                len(each.found_items),
                sum(each.gold_items.values()),
                len(each.gold_items),
            )
        )
    return total
