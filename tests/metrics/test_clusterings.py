import numpy
import pytest
import scorch.scores
from corefeval.metrics import lea as their_lea
from hypothesis import given
from hypothesis import strategies as st

from hmtl.metrics.clusterings import (
    Comparison,
    b_cubed,
    best_pairs,
    blanc,
    ceafe,
    ceafm,
    lea,
    muc,
    without_singletons,
)


@st.composite
def partitions(draw) -> list[set[int]]:
    labels = draw(st.lists(st.integers(-1, 5), min_size=1, max_size=14))
    clusters = [
        {place for place, label in enumerate(labels) if label == one} for one in sorted(set(labels))
    ]
    # Mentions of the label -1 are known to one side only.
    return [cluster for cluster in clusters if cluster and labels[min(cluster)] >= 0]


def figures(fractions) -> tuple[float, float, float]:
    found = fractions.figures()
    return found["recall"], found["precision"], found["f1_score"]


@pytest.mark.parametrize(
    "ours, theirs",
    [
        (muc, scorch.scores.muc),
        (b_cubed, scorch.scores.b_cubed),
        (ceafe, scorch.scores.ceaf_e),
        (ceafm, scorch.scores.ceaf_m),
    ],
    ids=lambda score: score.__name__,
)
@given(predicted=partitions(), gold=partitions())
def test_agrees_with_scorch(ours, theirs, predicted, gold) -> None:
    if not any(a & b for a in gold for b in predicted):
        return  # scorch fails where nothing is right
    expected = theirs(gold, predicted)
    assert figures(ours(Comparison(predicted, gold))) == pytest.approx(expected)


@given(predicted=partitions(), gold=partitions())
def test_lea_agrees_with_coreference_eval(predicted, gold) -> None:
    # It passes over singletons as clusters, but not as owners of a mention.
    predicted, gold = without_singletons(predicted), without_singletons(gold)
    owners = [{m: tuple(c) for c in side for m in c} for side in (predicted, gold)]
    precision = their_lea([list(c) for c in predicted], owners[1])
    recall = their_lea([list(c) for c in gold], owners[0])
    assert lea(Comparison(predicted, gold)) == pytest.approx((*precision, *recall))


@given(predicted=partitions(), gold=partitions())
def test_blanc_agrees_with_scorch(predicted, gold) -> None:
    links = blanc(Comparison(predicted, gold))
    if predicted and gold and len(predicted) + len(gold) > 2:
        expected = scorch.scores.detailed_blanc(gold, predicted)
        for ours, theirs in zip(links, expected):
            # It scores no links on both sides as perfect, and leaves out what the gold has none of.
            if theirs is not None and (ours[1] or ours[3]):
                assert figures(ours) == pytest.approx(theirs)


def test_blanc_counts_links_of_both_kinds() -> None:
    gold, predicted = [{1, 2, 3}, {4}], [{1, 2}, {3, 4}, {5}]
    coreferent, other = blanc(Comparison(predicted, gold))
    # Links that corefer: 12 13 23 gold, 12 34 predicted. All others of 4, and of 5 mentions.
    assert coreferent == (1, 2, 1, 3)
    # 14 24 34 gold; 13 14 23 24 and the four with 5 predicted.
    assert other == (2, 8, 2, 3)


def test_lea_of_the_paper_s_example() -> None:
    # Moosavi and Strube (2016), figure 1: K = {abc} {defg}, R = {ab} {cd} {fghi}.
    comparison = Comparison(["ab", "cd", "fghi"], ["abc", "defg"])
    recall = (3 * 1 / 3 + 4 * 1 / 6) / 7
    precision = (2 * 1 + 2 * 0 + 4 * 1 / 6) / 8
    assert figures(lea(comparison))[:2] == pytest.approx((recall, precision))


def test_lea_gives_singletons_a_link_to_themselves() -> None:
    assert lea(Comparison(["a", "bc"], ["a", "b", "c"])) == (1, 3, 1, 3)


@given(st.lists(st.lists(st.integers(0, 3), min_size=4, max_size=4), max_size=6))
def test_pairing_by_parts_is_as_good_as_of_the_whole(rows) -> None:
    from scipy.optimize import linear_sum_assignment

    table = numpy.array(rows, dtype=float).reshape(-1, 4)
    sparse = {(r, c): table[r, c] for r in range(len(table)) for c in range(4) if table[r, c]}
    pairs = list(best_pairs(sparse))
    assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs)
    best = table[linear_sum_assignment(table, maximize=True)].sum()
    assert sum(sparse[pair] for pair in pairs) == best
