from collections import Counter

import pytest

from hmtl.checking.example import Example
from hmtl.common.answers import COREFERENCE, MENTIONS, RELATIONS
from hmtl.evaluating.errors import errors_of
from hmtl.evaluating.judging import fractions, judge
from hmtl.evaluating.slices import Training, by_part, slicings
from hmtl.formats.annotated import Relation
from hmtl.metrics.span_f1 import SpanF1

WORDS = "Ann Lee met Bob in Oslo . She left .".split()


def kinds(kind: str, gold: dict, found: dict) -> dict[str, int]:
    sides = [[Example(WORDS, **side)] for side in (gold, found)]
    return dict(Counter(error.kind for error in errors_of(kind, judge(kind, *sides))))


@pytest.mark.parametrize(
    "found, expected",
    [
        (("PER", (0, 1)), {}),
        (("ORG", (0, 1)), {"type": 1}),
        (("PER", (1, 1)), {"boundary": 1}),
        (("ORG", (1, 2)), {"both": 1}),
        (("PER", (5, 5)), {"missed": 1, "spurious": 1}),
    ],
)
def test_errors_of_spans(found, expected) -> None:
    assert kinds(MENTIONS, {"spans": [("PER", (0, 1))]}, {"spans": [found]}) == expected


def test_a_missed_span_is_paired_with_the_nearest_wrong_one_only() -> None:
    gold = {"spans": [("PER", (0, 1))]}
    found = {"spans": [("PER", (0, 0)), ("ORG", (0, 1)), ("PER", (1, 1))]}
    assert kinds(MENTIONS, gold, found) == {"type": 1, "spurious": 2}


@pytest.mark.parametrize(
    "found, expected",
    [
        (("AT", 1, 5), {}),
        (("BY", 1, 5), {"type": 1}),
        (("AT", 5, 1), {"direction": 1}),
        (("AT", 1, 3), {"argument": 1}),
        (("BY", 5, 1), {"missed": 1, "spurious": 1}),
    ],
)
def test_errors_of_relations(found, expected) -> None:
    def side(label, first, second):
        return {"relations": [Relation(label, (first, first), (second, second))]}

    assert kinds(RELATIONS, side("AT", 1, 5), side(*found)) == expected


def test_errors_of_clusters() -> None:
    gold = {"clusters": [[(0, 1), (7, 7)], [(3, 3), (5, 5)]]}
    merged = {"clusters": [[(0, 1), (3, 3), (5, 5)]]}
    assert kinds(COREFERENCE, gold, merged) == {"merged": 1, "missed pronoun": 1}
    split = {"clusters": [[(0, 1), (8, 8)], [(7, 7), (9, 9)]]}
    assert kinds(COREFERENCE, gold, split) == {
        "split": 1,
        "missed mention": 2,
        "spurious mention": 2,
    }


def test_items_of_spans_score_as_the_metric_does() -> None:
    gold, found = [("A", (0, 1)), ("B", (3, 3))], [("A", (0, 1)), ("A", (3, 3)), ("B", (5, 5))]
    metric = SpanF1()
    metric.update(found, gold)
    judged = judge(MENTIONS, [Example(WORDS, spans=gold)], [Example(WORDS, spans=found)])
    assert fractions(judged) == metric.fractions()["overall"]


def test_parts_of_the_data_add_up_and_stand_in_the_right_one() -> None:
    training = Training()
    training.add(Example(["Ann", "Lee"], spans=[("PER", (0, 1))], labels=Counter(["PER"])))
    gold, found = [("PER", (0, 1)), ("PER", (3, 3))], [("PER", (0, 1)), ("PER", (5, 5))]
    judged = judge(MENTIONS, [Example(WORDS, spans=gold)], [Example(WORDS, spans=found)])
    by_title = {each.title: by_part(judged, each) for each in slicings(MENTIONS, training)}
    assert by_title["words of the span"] == {"1": (0, 1, 0, 1), "2": (1, 1, 1, 1)}
    assert by_title["its words in the training data"] == {
        "all seen": (1, 1, 1, 1),
        "some unseen": (0, 1, 0, 1),
    }
    for parts in by_title.values():
        assert tuple(map(sum, zip(*parts.values()))) == (1, 2, 1, 2)
