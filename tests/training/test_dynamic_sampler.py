from collections import Counter
from typing import Any

import pytest
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError

from hmtl.training.task_sampler import TaskSampler

BATCHES = {"ner": 60, "emd": 30, "coref": 10}
DECREASES = {"ner": False, "emd": False, "coref": True}
NUM_DRAWS = 4000


def sampler(**options: Any) -> TaskSampler:
    return TaskSampler.from_params(
        Params({"type": "dynamic", **options}),
        batches_per_pass=dict(BATCHES),
        seed=1,
        num_epochs=5,
        metric_decreases=DECREASES,
    )


def test_tasks_are_equally_likely_until_one_is_validated() -> None:
    assert len(set(sampler(references={"ner": 0.9}).weights())) == 1


def test_weights_are_those_of_the_formula() -> None:
    dynamic = sampler(
        references={"ner": 0.8, "emd": 0.5, "coref": 2.0}, exponent=2.0, smoothing=0.25
    )
    dynamic.record_validation({"ner": 0.2, "emd": 0.6, "coref": 4.0})
    # emd is beyond its reference; coref's is a loss, twice as large as it should be.
    expected = [1 / ((0.2 / 0.8) ** 2 + 0.25), 1 / (1 + 0.25), 1 / ((2.0 / 4.0) ** 2 + 0.25)]
    assert dynamic.weights() == pytest.approx(expected)


def test_tasks_are_drawn_by_their_weights() -> None:
    dynamic = sampler(references={"ner": 1.0, "emd": 1.0, "coref": 1.0}, factors={"ner": 2})
    dynamic.record_validation({"ner": 0.9, "emd": 0.4, "coref": 0.5})
    weights = {"ner": 2 * 1 / 1.0, "emd": 1 / 0.5, "coref": 1 / 1.1}
    counts = Counter(dynamic.sample() for _ in range(NUM_DRAWS))
    for task, weight in weights.items():
        share = weight / sum(weights.values())
        tolerance = 4 * (share * (1 - share) / NUM_DRAWS) ** 0.5
        assert counts[task] / NUM_DRAWS == pytest.approx(share, abs=tolerance)


def test_task_without_a_reference_is_held_against_its_own_best() -> None:
    dynamic = sampler()
    for ner, coref in ((0.2, 3.0), (0.8, 1.0), (0.4, 4.0)):
        dynamic.record_validation({"ner": ner, "emd": 0.5, "coref": coref})
    assert dynamic.weights() == pytest.approx([1 / (0.5 + 0.1), 1 / 1.1, 1 / (0.25 + 0.1)])


@pytest.mark.parametrize("value, weight", [(0.0, 1 / 0.1), (-1.0, 1 / 0.1)])
def test_task_that_can_nothing_yet_is_drawn_most(value: float, weight: float) -> None:
    dynamic = sampler(references={"ner": 0.5})
    dynamic.record_validation({"ner": value, "emd": 0.5, "coref": 1.0})
    assert dynamic.weights()[0] == pytest.approx(weight)


def test_tasks_that_were_never_better_than_nothing_do_not_lag() -> None:
    dynamic = sampler()
    dynamic.record_validation({"ner": 0.0, "emd": 0.0, "coref": 0.0})
    assert len(set(dynamic.weights())) == 1


def test_what_it_was_told_is_part_of_the_state() -> None:
    one = sampler()
    one.record_validation({"ner": 0.9, "emd": 0.5, "coref": 1.0})
    one.record_validation({"ner": 0.1, "emd": 0.5, "coref": 2.0})
    for _ in range(3):
        one.sample()
    other = sampler()
    other.load_state_dict(one.state_dict())
    assert other.weights() == one.weights()
    assert [other.sample() for _ in range(20)] == [one.sample() for _ in range(20)]
    for each in (one, other):
        each.record_validation({"ner": 0.3, "emd": 0.5, "coref": 1.5})
    assert other.weights() == one.weights()


def test_state_is_not_changed_by_the_validations_after_it() -> None:
    one, other = sampler(), sampler()
    one.record_validation({"ner": 0.4, "emd": 0.5, "coref": 1.0})
    one.record_validation({"ner": 0.2, "emd": 0.5, "coref": 2.0})
    state, weights = one.state_dict(), one.weights()
    one.record_validation({"ner": 0.8, "emd": 0.9, "coref": 0.5})
    other.load_state_dict(state)
    assert other.weights() == weights


@pytest.mark.parametrize(
    "options, match",
    [
        (
            {"references": {"nre": 1}},
            r"^multi_task_trainer\.sampling_method\.references names 'nre'",
        ),
        ({"references": {"ner": 0.0}}, r"sampling_method\.references\.ner is 0\.0"),
        ({"references": {"ner": float("nan")}}, r"sampling_method\.references\.ner is nan"),
        ({"smoothing": 0}, r"sampling_method\.smoothing is 0"),
        ({"exponent": -1}, r"sampling_method\.exponent is -1"),
    ],
)
def test_options_that_cannot_be_are_refused(options: dict, match: str) -> None:
    with pytest.raises(ConfigurationError, match=match):
        sampler(**options)
