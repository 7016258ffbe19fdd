import pytest
import torch
from allennlp.common import Params
from allennlp.training.optimizers import Optimizer

from hmtl.training.optimizers import Adam


def weights() -> list[tuple[str, torch.nn.Parameter]]:
    torch.manual_seed(0)
    return [
        ("table", torch.nn.Parameter(torch.randn(5, 3))),
        ("bias", torch.nn.Parameter(torch.randn(3))),
    ]


def steps(optimizer: torch.optim.Optimizer, named: list[tuple[str, torch.nn.Parameter]]) -> None:
    torch.manual_seed(1)
    for _ in range(5):
        for _, parameter in named:
            parameter.grad = torch.randn_like(parameter)
        optimizer.step()


@pytest.mark.parametrize("options", [{}, {"weight_decay": 0.1}, {"amsgrad": True}])
def test_adam_steps_as_the_plain_one_of_torch(options: dict) -> None:
    ours, theirs = weights(), weights()
    params = Params({"type": "adam", "lr": 0.01, **options})
    steps(Optimizer.from_params(params, model_parameters=ours), ours)
    steps(torch.optim.Adam([each for _, each in theirs], lr=0.01, **options), theirs)
    for (_, each), (_, expected) in zip(ours, theirs, strict=True):
        torch.testing.assert_close(each, expected)


def test_adam_takes_groups_with_rates_of_their_own() -> None:
    named = weights()
    optimizer = Adam(named, parameter_groups=[(["^table$"], {"lr": 0.5})], lr=0.01)
    rates = {id(each): group["lr"] for group in optimizer.param_groups for each in group["params"]}
    assert rates == {id(named[0][1]): 0.5, id(named[1][1]): 0.01}


def test_adam_goes_on_from_its_state() -> None:
    whole, halved = weights(), weights()
    optimizer = Adam(whole)
    steps(optimizer, whole)
    steps(optimizer, whole)
    first = Adam(halved)
    steps(first, halved)
    second = Adam(halved)
    second.load_state_dict(first.state_dict())
    steps(second, halved)
    assert all(torch.equal(a, b) for (_, a), (_, b) in zip(whole, halved, strict=True))
