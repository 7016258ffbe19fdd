"""Chance goes on from where it was."""

import random
from collections.abc import Callable

import numpy
import pytest
import torch

from hmtl.common.random_state import random_state, restore_random_state, seed_everything

# An odd number of normal draws leaves the second of a pair for later, which is part of the state.
DRAWS: dict[str, Callable[[], object]] = {
    "python": lambda: (random.random(), random.gauss(0.0, 1.0)),
    "numpy": lambda: (numpy.random.random(), numpy.random.standard_normal()),
    "torch": lambda: (float(torch.rand(())), float(torch.randn(()))),
}


@pytest.mark.parametrize("library", DRAWS)
def test_draws_after_a_restored_state_are_those_after_the_state(library: str) -> None:
    draw = DRAWS[library]
    seed_everything(1)
    draw()
    state = random_state()
    expected = [draw(), draw()]
    seed_everything(2)
    restore_random_state(state)
    assert [draw(), draw()] == expected


@pytest.mark.parametrize("library", DRAWS)
@pytest.mark.parametrize("seed", [1, 2**32 + 1])
def test_draws_follow_from_the_seed(library: str, seed: int) -> None:
    draw = DRAWS[library]

    def drawn_with(seed: int) -> list[object]:
        seed_everything(seed)
        return [draw(), draw()]

    assert drawn_with(seed) == drawn_with(seed) != drawn_with(2)
