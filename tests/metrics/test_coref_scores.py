import json
import math
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmtl.metrics.coref_scores import CorefScores


def mentions(names: str) -> list[tuple[int, int]]:
    """`"1A"` as the spans (1, 1) and (10, 10): the papers name mentions by hexadecimal digits."""
    return [(int(name, 16), int(name, 16)) for name in names]


def clusters(*names: str) -> list[list[tuple[int, int]]]:
    return [mentions(cluster) for cluster in names]


def score(predicted, gold, keep_singletons: bool = False) -> dict:
    scores = CorefScores(keep_singletons)
    scores.update(predicted, gold)
    return scores.compute(full=True)


@st.composite
def partitions(draw, min_cluster_size: int = 1) -> list[list[tuple[int, int]]]:
    labels = draw(st.lists(st.integers(-1, 4), max_size=12))
    by_label: dict[int, list[tuple[int, int]]] = {}
    for position, label in enumerate(labels):
        if label >= 0:
            by_label.setdefault(label, []).append((position, position + label % 2))
    return [cluster for cluster in by_label.values() if len(cluster) >= min_cluster_size]


@pytest.mark.parametrize(
    "predicted, gold, precision, recall",
    [
        # Vilain et al. (1995): the links of {A B C D}, and what is left of them when it falls
        # apart.
        (clusters("AB", "CD"), clusters("ABCD"), 2 / 2, 2 / 3),
        (clusters("ABCD"), clusters("AB", "CD"), 2 / 3, 2 / 2),
        (clusters("AB"), clusters("ABCD"), 1 / 1, 1 / 3),
        (clusters("ABE"), clusters("ABCD"), 1 / 2, 1 / 3),
        # Bagga and Baldwin (1998): MUC cannot tell their two responses apart.
        (clusters("12345", "6789ABC"), clusters("12345", "67", "89ABC"), 9 / 10, 9 / 9),
        (clusters("1234589ABC", "67"), clusters("12345", "67", "89ABC"), 9 / 10, 9 / 9),
    ],
)
def test_muc_agrees_with_worked_cases(predicted, gold, precision, recall) -> None:
    figures = score(predicted, gold)["muc"]
    assert figures["precision"] == pytest.approx(precision)
    assert figures["recall"] == pytest.approx(recall)
    assert figures["f1_score"] == pytest.approx(2 * precision * recall / (precision + recall))


@pytest.mark.parametrize(
    "predicted, gold, precision, recall",
    [
        # Bagga and Baldwin (1998): 76 % and 58 %.
        (clusters("12345", "6789ABC"), clusters("12345", "67", "89ABC"), 16 / 21, 1.0),
        (clusters("1234589ABC", "67"), clusters("12345", "67", "89ABC"), 7 / 12, 1.0),
        (clusters("12"), clusters("123"), 1.0, 4 / 9),
    ],
)
def test_b_cubed_agrees_with_worked_cases(predicted, gold, precision, recall) -> None:
    figures = score(predicted, gold)["b_cubed"]
    assert figures["precision"] == pytest.approx(precision)
    assert figures["recall"] == pytest.approx(recall)


@pytest.mark.parametrize(
    "predicted, gold, precision, recall, f1",
    [
        # Luo (2005), phi_4: 0.733 and 0.667.
        (clusters("12345", "6789ABC"), clusters("12345", "67", "89ABC"), 11 / 12, 11 / 18, 11 / 15),
        (clusters("1234589ABC", "67"), clusters("12345", "67", "89ABC"), 5 / 6, 5 / 9, 2 / 3),
    ],
)
def test_ceafe_agrees_with_worked_cases(predicted, gold, precision, recall, f1) -> None:
    figures = score(predicted, gold)["ceafe"]
    assert figures["precision"] == pytest.approx(precision)
    assert figures["recall"] == pytest.approx(recall)
    assert figures["f1_score"] == pytest.approx(f1)


