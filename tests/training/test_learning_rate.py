from typing import Any

import pytest
import torch
from allennlp.common import Lazy, Params
from allennlp.common.checks import ConfigurationError
from allennlp.training.learning_rate_schedulers import LearningRateScheduler

from hmtl.training.learning_rate import LinearWarmup, ReduceOnPlateau


def optimizer(rate: float = 1.0) -> torch.optim.Optimizer:
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=rate)


def rates(mode: str, metrics: list[float], **params: Any) -> list[float]:
    """The learning rate after each epoch."""
    of = optimizer()
    scheduler = ReduceOnPlateau(of, mode, factor=0.5, patience=1, **params)
    found = []
    for metric in metrics:
        scheduler.step(metric)
        found.append(of.param_groups[0]["lr"])
    return found


RISING = [0.1, 0.2, 0.3, 0.4, 0.5]


def test_plateau_leaves_the_rate_while_the_metric_improves() -> None:
    assert rates("max", RISING) == [1.0] * 5
    assert rates("min", [-value for value in RISING]) == [1.0] * 5


def test_plateau_in_the_wrong_direction_lowers_the_rate_while_the_metric_improves() -> None:
    # SPEC 8.7: what the reference's configs ask for.
    assert rates("min", RISING) == [1.0, 1.0, 0.5, 0.5, 0.25]


def test_plateau_lowers_the_rate_after_its_patience() -> None:
    assert rates("max", [0.5, 0.5, 0.5, 0.5, 0.5]) == [1.0, 1.0, 0.5, 0.5, 0.25]


@pytest.mark.parametrize("mode, rate", [("rel", 1.0), ("abs", 0.5)])
def test_plateau_counts_as_improvement_what_exceeds_the_threshold(mode: str, rate: float) -> None:
    # From 0.1 to 0.105 is a twentieth, or five thousandths.
    metrics = [0.1, 0.105, 0.1105]
    assert rates("max", metrics, threshold=0.02, threshold_mode=mode)[-1] == rate


def test_plateau_never_goes_below_its_minimum() -> None:
    assert min(rates("max", [0.5] * 20, min_lr=0.2)) == 0.2


def test_plateau_counts_no_epoch_while_it_cools_down() -> None:
    # Without: 1.0, 1.0, 0.5, 0.5, 0.25, 0.25.
    assert rates("max", [0.5] * 7, cooldown=2) == [1.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.25]


def test_plateau_makes_no_change_that_is_too_small() -> None:
    assert rates("max", [0.5] * 8, eps=0.3)[-1] == 0.5


def test_plateau_needs_a_metric() -> None:
    with pytest.raises(ValueError, match="needs the validation metric"):
        ReduceOnPlateau(optimizer(), "max").step()


def test_plateau_goes_on_from_its_state() -> None:
    one = ReduceOnPlateau(optimizer(), "max", factor=0.5, patience=2)
    one.step(0.5)
    one.step(0.5)
    of = optimizer()
    other = ReduceOnPlateau(of, "max", factor=0.5, patience=2)
    other.load_state_dict(one.state_dict())
    other.step(0.5)
    assert of.param_groups[0]["lr"] == 1.0
    other.step(0.5)
    assert of.param_groups[0]["lr"] == 0.5


def test_plateau_takes_the_place_of_allennlps() -> None:
    params = Params({"type": "reduce_on_plateau", "mode": "max", "patience": 3})
    assert isinstance(
        LearningRateScheduler.from_params(params, optimizer=optimizer()), ReduceOnPlateau
    )


# Warm-up

PLATEAU = {"type": "reduce_on_plateau", "mode": "max", "factor": 0.5, "patience": 0}


def warmup(of: torch.optim.Optimizer, **params: Any) -> LearningRateScheduler:
    block = {"type": "linear_warmup", **params}
    return LearningRateScheduler.from_params(Params(block), optimizer=of)


def rates_of_steps(scheduler: LearningRateScheduler, of: torch.optim.Optimizer, steps: int) -> list:
    """The rates of each group with which so many steps are made."""
    found = []
    for _ in range(steps):
        found.append([group["lr"] for group in of.param_groups])
        scheduler.step_batch()
    return found


def test_warmup_raises_each_groups_rate_to_its_own() -> None:
    parameters = [torch.nn.Parameter(torch.zeros(1)) for _ in range(2)]
    groups: list[dict[str, Any]] = [
        {"params": parameters[:1], "lr": 0.04},
        {"params": parameters[1:]},
    ]
    of = torch.optim.SGD(groups, lr=1.0)
    rates = rates_of_steps(warmup(of, num_steps=4), of, 6)
    shares = [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]
    assert rates == [[pytest.approx(0.04 * share), pytest.approx(share)] for share in shares]


def test_warmup_gives_way_to_the_scheduler_that_follows() -> None:
    of = optimizer()
    scheduler = warmup(of, num_steps=2, then=PLATEAU)
    # Two epochs that end in the warm-up do not count as epochs without improvement.
    scheduler.step(0.5)
    rates_of_steps(scheduler, of, 1)
    scheduler.step(0.5)
    assert rates_of_steps(scheduler, of, 2) == [[1.0], [1.0]]
    scheduler.step(0.5)
    assert rates_of_steps(scheduler, of, 2) == [[1.0], [1.0]]
    scheduler.step(0.5)
    assert rates_of_steps(scheduler, of, 2) == [[0.5], [0.5]]


def test_warmup_gives_way_to_a_scheduler_that_acts_at_each_step() -> None:
    triangle = {"type": "slanted_triangular", "num_epochs": 1, "num_steps_per_epoch": 6}
    of, alone = optimizer(), optimizer()
    scheduler = warmup(of, num_steps=2, then=triangle)
    rates_of_steps(scheduler, of, 2)
    expected = LearningRateScheduler.from_params(Params(dict(triangle)), optimizer=alone)
    expected.step_batch()
    scheduler.step_batch()
    assert rates_of_steps(scheduler, of, 4) == rates_of_steps(expected, alone, 4)


@pytest.mark.parametrize("steps", [1, 3, 5])
def test_warmup_goes_on_from_its_state(steps: int) -> None:
    def built() -> tuple[LearningRateScheduler, torch.optim.Optimizer]:
        of = optimizer()
        return warmup(of, num_steps=4, then=PLATEAU), of

    def go_on(scheduler: LearningRateScheduler, of: torch.optim.Optimizer) -> list:
        rates = rates_of_steps(scheduler, of, 4)
        scheduler.step(0.1)
        return rates + rates_of_steps(scheduler, of, 2)

    one, first = built()
    rates_of_steps(one, first, steps)
    one.step(0.5)
    other, second = built()
    other.load_state_dict(one.state_dict())
    second.load_state_dict(first.state_dict())
    assert go_on(one, first) == go_on(other, second)


def test_warmup_of_no_step_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="num_steps is 0; write at least 1"):
        LinearWarmup(optimizer(), 0)


def test_warmup_takes_a_scheduler_that_is_built_later() -> None:
    of = optimizer()
    built = LinearWarmup(of, 1, Lazy(ReduceOnPlateau, constructor_extras={"mode": "max"}))
    built.step_batch()
    assert built.is_over
