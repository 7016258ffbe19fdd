"""Gradients are averaged piece by piece, whatever the size of a piece."""

import pytest
import torch

from hmtl.training.distributed import average_gradients
from tests.training.fake_collectives import FakeCollectives

# The other process has three times this one's gradients, so that the mean is twice these.
FACTOR = 3.0
SIZES = [(3, 4), (5,), (2, 2), (40,), ()]


@pytest.fixture
def parameters() -> list[torch.nn.Parameter]:
    made = [torch.nn.Parameter(torch.randn(size)) for size in SIZES]
    for parameter in made[:-1]:
        parameter.grad = torch.randn(parameter.shape)
    return made


@pytest.mark.parametrize("bucket_bytes", [1, 40, 100, 10**6])
def test_gradients_become_the_mean(parameters: list[torch.nn.Parameter], bucket_bytes: int) -> None:
    expected = [each.grad * 2.0 for each in parameters if each.grad is not None]
    average_gradients(parameters, FakeCollectives(FACTOR, [True] * 4 + [False]), bucket_bytes)
    for parameter, gradient in zip(parameters, expected):
        assert parameter.grad is not None
        torch.testing.assert_close(parameter.grad, gradient)


def test_parameter_that_no_process_used_stays_without_gradient(
    parameters: list[torch.nn.Parameter],
) -> None:
    average_gradients(parameters, FakeCollectives(FACTOR, [False] * 5))
    assert [each.grad is None for each in parameters] == [False] * 4 + [True]


def test_parameter_that_another_process_used_gets_a_gradient(
    parameters: list[torch.nn.Parameter],
) -> None:
    average_gradients(parameters, FakeCollectives(FACTOR, [True] * 5))
    assert parameters[-1].grad is not None
    assert parameters[-1].grad.shape == ()


def test_small_gradients_go_together_and_large_ones_alone(
    parameters: list[torch.nn.Parameter],
) -> None:
    collectives = FakeCollectives(FACTOR, [True] * 5)
    average_gradients(parameters, collectives, bucket_bytes=100)
    assert collectives.exchanged == [21, 40, 1]


def test_types_are_not_mixed() -> None:
    both = [
        torch.nn.Parameter(torch.ones(2, dtype=kind)) for kind in (torch.float32, torch.float64)
    ]
    for parameter in both:
        parameter.grad = torch.ones_like(parameter)
    collectives = FakeCollectives(FACTOR, [True] * 2)
    average_gradients(both, collectives)
    assert collectives.exchanged == [2, 2]
    assert [each.grad.dtype for each in both if each.grad is not None] == [
        torch.float32,
        torch.float64,
    ]