def test_conll_scores_are_means_over_the_three_scorers() -> None:
    metrics = score(clusters("12345", "6789ABC"), clusters("12345", "67", "89ABC"))
    scorers = [metrics[name] for name in ("muc", "b_cubed", "ceafe")]
    for short, name in (("precision", "precision"), ("recall", "recall"), ("f1", "f1_score")):
        expected = sum(figures[name] for figures in scorers) / 3
        assert metrics[f"coref_{short}"] == pytest.approx(expected)


def test_conll_scores_are_divided_after_the_sum_over_documents() -> None:
    scores = CorefScores()
    scores.update(clusters("12", "34"), clusters("1234"))
    scores.update(clusters("12"), clusters("12"))
    assert scores.compute(full=True)["muc"]["recall"] == pytest.approx((2 + 1) / (3 + 1))


@pytest.mark.parametrize(
    "side, other", [("precision", "recall"), ("recall", "precision")], ids=lambda side: side
)
def test_document_with_clusters_on_one_side_alone_counts_on_that_side(side, other) -> None:
    alone = {"precision": (clusters("12", "345"), []), "recall": ([], clusters("12", "345"))}
    scores = CorefScores()
    scores.update(*alone[side])
    scores.update(clusters("12"), clusters("12"))
    metrics = scores.compute(full=True)
    # Links, mentions and clusters: those that are right of all that there are.
    for name, share in (("muc", 1 / 4), ("b_cubed", 2 / 7), ("ceafe", 1 / 3)):
        assert (metrics[name][side], metrics[name][other]) == (pytest.approx(share), 1.0)


def test_conll_scores_give_each_scorer_only_in_full() -> None:
    assert set(CorefScores().compute()) == {"coref_precision", "coref_recall", "coref_f1"}
    assert set(CorefScores().compute(full=True)) >= {"muc", "b_cubed", "ceafe"}


def test_singletons_are_left_out_as_in_the_2018_code() -> None:
    metrics = score(clusters("12", "3", "4"), clusters("12", "3"))
    assert metrics["muc"]["f1_score"] == 1.0
    assert metrics["b_cubed"]["f1_score"] == 1.0
    assert metrics["ceafe"]["precision"] == 1.0
    assert metrics["ceafe"]["recall"] == pytest.approx(1 / 2)


def test_gold_singletons_earn_no_credit_in_b_cubed() -> None:
    figures = score(clusters("123"), clusters("12", "3"))["b_cubed"]
    assert figures["precision"] == pytest.approx(4 / 9)
    assert figures["recall"] == 1.0


def test_singletons_count_when_kept() -> None:
    metrics = score(clusters("12", "3", "4"), clusters("12", "3"), keep_singletons=True)
    assert metrics["b_cubed"]["precision"] == pytest.approx(3 / 4)
    assert metrics["b_cubed"]["recall"] == 1.0
    assert metrics["ceafe"]["precision"] == pytest.approx(2 / 3)
    assert metrics["ceafe"]["recall"] == 1.0


def test_a_span_repeated_in_a_cluster_counts_once() -> None:
    assert score(clusters("112"), clusters("12"))["b_cubed"]["precision"] == 1.0


@pytest.mark.parametrize("keep_singletons", [False, True])
def test_cluster_without_mentions_counts_for_nothing(keep_singletons) -> None:
    metrics = score(clusters("12", ""), clusters("12", ""), keep_singletons)
    assert metrics["coref_f1"] == metrics["coref_recall"] == 1.0


@pytest.mark.parametrize("side", ["predicted", "gold"])
def test_a_span_in_two_clusters_is_an_error(side) -> None:
    sides = {"predicted": clusters("12"), "gold": clusters("12")}
    sides[side] = clusters("12", "23")
    with pytest.raises(ValueError, match=rf"\(2, 2\) is in 2 {side} clusters"):
        score(sides["predicted"], sides["gold"])


@pytest.mark.parametrize(
    "predicted, gold", [([], []), ([], ["12"]), (["12"], []), (["12"], ["34"])]
)
def test_conll_scores_are_zero_where_nothing_is_shared(predicted, gold) -> None:
    metrics = score(clusters(*predicted), clusters(*gold))
    assert metrics["coref_precision"] == metrics["coref_recall"] == metrics["coref_f1"] == 0.0


