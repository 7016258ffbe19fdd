"""What the batches of an evaluation add up to, in one process or in several."""

from itertools import zip_longest
from typing import Any, Dict, List

import torch

from hmtl.models.hmtl import Hmtl
from hmtl.training.collectives import Collectives


class Scoring:
    """
    Adds up the losses of the batches that are evaluated; the model's head counts by itself.

    # Parameters

    device : `torch.device`
        Where the losses are.
    """

    def __init__(self, device: torch.device) -> None:
        self._total = torch.zeros((), dtype=torch.float64, device=device)
        self._count = 0

    def add(self, loss: torch.Tensor) -> None:
        """A batch was evaluated; `loss` is a scalar on the device."""
        self._total += loss
        self._count += 1

    def finish(self) -> float:
        """The mean loss of the batches; 0 if there was none. Reads from the device."""
        return float(self._total) / max(self._count, 1)


class SharedScoring(Scoring):
    """
    The same where each process evaluates some of the batches, in turn: losses and counts are added up in the
    order of the batches, so that the figures are those of one process to the last digit, and in every
    process the same.

    # Parameters

    device : `torch.device`
    model : `Hmtl`
        Its head has counted nothing yet. In the end it has counted the batches of all processes.
    task_name : `str`
    collectives : `Collectives`
    """

    def __init__(
        self, device: torch.device, model: Hmtl, task_name: str, collectives: Collectives
    ) -> None:
        super().__init__(device)
        self.model = model
        self.task_name = task_name
        self.collectives = collectives
        self._losses: List[torch.Tensor] = []
        self._counts: List[Dict[str, Any]] = []

    def add(self, loss: torch.Tensor) -> None:
        self._losses.append(loss.double())
        self._counts.append(self.model.counts(self.task_name))
        self.model.get_metrics(self.task_name, reset=True)

    def finish(self) -> float:
        losses = torch.stack(self._losses).tolist() if self._losses else []
        by_process = self.collectives.gather(list(zip(losses, self._counts)))
        in_order = [
            scored
            for in_turn in zip_longest(*by_process)
            for scored in in_turn
            if scored is not None
        ]
        total = 0.0
        for loss, counts in in_order:
            total += loss
            self.model.add_counts(self.task_name, counts)
        return total / max(len(in_order), 1)
