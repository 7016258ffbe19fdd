"""Fixed and learned weights of the tasks' losses."""

import copy
import math
from typing import Any

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError

from hmtl.training.balancing import LossWeighting

TASKS = ["ner", "relation"]


def weighting(kind: str = "uncertainty", **options: Any) -> LossWeighting:
    return LossWeighting.from_params(
        Params({"type": kind, **options}), tasks=TASKS, device=torch.device("cpu")
    )


def test_fixed_weight_multiplies_the_loss_of_its_task() -> None:
    fixed = weighting("fixed", weights={"relation": 0.25})
    assert fixed("relation", torch.tensor(3.0)) == 0.75
    assert fixed("ner", torch.tensor(3.0)) == 3.0
    assert fixed.metrics() == {"loss_weights": {"ner": 1.0, "relation": 0.25}}


@pytest.mark.parametrize(
    "weights, match",
    [
        ({"nre": 1}, r"^multi_task_trainer\.loss_weighting\.weights names 'nre'.*: ner, relation"),
        ({"ner": 0}, r"loss_weighting\.weights\.ner is 0; write a number larger than 0"),
        ({"ner": -1.5}, r"loss_weighting\.weights\.ner is -1\.5"),
        ({"ner": float("nan")}, r"loss_weighting\.weights\.ner is nan"),
    ],
)
def test_weights_that_cannot_be_are_refused(weights: dict, match: str) -> None:
    with pytest.raises(ConfigurationError, match=match):
        weighting("fixed", weights=weights)


def learn(of: LossWeighting, task: str, loss: float) -> None:
    of(task, torch.tensor(loss)).backward()
    of.step()


def test_objective_and_its_gradients_are_those_of_the_formula() -> None:
    s, value = 0.7, 12.0
    loss = torch.tensor(value, requires_grad=True)
    uncertainty = weighting(initial_log_variances={"relation": s})
    objective = uncertainty("relation", loss)
    assert objective.item() == pytest.approx(math.exp(-s) * value + s / 2)
    objective.backward()
    ner, relation = uncertainty.parameters()
    assert loss.grad is not None and relation.grad is not None and ner.grad is None
    assert float(loss.grad) == pytest.approx(math.exp(-s))
    assert float(relation.grad) == pytest.approx(-math.exp(-s) * value + 0.5)


def test_weight_is_one_at_first() -> None:
    assert weighting().metrics()["loss_weights"] == {"ner": 1.0, "relation": 1.0}


@pytest.mark.parametrize("loss", [0.05, 1.0, 300.0])
def test_weighted_loss_tends_to_one_half(loss: float) -> None:
    uncertainty = weighting(lr=0.05)
    for _ in range(1000):
        learn(uncertainty, "ner", loss)
    figures = uncertainty.metrics()
    assert figures["loss_weights"]["ner"] * loss == pytest.approx(0.5, rel=1e-2)
    assert figures["log_variances"]["ner"] == pytest.approx(math.log(2 * loss), abs=1e-2)


def test_weight_of_a_loss_of_nothing_has_a_bound() -> None:
    uncertainty = weighting(max_weight=2.0)
    for _ in range(100):
        learn(uncertainty, "ner", 0.0)
    assert uncertainty.metrics()["loss_weights"]["ner"] == pytest.approx(2.0)


def test_step_of_one_task_leaves_the_weights_of_others() -> None:
    uncertainty = weighting()
    learn(uncertainty, "ner", 5.0)
    learn(uncertainty, "relation", 5.0)
    before = uncertainty.metrics()["loss_weights"]
    learn(uncertainty, "ner", 5.0)
    after = uncertainty.metrics()["loss_weights"]
    assert after["ner"] < before["ner"] and after["relation"] == before["relation"]


def test_gradients_of_the_batches_of_a_step_add_up() -> None:
    together, apart = weighting(), weighting()
    (together("ner", torch.tensor(2.0)) + together("ner", torch.tensor(8.0))).backward()
    for loss in (2.0, 8.0):
        apart("ner", torch.tensor(loss)).backward()
    assert torch.equal(together.parameters()[0].grad, apart.parameters()[0].grad)  # type: ignore[arg-type]


def test_log_variances_go_on_from_their_state() -> None:
    one = weighting()
    for loss in (3.0, 9.0, 1.0):
        learn(one, "relation", loss)
    other = weighting()
    other.load_state_dict(copy.deepcopy(one.state_dict()))
    for each in (one, other):
        learn(each, "relation", 4.0)
        learn(each, "ner", 4.0)
    assert other.metrics() == one.metrics()


@pytest.mark.parametrize(
    "options, match",
    [
        ({"lr": 0}, r"^multi_task_trainer\.loss_weighting\.lr is 0; write"),
        ({"max_weight": -1.0}, r"loss_weighting\.max_weight is -1\.0"),
        ({"lr": float("nan")}, r"loss_weighting\.lr is nan"),
        ({"initial_log_variances": {"nre": 1}}, r"initial_log_variances names 'nre'"),
        (
            {"initial_log_variances": {"ner": float("inf")}},
            r"initial_log_variances\.ner is inf; write a finite number",
        ),
    ],
)
def test_uncertainty_options_that_cannot_be_are_refused(options: dict, match: str) -> None:
    with pytest.raises(ConfigurationError, match=match):
        weighting(**options)
