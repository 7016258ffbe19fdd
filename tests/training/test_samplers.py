"""Which tasks the samplers draw, and how often."""

import random
from collections import Counter
from typing import Any

import pytest
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError

from hmtl.training.samplers import TaskSampler

BATCHES = {"ner": 60, "emd": 30, "coref": 10}
NUM_DRAWS = 4000


def sampler(kind: str, seed: int = 1, **options: Any) -> TaskSampler:
    return TaskSampler.from_params(
        Params({"type": kind, **options}),
        batches_per_pass=dict(BATCHES),
        seed=seed,
        num_epochs=5,
        metric_decreases={"ner": False, "emd": False, "coref": True},
    )


def draw(from_sampler: TaskSampler, count: int) -> list[str]:
    return [from_sampler.sample() for _ in range(count)]


def assert_drawn_by(weights: dict[str, float], of: TaskSampler) -> None:
    counts = Counter(draw(of, NUM_DRAWS))
    for task, weight in weights.items():
        share = weight / sum(weights.values())
        # Four standard deviations.
        tolerance = 4 * (share * (1 - share) / NUM_DRAWS) ** 0.5
        assert counts[task] / NUM_DRAWS == pytest.approx(share, abs=tolerance)


@pytest.mark.parametrize(
    "options, weights",
    [
        ({"kind": "uniform"}, {"ner": 1, "emd": 1, "coref": 1}),
        ({"kind": "proportional"}, {"ner": 60, "emd": 30, "coref": 10}),
        # 60 * 0.5, 30 and 10 * 3 batches.
        (
            {"kind": "proportional", "factors": {"ner": 0.5, "coref": 3.0}},
            {"ner": 1, "emd": 1, "coref": 1},
        ),
        ({"kind": "temperature", "temperature": 1}, {"ner": 60, "emd": 30, "coref": 10}),
        (
            {"kind": "temperature", "temperature": 2},
            {"ner": 60**0.5, "emd": 30**0.5, "coref": 10**0.5},
        ),
        ({"kind": "temperature", "temperature": 1e9}, {"ner": 1, "emd": 1, "coref": 1}),
        ({"kind": "temperature", "temperature": 0.5}, {"ner": 3600, "emd": 900, "coref": 100}),
        ({"kind": "temperature", "temperature": 1, "cap": 20}, {"ner": 2, "emd": 2, "coref": 1}),
        (
            {"kind": "temperature", "temperature": 2, "cap": 40},
            {"ner": 4**0.5, "emd": 3**0.5, "coref": 1},
        ),
        (
            {"kind": "temperature", "temperature": 1, "factors": {"coref": 3}},
            {"ner": 2, "emd": 1, "coref": 1},
        ),
    ],
)
def test_tasks_are_drawn_by_their_shares(options: dict, weights: dict[str, float]) -> None:
    assert_drawn_by(weights, sampler(**options))


@pytest.mark.parametrize("kind", ["uniform", "proportional"])
def test_sampler_follows_from_its_seed(kind: str) -> None:
    assert draw(sampler(kind), 50) == draw(sampler(kind), 50)
    assert draw(sampler(kind), 50) != draw(sampler(kind, seed=2), 50)


@pytest.mark.parametrize("kind", ["uniform", "proportional"])
def test_sampler_resumes_from_its_state(kind: str) -> None:
    one = sampler(kind)
    draw(one, 17)
    state = one.state_dict()
    expected = draw(one, 50)
    other = sampler(kind, seed=9)
    other.load_state_dict(state)
    assert draw(other, 50) == expected


def test_sampler_is_not_moved_by_other_randomness() -> None:
    expected = draw(sampler("proportional"), 20)
    one = sampler("proportional")
    found = []
    for _ in range(20):
        random.seed(0)
        found.append(one.sample())
    assert found == expected


def test_sampler_must_say_its_weights() -> None:
    with pytest.raises(TypeError, match=r"weights"):
        TaskSampler({"ner": 1}, seed=0).sample()


def with_factors(factors: dict[str, float], kind: str = "proportional") -> TaskSampler:
    return sampler(kind, factors=factors)


def test_task_with_factor_0_is_never_drawn() -> None:
    one = with_factors({"ner": 0}, "uniform")
    assert set(draw(one, 200)) == {"emd", "coref"} == set(one.drawn_tasks)


def test_factors_of_1_change_no_draw() -> None:
    factors = dict.fromkeys(BATCHES, 1.0)
    assert draw(with_factors(factors), 50) == draw(sampler("proportional"), 50)


@pytest.mark.parametrize(
    "factors, steps",
    [
        ({}, 100),
        ({"ner": 0}, 40),
        ({"ner": 0.5, "coref": 2}, 80),
        # 78.7, and 0.06.
        ({"emd": 0.29}, 79),
        ({"ner": 0.001, "emd": 0, "coref": 0}, 1),
    ],
)
def test_epoch_is_as_long_as_the_batches_that_count(factors: dict, steps: int) -> None:
    assert with_factors(factors).steps_per_epoch == steps


