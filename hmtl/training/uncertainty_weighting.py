"""Loss weights that are learned with the model."""

import math
from typing import Any, Dict, List, Optional

import torch
from allennlp.common.checks import ConfigurationError

from hmtl.training.by_task import check_are_tasks
from hmtl.training.loss_weighting import WEIGHTS, WHERE, LossWeighting

# The derivative by a log-variance falls by orders of magnitude while it nears its place: an average of its
# square over a thousand steps, as is usual, would let the last part of the way take the longest.
BETAS = (0.9, 0.9)


@LossWeighting.register("uncertainty")
class UncertaintyWeighting(LossWeighting):
    """
    Weighting by homoscedastic uncertainty: Kendall, Gal and Cipolla, "Multi-Task Learning Using Uncertainty
    to Weigh Losses for Scene Geometry and Semantics" (CVPR 2018).

    Each task has a trained log-variance s, and of its loss L `exp(-s) L + s / 2` is minimised: the form for
    losses that are negative log-likelihoods, as all here are. Where L no longer changes, s tends to
    log(2 L) and the weighted loss to 1/2, whatever the task's unit.

    The log-variances have an Adam of their own, which neither clipping, the scheduler nor the optimizer of
    the config touches: in the clipped norm, the derivative by s of a loss in the hundreds would leave
    nothing of the model's gradient. It moves s by about `lr` a step: with the default it takes some 500 steps
    of a task to bring its weight from 1 to 1/150.

    # Parameters

    lr : `float`, optional (default = `0.01`)
        The learning rate of the log-variances.
    initial_log_variances : `Dict[str, float]`, optional (default = `None`)
        By task; one that is not named starts from 0, which is a weight of 1.
    max_weight : `float`, optional (default = `100.0`)
        No weight grows larger. (The paper has no such bound. But where there is nothing to learn for a
        while the loss is 0, and the weight would grow without end until the next loss that is not.)

    # Raises

    ConfigurationError
        When the rate or the bound is not positive, or a log-variance is not finite or of an unknown task.
    """

    def __init__(
        self,
        tasks: List[str],
        device: torch.device,
        lr: float = 0.01,
        initial_log_variances: Optional[Dict[str, float]] = None,
        max_weight: float = 100.0,
    ) -> None:
        super().__init__(tasks, device)
        for name, number in (("lr", lr), ("max_weight", max_weight)):
            if not 0.0 < number < float("inf"):
                raise ConfigurationError(
                    f"{WHERE}.{name} is {number}; write a number larger than 0"
                )
        initial = initial_log_variances or {}
        where = f"{WHERE}.initial_log_variances"
        check_are_tasks(initial, tasks, where)
        for task, value in initial.items():
            if not abs(value) < float("inf"):
                raise ConfigurationError(f"{where}.{task} is {value}; write a finite number")
        self._smallest = -math.log(max_weight)
        self._log_variances = {
            task: torch.nn.Parameter(torch.tensor(initial.get(task, 0.0), device=device))
            for task in tasks
        }
        self._optimizer = torch.optim.Adam(self.parameters(), lr=lr, betas=BETAS)

    def __call__(self, task_name: str, loss: torch.Tensor) -> torch.Tensor:
        log_variance = self._log_variances[task_name]
        return torch.exp(-log_variance) * loss + log_variance / 2

    def parameters(self) -> List[torch.nn.Parameter]:
        return list(self._log_variances.values())

    def step(self) -> None:
        self._optimizer.step()
        with torch.no_grad():
            for log_variance in self._log_variances.values():
                log_variance.clamp_(min=self._smallest)
        self._optimizer.zero_grad(set_to_none=True)

    def figures(self) -> Dict[str, Dict[str, float]]:
        values = self._values()
        weights = {task: float(torch.exp(-value)) for task, value in values.items()}
        return {
            WEIGHTS: weights,
            "log_variances": {task: float(value) for task, value in values.items()},
        }

    def state_dict(self) -> Dict[str, Any]:
        return {"log_variances": self._values(), "optimizer": self._optimizer.state_dict()}

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        with torch.no_grad():
            for task, value in state["log_variances"].items():
                self._log_variances[task].copy_(value)
        self._optimizer.load_state_dict(state["optimizer"])

    def _values(self) -> Dict[str, torch.Tensor]:
        return {task: value.detach().clone() for task, value in self._log_variances.items()}
