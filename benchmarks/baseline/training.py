"""Training and evaluation as one writes them first."""

from typing import Any, Dict, List

import torch

from hmtl.models.hmtl import Hmtl

Batch = Dict[str, Any]
GRADIENT_NORM, GRADIENT_VALUE = 5.0, 10.0


class PlainTraining:
    """
    One optimizer a task that steps through the parameters one by one; every batch decoded and counted, and
    its loss and metrics read, as the 2018 code did.
    """

    def __init__(self, model: Hmtl, task_names: List[str], lr: float = 1e-3) -> None:
        self.model = model
        self.optimizers = {
            name: torch.optim.Adam(model.parameters(), lr=lr, foreach=False, fused=False)
            for name in task_names
        }

    def step(self, task_name: str, batch: Batch) -> float:
        """Learns from a batch, and returns its loss."""
        optimizer = self.optimizers[task_name]
        optimizer.zero_grad()
        loss = self.model(task_name, batch, compute_metrics=True)["loss"]
        loss.backward()
        torch.nn.utils.clip_grad_value_(self.model.parameters(), GRADIENT_VALUE)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), GRADIENT_NORM)
        optimizer.step()
        self.model.get_metrics(task_name)
        return loss.item()

    @torch.no_grad()
    def evaluate(self, task_name: str, batches: List[Batch]) -> Dict[str, Any]:
        """Decodes and counts batches."""
        self.model.eval()
        for batch in batches:
            self.model(task_name, batch)["loss"].item()
        self.model.train()
        return self.model.get_metrics(task_name, reset=True)
