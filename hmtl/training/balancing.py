"""How much the loss of each task counts, and what is done about gradients that conflict."""

import math
import random
from typing import Any, Dict, List, Optional

import torch
from allennlp.common import Registrable
from allennlp.common.checks import ConfigurationError

from hmtl.models.hmtl import Hmtl
from hmtl.training.tasks import check_are_tasks

WEIGHTING = "multi_task_trainer.loss_weighting"
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
        """Return nothing, for the name `none` in a config: the loss is minimised as it is."""

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
        """Return those trained with the model's; one that had no part in a step has no gradient."""
        return []

    def step(self) -> None:
        """Train its parameters, once their gradients are there."""

    def metrics(self) -> Dict[str, Dict[str, float]]:
        """Return what to log: by the name of a curve and by task."""
        return {}

    def state_dict(self) -> Dict[str, Any]:
        return {}

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        """Resume from what `state_dict` returned."""


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
        check_are_tasks(weights, tasks, f"{WEIGHTING}.weights")
        for task, weight in weights.items():
            if not 0.0 < weight < float("inf"):
                raise ConfigurationError(
                    f"{WEIGHTING}.weights.{task} is {weight}; write a number larger than 0"
                )
        self.weights = {**dict.fromkeys(tasks, 1.0), **weights}

    def __call__(self, task_name: str, loss: torch.Tensor) -> torch.Tensor:
        return loss * self.weights[task_name]

    def metrics(self) -> Dict[str, Dict[str, float]]:
        return {WEIGHTS: dict(self.weights)}


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
                    f"{WEIGHTING}.{name} is {number}; write a number larger than 0"
                )
        initial = initial_log_variances or {}
        where = f"{WEIGHTING}.initial_log_variances"
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

    def metrics(self) -> Dict[str, Dict[str, float]]:
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


SURGERY = "multi_task_trainer.gradient_surgery"

# A task's gradients, by the name of the parameter.
Gradients = Dict[str, torch.Tensor]


class GradientSurgery(Registrable):
    """
    Changes the gradients of a step's task, before they are clipped.

    # Parameters

    model : `Hmtl`
        On its device.
    tasks : `List[str]`
        Those that are drawn.
    seed : `int`
    """

    def __init__(self, model: Hmtl, tasks: List[str], seed: int) -> None:
        self.tasks = tasks

    @classmethod
    def none(cls) -> None:
        """Return nothing, for the name `none` in a config: the gradients stay as they are."""

    def __call__(self, task_name: str) -> None:
        """Change what the model's parameters hold as their gradients, which are of that task."""
        raise NotImplementedError

    def metrics(self) -> Dict[str, Dict[str, float]]:
        """Return what to log since the last reset: by the name of a curve and by task."""
        return {}

    def reset(self) -> None:
        """Set the metrics back, at the end of an epoch."""

    def state_dict(self) -> Dict[str, Any]:
        return {}

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        """Resume from what `state_dict` returned."""


GradientSurgery.register("none", constructor="none")(GradientSurgery)


@GradientSurgery.register("pcgrad")
class PcGrad(GradientSurgery):
    """
    Projects conflicting gradients: Yu, Kumar, Gupta, Levine, Hausman and Finn, "Gradient Surgery for
    Multi-Task Learning" (NeurIPS 2020).

    Where the inner product of a step's gradient with another task's is negative, the part that points
    against the other is taken out: the others come one after the other, in an order drawn at each step.
    A step has one task's gradient only, so the others are those of each task's last step, as they were
    before their own surgery: they are as old as the task has waited, which the paper's are not. Inner
    products and norms are over the parameters of the embedder and the encoders that both tasks have
    gradients of.

    One copy of those gradients is kept for each task, in memory and in each checkpoint: with four tasks,
    four times the size of the embedder's and the encoders' trained parameters (with Adam, the tasks'
    optimizers hold twice as much already). A step takes one more pass over them for its copy and three for
    each other task.

    # Raises

    ConfigurationError
        When an embedder has sparse gradients.
    """

    def __init__(self, model: Hmtl, tasks: List[str], seed: int) -> None:
        super().__init__(model, tasks, seed)
        if any(getattr(module, "sparse", False) for module in model.encoders.modules()):
            raise ConfigurationError(
                f"{SURGERY} needs gradients that are not sparse: remove 'sparse' from the embedders under "
                "model.text_field_embedder"
            )
        self._parameters = dict(model.encoders.named_parameters())
        self._random = random.Random(seed)
        self._last: Dict[str, Gradients] = {}
        self._compared = dict.fromkeys(tasks, 0)
        self._conflicts = {task: torch.zeros(()) for task in tasks}

    def __call__(self, task_name: str) -> None:
        gradients = {
            name: parameter.grad
            for name, parameter in self._parameters.items()
            if parameter.grad is not None
        }
        before = {name: gradient.clone() for name, gradient in gradients.items()}
        others = [task for task in self.tasks if task in self._last and task != task_name]
        self._random.shuffle(others)
        for other in others:
            conflict = without_conflict(gradients, self._last[other])
            self._conflicts[task_name] = self._conflicts[task_name].to(conflict.device) + conflict
            self._compared[task_name] += 1
        self._last[task_name] = before

    def metrics(self) -> Dict[str, Dict[str, float]]:
        """`gradient_conflicts`: in which share of its comparisons with another a task's was changed."""
        shares = {
            task: float(self._conflicts[task]) / compared
            for task, compared in self._compared.items()
            if compared
        }
        return {"gradient_conflicts": shares}

    def reset(self) -> None:
        self._compared = dict.fromkeys(self._compared, 0)
        self._conflicts = {task: torch.zeros(()) for task in self._conflicts}

    def state_dict(self) -> Dict[str, Any]:
        version, internal, gauss_next = self._random.getstate()
        return {
            "random": [version, list(internal), gauss_next],
            "last": {task: dict(gradients) for task, gradients in self._last.items()},
            "compared": dict(self._compared),
            "conflicts": {task: float(count) for task, count in self._conflicts.items()},
        }

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        version, internal, gauss_next = state["random"]
        self._random.setstate((version, tuple(internal), gauss_next))
        self._last = {
            task: {
                name: gradient.to(self._parameters[name].device)
                for name, gradient in gradients.items()
            }
            for task, gradients in state["last"].items()
        }
        self._compared = dict(state["compared"])
        self._conflicts = {task: torch.tensor(count) for task, count in state["conflicts"].items()}


def without_conflict(gradients: Gradients, other: Gradients) -> torch.Tensor:
    """
    Project gradients, in place, onto the normal plane of another task's where the two conflict.

    # Parameters

    gradients : `Gradients`
    other : `Gradients`
        What only one of the two has gradients of is left out.

    # Returns

    conflict : `torch.Tensor`
        A scalar: 1 if they conflicted, else 0.
    """
    common = [name for name in gradients if name in other]
    if not common:
        return torch.zeros(())
    product = torch.stack([_dot(gradients[name], other[name]) for name in common]).sum()
    square = torch.stack([_dot(other[name], other[name]) for name in common]).sum()
    # Zero without a conflict. To ask whether there is one would wait for the device.
    share = product.clamp(max=0.0) / square.clamp(min=torch.finfo(square.dtype).tiny)
    for name in common:
        gradients[name].addcmul_(other[name], share, value=-1.0)
    return (product < 0.0).to(product.dtype)


def _dot(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    return torch.dot(one.flatten(), other.flatten())