@given(partitions(min_cluster_size=2).filter(bool))
def test_identical_clusters_score_one(gold) -> None:
    assert score(gold, gold)["coref_f1"] == pytest.approx(1.0)


@given(partitions(), partitions(), st.booleans(), st.randoms())
def test_conll_scores_do_not_depend_on_order(predicted, gold, keep_singletons, random) -> None:
    def shuffled(parts):
        return [random.sample(part, len(part)) for part in random.sample(parts, len(parts))]

    first = score(predicted, gold, keep_singletons)
    second = score(shuffled(predicted), shuffled(gold), keep_singletons)
    for name in ("coref_precision", "coref_recall", "coref_f1"):
        assert first[name] == pytest.approx(second[name])


@given(partitions(), partitions())
def test_sides_swap_precision_and_recall_when_singletons_are_kept(predicted, gold) -> None:
    forth, back = score(predicted, gold, True), score(gold, predicted, True)
    assert forth["coref_precision"] == pytest.approx(back["coref_recall"])


@given(partitions(), partitions(), st.booleans())
def test_figures_lie_between_zero_and_one(predicted, gold, keep_singletons) -> None:
    metrics = score(predicted, gold, keep_singletons)
    for name in ("muc", "b_cubed", "ceafe"):
        for value in metrics[name].values():
            assert 0.0 <= value <= 1.0 + 1e-9


@given(partitions(), partitions())
def test_ceafe_finds_the_best_pairing_of_all(predicted, gold) -> None:
    short, long = sorted(([set(c) for c in predicted], [set(c) for c in gold]), key=len)
    best = max(
        sum(2 * len(a & b) / (len(a) + len(b)) for a, b in zip(short, order, strict=False))
        for order in permutations(long, len(short))
    )
    figures = score(predicted, gold, keep_singletons=True)["ceafe"]
    assert figures["precision"] == pytest.approx(best / len(predicted) if predicted else 0.0)
    assert figures["recall"] == pytest.approx(best / len(gold) if gold else 0.0)


@given(st.lists(st.tuples(partitions(), partitions()), max_size=4))
def test_conll_scores_agree_with_an_independent_implementation(documents) -> None:
    corefeval = pytest.importorskip("corefeval", reason="needs the package coreference-eval")
    theirs, ours = corefeval.Scorer(), CorefScores()
    for predicted, gold in documents:
        # Its assignment fails on an empty side; all it would add are zeros and counts of clusters.
        if [cluster for cluster in predicted if len(cluster) > 1] and gold:
            theirs.update(corefeval.Document(predicted=predicted, truth=gold))
            ours.update(predicted, gold)
    _, expected = theirs.detailed_score("", "", verbose=False)
    figures = ours.compute(full=True)
    for name in ("muc", "b_cubed", "ceafe"):
        assert math.isclose(figures[name]["precision"], expected[name]["precision"], abs_tol=1e-9)
        assert math.isclose(figures[name]["recall"], expected[name]["recall"], abs_tol=1e-9)
        assert math.isclose(figures[name]["f1_score"], expected[name]["f1"], abs_tol=1e-9)


def test_conll_scores_go_on_from_their_saved_state() -> None:
    documents = [
        (clusters("12345", "6789ABC"), clusters("12345", "67", "89ABC")),
        (clusters("123"), clusters("12", "3")),
    ]
    whole, first, second = CorefScores(), CorefScores(), CorefScores()
    for document in documents:
        whole.update(*document)
    first.update(*documents[0])
    second.load_state_dict(json.loads(json.dumps(first.state_dict())))
    second.update(*documents[1])
    assert second.compute(full=True) == whole.compute(full=True)


def test_conll_scores_reset_forgets() -> None:
    scores = CorefScores()
    scores.update(clusters("12"), clusters("12"))
    scores.reset()
    assert scores.compute(full=True) == CorefScores().compute(full=True)
