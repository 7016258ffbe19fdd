import random
from collections import Counter

import pytest
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError

from hmtl.training.task_sampler import TaskSampler

BATCHES = {"ner": 60, "emd": 30, "coref": 10}
NUM_DRAWS = 4000


def sampler(kind: str, seed: int = 1) -> TaskSampler:
    return TaskSampler.from_params(
        Params({"type": kind}), batches_per_pass=dict(BATCHES), seed=seed
    )


def draw(from_sampler: TaskSampler, count: int) -> list[str]:
    return [from_sampler.sample() for _ in range(count)]


@pytest.mark.parametrize(
    "kind, shares",
    [
        ("uniform", {"ner": 1 / 3, "emd": 1 / 3, "coref": 1 / 3}),
        ("proportional", {"ner": 0.6, "emd": 0.3, "coref": 0.1}),
    ],
)
def test_sampler_draws_tasks_by_their_shares(kind: str, shares: dict[str, float]) -> None:
    counts = Counter(draw(sampler(kind), NUM_DRAWS))
    # Four standard deviations of the share of a third.
    tolerance = 4 * (1 / 3 * 2 / 3 / NUM_DRAWS) ** 0.5
    for task, share in shares.items():
        assert counts[task] / NUM_DRAWS == pytest.approx(share, abs=tolerance)


@pytest.mark.parametrize("kind", ["uniform", "proportional"])
def test_sampler_follows_from_its_seed(kind: str) -> None:
    assert draw(sampler(kind), 50) == draw(sampler(kind), 50)
    assert draw(sampler(kind), 50) != draw(sampler(kind, seed=2), 50)


@pytest.mark.parametrize("kind", ["uniform", "proportional"])
def test_sampler_goes_on_from_its_state(kind: str) -> None:
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
    return TaskSampler.from_params(
        Params({"type": kind, "factors": factors}), batches_per_pass=dict(BATCHES), seed=1
    )


def test_factor_says_how_many_times_as_often_a_task_is_drawn() -> None:
    counts = Counter(draw(with_factors({"ner": 0.5, "coref": 3.0}), NUM_DRAWS))
    for task in BATCHES:
        # 60 * 0.5, 30 and 10 * 3 batches.
        assert counts[task] / NUM_DRAWS == pytest.approx(1 / 3, abs=4 * (2 / 9 / NUM_DRAWS) ** 0.5)


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
