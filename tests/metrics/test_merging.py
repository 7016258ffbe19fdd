"""Counters that have counted some each are, merged, the one that has counted all."""

import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from hmtl.metrics.accuracy import Accuracy
from hmtl.metrics.attachment_scores import AttachmentScores
from hmtl.metrics.coref_scores import CorefScores
from hmtl.metrics.label_scores import LabelScores
from hmtl.metrics.labelled_f1 import LabelledF1
from hmtl.metrics.mention_recall import MentionRecall
from hmtl.metrics.relation_f1 import RelationScores
from hmtl.metrics.unpadded_loss import UnpaddedLoss

CHANCE = random.Random(3)
NUM_ITEMS = 40


def spans() -> list[tuple[int, int]]:
    return [(start, start + CHANCE.randrange(3)) for start in CHANCE.sample(range(30), 8)]


def labelled() -> list[tuple[str, Any]]:
    return [(CHANCE.choice("ABC"), span) for span in spans()]


def relations() -> list[tuple[int, int, str]]:
    return [(start, end, CHANCE.choice("ABC")) for start, end in spans()[: CHANCE.randrange(5)]]


def clusters() -> list[list[tuple[int, int]]]:
    found = spans()
    return [found[:3], found[3:5], found[5:]]


def arcs() -> list[tuple[int, str]]:
    return [(CHANCE.randrange(2), CHANCE.choice(["a", "a:b"])) for _ in range(3)]


def tags() -> list[str]:
    return [CHANCE.choice("IO") for _ in range(10)]


COUNTERS: dict[str, tuple[Callable[[], Any], Callable[[Any], None]]] = {
    "accuracy": (Accuracy, lambda counter: counter.update(tags(), tags())),
    "attachment scores": (
        AttachmentScores,
        lambda counter: counter.update(arcs(), arcs(), CHANCE.sample("ab.,", 3)),
    ),
    "label scores": (
        LabelScores,
        lambda counter: counter.update(CHANCE.sample("ABC", 2), CHANCE.sample("ABC", 1)),
    ),
    "labelled F1": (LabelledF1, lambda counter: counter.count(labelled(), labelled())),
    "mention recall": (MentionRecall, lambda counter: counter.update(spans(), spans())),
    "relations": (
        RelationScores,
        lambda counter: counter.update(relations(), relations(), labelled(), labelled()),
    ),
    # Of batches, which are what processes take turns with; eighths are added up without rounding.
    "unpadded loss": (UnpaddedLoss, lambda counter: counter.update([CHANCE.randrange(99) / 8])),
    "coreference": (CorefScores, lambda counter: counter.update(clusters(), clusters())),
}


@pytest.mark.parametrize("name", COUNTERS)
def test_merged_counters_are_the_one_that_counted_all(name: str) -> None:
    make, count_one = COUNTERS[name]
    state = CHANCE.getstate()
    whole = make()
    for _ in range(NUM_ITEMS):
        count_one(whole)
    CHANCE.setstate(state)
    merged = make()
    for end in range(7, NUM_ITEMS + 7, 7):
        some = make()
        for _ in range(min(7, NUM_ITEMS - end + 7)):
            count_one(some)
        # As another process or a file would hold it.
        merged.merge(json.loads(json.dumps(some.state_dict())))
    assert merged.compute() == whole.compute()
    assert merged.state_dict() == whole.state_dict()


def test_sum_of_an_older_checkpoint_counts_as_a_document() -> None:
    whole, rest = CorefScores(), CorefScores()
    for _ in range(3):
        rest.update(clusters(), clusters())
    older = {name: list(fractions) for name, fractions in rest.fractions().items()}
    whole.load_state_dict(older)
    assert whole.compute(full=True) == rest.compute(full=True)


def test_counts_of_sentences_of_an_older_checkpoint_are_taken() -> None:
    older, scores = RelationScores(), RelationScores()
    for _ in range(3):
        older.update(relations(), [], labelled(), labelled())
    state = older.state_dict()
    state["sentences"] = [
        state.pop("sentences_with_mentions"),
        state.pop("sentences_without_relations"),
    ]
    scores.load_state_dict(state)
    assert scores.compute(full=True) == older.compute(full=True)


@pytest.mark.parametrize("name", COUNTERS)
def test_counts_of_two_are_apart(name: str) -> None:
    """A state is a copy, and after a reset there is nothing left of what was counted."""
    make, count_one = COUNTERS[name]
    counter, other = make(), make()
    nothing = json.dumps(other.state_dict())
    count_one(counter)
    state = counter.state_dict()
    # What it had counted before is gone.
    count_one(other)
    other.load_state_dict(state)
    assert other.state_dict() == state
    kept = json.dumps(state)
    count_one(counter)
    count_one(other)
    assert json.dumps(state) == kept
    other.reset()
    assert json.dumps(other.state_dict()) == json.dumps(make().state_dict()) == nothing
