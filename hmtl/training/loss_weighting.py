"""How much the loss of each task counts."""

from typing import Any, Dict, List

import torch
from allennlp.common import Registrable
from allennlp.common.checks import ConfigurationError

from hmtl.training.by_task import check_are_tasks

WHERE = "multi_task_trainer.loss_weighting"
# The name of the weights among a run's curves.
WEIGHTS = "loss_weights"


class LossWeighting(Registrable):
    """
    Makes of a batch's loss what is to be minimised.

    Every task has an optimizer of its own. One that divides by the size of past gradients, as Adam does,
    takes the same steps whatever the weight, so that a weight then acts through what has a fixed size:
    `grad_norm` and `grad_clipping`, the regularizer's penalty, the optimizer's `eps`. To let a task count
    more under Adam, let it be drawn more often. Under plain gradient descent a weight is as good as a
    factor of the task's learning rate.

    # Parameters

    tasks : `List[str]`
        The names of all tasks.
    device : `torch.device`
        Where the losses are.
    """

    def __init__(self, tasks: List[str], device: torch.device) -> None:
        self.tasks = tasks
        self.device = device

    @classmethod
    def none(cls) -> None:
        """What the name `none` stands for in a config: the loss is minimised as it is."""

    def __call__(self, task_name: str, loss: torch.Tensor) -> torch.Tensor:
        """
        # Parameters

        task_name : `str`
        loss : `torch.Tensor`
            A scalar.

        # Returns

        objective : `torch.Tensor`
            A scalar, of which the gradient is taken.
        """
        raise NotImplementedError

    def parameters(self) -> List[torch.nn.Parameter]:
        """Those that are trained with the model's; one that had no part in a step has no gradient."""
        return []

    def step(self) -> None:
        """Trains its parameters, once their gradients are there."""

    def figures(self) -> Dict[str, Dict[str, float]]:
        """For the log: by the name of a curve and by task."""
        return {}

    def state_dict(self) -> Dict[str, Any]:
        return {}

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        """What `state_dict` returned."""


LossWeighting.register("none", constructor="none")(LossWeighting)


@LossWeighting.register("fixed")
class FixedLossWeighting(LossWeighting):
    """
    The loss times a number.

    # Parameters

    weights : `Dict[str, float]`
        By task, more than 0; a task that is not named has 1. (A task that is not to be trained has the
        factor 0 in `sampling_method`.)

    # Raises

    ConfigurationError
        When a weight is not positive or of an unknown task.
    """

    def __init__(self, tasks: List[str], device: torch.device, weights: Dict[str, float]) -> None:
        super().__init__(tasks, device)
        check_are_tasks(weights, tasks, f"{WHERE}.weights")
        for task, weight in weights.items():
            if not 0.0 < weight < float("inf"):
                raise ConfigurationError(
                    f"{WHERE}.weights.{task} is {weight}; write a number larger than 0"
                )
        self.weights = {**dict.fromkeys(tasks, 1.0), **weights}

    def __call__(self, task_name: str, loss: torch.Tensor) -> torch.Tensor:
        return loss * self.weights[task_name]

    def figures(self) -> Dict[str, Dict[str, float]]:
        return {WEIGHTS: dict(self.weights)}
