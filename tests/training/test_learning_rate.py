from typing import Any

import pytest
import torch
from allennlp.common import Params
from allennlp.training.learning_rate_schedulers import LearningRateScheduler

from hmtl.training.learning_rate import ReduceOnPlateau


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