@pytest.mark.parametrize(
    "factors, match",
    [
        ({"nre": 1}, "names 'nre', which is none of the tasks: ner, emd, coref"),
        ({"ner": -0.5}, r"factors\.ner is -0\.5"),
        ({"ner": 0, "emd": 0, "coref": 0}, "leaves no task to train"),
    ],
)
def test_factors_that_cannot_be_are_refused(factors: dict, match: str) -> None:
    with pytest.raises(ConfigurationError, match=match):
        with_factors(factors)


def dynamic_sampler(**options: Any) -> TaskSampler:
    return sampler("dynamic", **options)


def test_tasks_are_equally_likely_until_one_is_validated() -> None:
    assert len(set(dynamic_sampler(references={"ner": 0.9}).weights())) == 1


def test_weights_are_those_of_the_formula() -> None:
    dynamic = dynamic_sampler(
        references={"ner": 0.8, "emd": 0.5, "coref": 2.0}, exponent=2.0, smoothing=0.25
    )
    dynamic.record_validation({"ner": 0.2, "emd": 0.6, "coref": 4.0})
    # emd is beyond its reference; coref's is a loss, twice as large as it should be.
    expected = [1 / ((0.2 / 0.8) ** 2 + 0.25), 1 / (1 + 0.25), 1 / ((2.0 / 4.0) ** 2 + 0.25)]
    assert dynamic.weights() == pytest.approx(expected)


def test_tasks_are_drawn_by_their_dynamic_weights() -> None:
    dynamic = dynamic_sampler(references={"ner": 1.0, "emd": 1.0, "coref": 1.0}, factors={"ner": 2})
    dynamic.record_validation({"ner": 0.9, "emd": 0.4, "coref": 0.5})
    weights = {"ner": 2 * 1 / 1.0, "emd": 1 / 0.5, "coref": 1 / 1.1}
    assert_drawn_by(weights, dynamic)


def test_task_without_a_reference_is_held_against_its_own_best() -> None:
    dynamic = dynamic_sampler()
    for ner, coref in ((0.2, 3.0), (0.8, 1.0), (0.4, 4.0)):
        dynamic.record_validation({"ner": ner, "emd": 0.5, "coref": coref})
    assert dynamic.weights() == pytest.approx([1 / (0.5 + 0.1), 1 / 1.1, 1 / (0.25 + 0.1)])


@pytest.mark.parametrize("value, weight", [(0.0, 1 / 0.1), (-1.0, 1 / 0.1)])
def test_task_that_can_nothing_yet_is_drawn_most(value: float, weight: float) -> None:
    dynamic = dynamic_sampler(references={"ner": 0.5})
    dynamic.record_validation({"ner": value, "emd": 0.5, "coref": 1.0})
    assert dynamic.weights()[0] == pytest.approx(weight)


def test_tasks_that_were_never_better_than_nothing_do_not_lag() -> None:
    dynamic = dynamic_sampler()
    dynamic.record_validation({"ner": 0.0, "emd": 0.0, "coref": 0.0})
    assert len(set(dynamic.weights())) == 1


def test_validation_metrics_are_part_of_the_state() -> None:
    one = dynamic_sampler()
    one.record_validation({"ner": 0.9, "emd": 0.5, "coref": 1.0})
    one.record_validation({"ner": 0.1, "emd": 0.5, "coref": 2.0})
    draw(one, 3)
    other = dynamic_sampler()
    other.load_state_dict(one.state_dict())
    assert other.weights() == one.weights()
    assert [other.sample() for _ in range(20)] == [one.sample() for _ in range(20)]
    for each in (one, other):
        each.record_validation({"ner": 0.3, "emd": 0.5, "coref": 1.5})
    assert other.weights() == one.weights()


def test_state_is_not_changed_by_the_validations_after_it() -> None:
    one, other = dynamic_sampler(), dynamic_sampler()
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
def test_dynamic_options_that_cannot_be_are_refused(options: dict, match: str) -> None:
    with pytest.raises(ConfigurationError, match=match):
        dynamic_sampler(**options)


@pytest.mark.parametrize(
    "options, match",
    [
        ({"temperature": 0}, r"^multi_task_trainer\.sampling_method\.temperature is 0; write"),
        ({"temperature": -2.5}, r"sampling_method\.temperature is -2\.5"),
        ({"temperature": float("nan")}, r"sampling_method\.temperature is nan"),
        ({"temperature": 1, "cap": 0}, r"sampling_method\.cap is 0"),
        ({"temperature": 1, "factors": {"nre": 1}}, r"factors names 'nre'"),
    ],
)
def test_temperature_that_cannot_be_is_refused(options: dict, match: str) -> None:
    with pytest.raises(ConfigurationError, match=match):
        sampler("temperature", **options)
