import json

import pytest

from hmtl.metrics.mention_recall import MentionRecall


def test_mention_recall_sums_over_documents() -> None:
    counter = MentionRecall()
    counter.update([(0, 1), (2, 2), (5, 9)], [(0, 1), (5, 8)])
    counter.update([(3, 3)], [(3, 3)])
    assert counter.compute() == {"mention_recall": pytest.approx(2 / 3)}


def test_mention_recall_counts_a_repeated_span_once() -> None:
    counter = MentionRecall()
    counter.update([(0, 1), (0, 1)], [(0, 1), (0, 1), (2, 2)])
    assert counter.compute() == {"mention_recall": 0.5}


def test_mention_recall_of_nothing_is_zero() -> None:
    counter = MentionRecall()
    counter.update([(0, 0)], [])
    assert counter.compute() == {"mention_recall": 0.0}


def test_mention_recall_goes_on_from_its_saved_state() -> None:
    first, second = MentionRecall(), MentionRecall()
    first.update([(0, 0)], [(0, 0), (1, 1)])
    second.load_state_dict(json.loads(json.dumps(first.state_dict())))
    second.update([(0, 0)], [(0, 0)])
    assert second.compute() == {"mention_recall": pytest.approx(2 / 3)}


def test_mention_recall_reset_forgets() -> None:
    counter = MentionRecall()
    counter.update([(0, 0)], [(0, 0)])
    counter.reset()
    assert counter.compute() == {"mention_recall": 0.0}
