import copy
import random
from pathlib import Path
from typing import Any

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError

from hmtl.models.hmtl import Hmtl
from hmtl.training.balancing import GradientSurgery, without_conflict

TASKS = ["ner", "emd", "coref"]
# What each task has gradients of, as in a hierarchy.
REACHED = {"ner": ["base", "ner"], "emd": ["base", "ner", "emd"], "coref": ["base", "coref"]}
SHAPES = {"base": (4, 3), "ner": (5,), "emd": (2, 2), "coref": (3,)}


class Encoders(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        for name, shape in SHAPES.items():
            self.register_parameter(name, torch.nn.Parameter(torch.zeros(shape)))


class Model(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoders = Encoders()
        self.head = torch.nn.Parameter(torch.zeros(2))


def surgery_of(model: Any, seed: int = 1) -> GradientSurgery:
    return GradientSurgery.from_params(
        Params({"type": "pcgrad"}), model=model, tasks=TASKS, seed=seed
    )


Step = tuple[str, dict[str, torch.Tensor]]


def steps(count: int, seed: int = 0) -> list[Step]:
    """A task each, and its gradients before surgery."""
    generator, rng = torch.Generator().manual_seed(seed), random.Random(seed)
    tasks = rng.choices(TASKS, k=count)
    return [
        (task, {name: torch.randn(SHAPES[name], generator=generator) for name in REACHED[task]})
        for task in tasks
    ]


def operate(surgery: GradientSurgery, model: Any, step: Step) -> dict[str, torch.Tensor]:
    """The gradients after surgery."""
    task, gradients = step
    for name, parameter in model.encoders.named_parameters():
        parameter.grad = gradients[name].clone() if name in gradients else None
    model.head.grad = torch.ones(2)
    surgery(task)
    assert torch.equal(model.head.grad, torch.ones(2))
    return {
        name: parameter.grad.clone()
        for name, parameter in model.encoders.named_parameters()
        if parameter.grad is not None
    }


def dense(gradients: dict[str, torch.Tensor], names: list[str]) -> list[float]:
    return [float(value) for name in names for value in gradients[name].flatten()]


def project(mine: dict, other: dict) -> bool:
    """The naive form: dense vectors of what both have, entry by entry. True if there was a conflict."""
    names = [name for name in SHAPES if name in mine and name in other]
    one, two = dense(mine, names), dense(other, names)
    product = sum(a * b for a, b in zip(one, two))
    if product >= 0:
        return False
    square = sum(b * b for b in two)
    left = iter([a - product / square * b for a, b in zip(one, two)])
    for name in names:
        size = mine[name].numel()
        mine[name] = torch.tensor([next(left) for _ in range(size)]).view(mine[name].shape)
    return True


def test_pcgrad_is_a_loop_over_dense_vectors() -> None:
    model, rng = Model(), random.Random(1)
    surgery = surgery_of(model)
    last: dict[str, dict] = {}
    conflicts, compared = dict.fromkeys(TASKS, 0), dict.fromkeys(TASKS, 0)
    for step in steps(40):
        task, before = step
        expected = dict(before)
        others = [other for other in TASKS if other in last and other != task]
        rng.shuffle(others)
        for other in others:
            conflicts[task] += project(expected, last[other])
            compared[task] += 1
        last[task] = before
        after = operate(surgery, model, step)
        assert after.keys() == expected.keys()
        for name in expected:
            torch.testing.assert_close(after[name], expected[name], rtol=1e-4, atol=1e-5)
    shares = surgery.metrics()["gradient_conflicts"]
    assert shares == pytest.approx({task: conflicts[task] / compared[task] for task in TASKS})
    assert all(0 < share < 1 for share in shares.values())


def test_gradient_after_projection_is_at_right_angles_to_the_other() -> None:
    mine, other = {"a": torch.tensor([1.0, 0.0])}, {"a": torch.tensor([-1.0, 1.0])}
    assert without_conflict(mine, other) == 1
    torch.testing.assert_close(mine["a"], torch.tensor([0.5, 0.5]))


@pytest.mark.parametrize(
    "other", [{"a": torch.tensor([1.0, 1.0])}, {"a": torch.zeros(2)}, {"b": -torch.ones(2)}, {}]
)
def test_gradient_without_conflict_stays_bit_for_bit(other: dict) -> None:
    mine = {"a": torch.tensor([0.3, 0.7])}
    assert without_conflict(mine, other) == 0
    assert torch.equal(mine["a"], torch.tensor([0.3, 0.7]))


def test_first_gradients_of_a_task_are_compared_with_those_that_were_there() -> None:
    model = Model()
    surgery = surgery_of(model)
    first, second = ("ner", {"base": torch.ones(4, 3)}), ("coref", {"base": -torch.ones(4, 3)})
    assert torch.equal(operate(surgery, model, first)["base"], first[1]["base"])
    assert torch.equal(operate(surgery, model, second)["base"], torch.zeros(4, 3))
    # Against what coref's gradient was before its surgery.
    assert torch.equal(operate(surgery, model, first)["base"], torch.zeros(4, 3))


def test_figures_are_of_an_epoch() -> None:
    model = Model()
    surgery = surgery_of(model)
    for step in steps(10):
        operate(surgery, model, step)
    surgery.reset()
    assert surgery.metrics() == {"gradient_conflicts": {}}


def test_pcgrad_goes_on_from_its_state(tmp_path: Path) -> None:
    model = Model()
    one, other = surgery_of(model), surgery_of(model, seed=9)
    for step in steps(7):
        operate(one, model, step)
    torch.save(one.state_dict(), tmp_path / "state")
    other.load_state_dict(torch.load(tmp_path / "state", weights_only=True))
    for step in steps(20, seed=5):
        expected, after = operate(one, model, step), operate(other, model, step)
        assert all(torch.equal(after[name], expected[name]) for name in expected)
    assert other.metrics() == one.metrics()


def test_stored_gradients_are_not_those_that_clipping_changes() -> None:
    model = Model()
    surgery = surgery_of(model)
    operate(surgery, model, ("ner", {"base": torch.ones(4, 3)}))
    stored = copy.deepcopy(surgery.state_dict()["last"])
    gradient = model.encoders.get_parameter("base").grad
    assert gradient is not None
    gradient.zero_()
    assert torch.equal(surgery.state_dict()["last"]["ner"]["base"], stored["ner"]["base"])


def test_sparse_gradients_are_refused() -> None:
    model = Model()
    model.encoders.add_module("table", torch.nn.Embedding(3, 2, sparse=True))
    with pytest.raises(ConfigurationError, match="gradient_surgery needs gradients that are not"):
        surgery_of(model)


def test_model_hands_over_its_shared_part(small_model: Hmtl) -> None:
    """What the tests above stand in for: everything but the heads."""
    surgery = surgery_of(small_model)
    for parameter in small_model.parameters():
        parameter.grad = torch.ones_like(parameter)
    surgery("ner")
    stored = surgery.state_dict()["last"]["ner"]
    assert {f"encoders.{name}" for name in stored} == {
        name for name, _ in small_model.named_parameters() if not name.startswith("heads.")
    }


@pytest.fixture
def small_model(tmp_path: Path) -> Hmtl:
    from tests.training.small_runs import small_trainer

    return small_trainer(tmp_path).model
