import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmtl.metrics.relation_f1 import RelationF1
from hmtl.metrics.span_f1 import SpanF1

LABELLED_SPANS = st.sets(
    st.tuples(st.sampled_from(["PER", "LOC"]), st.tuples(st.integers(0, 5), st.integers(5, 9)))
)


def test_span_f1_counts_by_label_and_overall() -> None:
    counter = SpanF1()
    counter.update(
        [("PER", (0, 1)), ("LOC", (3, 3)), ("PER", (5, 6))],
        [("PER", (0, 1)), ("ORG", (3, 3)), ("PER", (5, 7)), ("LOC", (9, 9))],
    )
    counter.update([("LOC", (0, 0))], [("LOC", (0, 0))])
    metrics = counter.compute()
    assert metrics["precision-overall"] == pytest.approx(2 / 4)
    assert metrics["recall-overall"] == pytest.approx(2 / 5)
    assert metrics["f1-measure-overall"] == pytest.approx(2 * 0.5 * 0.4 / 0.9)
    assert metrics["precision-PER"] == metrics["recall-PER"] == pytest.approx(1 / 2)
    assert metrics["precision-LOC"] == metrics["recall-LOC"] == pytest.approx(1 / 2)
    assert metrics["precision-ORG"] == metrics["f1-measure-ORG"] == 0.0


def test_span_f1_does_not_match_across_sentences() -> None:
    counter = SpanF1()
    counter.update([("PER", (0, 0))], [])
    counter.update([], [("PER", (0, 0))])
    assert counter.compute()["f1-measure-overall"] == 0.0


def test_span_f1_counts_a_repeated_span_once() -> None:
    counter = SpanF1()
    counter.update([("PER", (0, 0)), ("PER", (0, 0))], [("PER", (0, 0))])
    assert counter.compute()["precision-overall"] == 1.0


@pytest.mark.parametrize("counter", [SpanF1(), RelationF1()])
def test_f1_of_nothing_is_zero(counter: SpanF1 | RelationF1) -> None:
    counter.update([], [])
    assert counter.compute() == {
        "precision-overall": 0.0,
        "recall-overall": 0.0,
        "f1-measure-overall": 0.0,
    }


@given(st.lists(st.tuples(LABELLED_SPANS, LABELLED_SPANS)), st.randoms())
def test_span_f1_does_not_depend_on_order(sentences, random) -> None:
    shuffled = random.sample(sentences, len(sentences))
    first, second = SpanF1(), SpanF1()
    for predicted, gold in sentences:
        first.update(sorted(predicted), sorted(gold))
    for predicted, gold in shuffled:
        second.update(predicted, gold)
    assert first.compute() == second.compute()


@given(st.lists(LABELLED_SPANS, min_size=1))
def test_span_f1_of_the_gold_spans_is_one(sentences) -> None:
    counter = SpanF1()
    for spans in sentences:
        counter.update(spans, spans)
    expected = 1.0 if any(sentences) else 0.0
    assert counter.compute()["f1-measure-overall"] == expected


@given(LABELLED_SPANS, LABELLED_SPANS)
def test_span_f1_swaps_precision_and_recall_with_its_sides(predicted, gold) -> None:
    forth, back = SpanF1(), SpanF1()
    forth.update(predicted, gold)
    back.update(gold, predicted)
    assert forth.compute()["precision-overall"] == back.compute()["recall-overall"]


def test_span_f1_goes_on_from_its_saved_state() -> None:
    whole, first = SpanF1(), SpanF1()
    sentences = [
        ([("PER", (0, 0))], [("PER", (0, 0)), ("LOC", (2, 3))]),
        ([("LOC", (1, 1))], [("ORG", (1, 1))]),
    ]
    for predicted, gold in sentences:
        whole.update(predicted, gold)
    first.update(*sentences[0])
    second = SpanF1()
    second.load_state_dict(json.loads(json.dumps(first.state_dict())))
    second.update(*sentences[1])
    assert second.compute() == whole.compute()


def test_span_f1_reset_forgets() -> None:
    counter = SpanF1()
    counter.update([("PER", (0, 0))], [("PER", (0, 0))])
    counter.reset()
    assert counter.compute() == SpanF1().compute()
