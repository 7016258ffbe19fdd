"""Collectives of a process whose only companion is imagined."""

from typing import Any

import torch

from hmtl.data.parts import Part
from hmtl.training.distributed import Collectives


class FakeCollectives(Collectives):
    """
    Of rank 0 of two, for tests of what one of them does.

    # Parameters

    factor : `float`, optional (default = `1.0`)
        The other process has so many times what this one has.
    used_there : `List[bool]`, optional
        Which parameters the other one has gradients of; by default none.
    answer : `Any`, optional
        What the other one gives where anything is gathered; by default, what this one gives.
    weights_differ : `bool`, optional (default = `False`)
        Whether rank 0 has others; this one is rank 1 then.
    """

    def __init__(
        self,
        factor: float = 1.0,
        used_there: "list[bool] | None" = None,
        answer: Any = None,
        weights_differ: bool = False,
    ) -> None:
        self.part = Part(int(weights_differ), 2)
        self.factor = factor
        self.used_there = used_there
        self.answer = answer
        self.weights_differ = weights_differ
        self.exchanged: list[int] = []

    def all_reduce_sum(self, tensor: torch.Tensor) -> None:
        self.exchanged.append(tensor.numel())
        tensor.mul_(1.0 + self.factor)

    def all_reduce_max(self, tensor: torch.Tensor) -> None:
        if self.used_there is not None:
            tensor.copy_(torch.maximum(tensor, torch.tensor(self.used_there, dtype=tensor.dtype)))

    def broadcast(self, tensor: torch.Tensor) -> None:
        if self.weights_differ:
            tensor[0] += 1

    def all_gather(self, value: Any) -> list[Any]:
        return [value, value if self.answer is None else self.answer]

    def barrier(self) -> None:
        """The other one is there already."""
