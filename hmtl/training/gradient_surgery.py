"""What is done about gradients of several tasks that pull the same weights apart."""

import random
from typing import Any, Dict, List

import torch
from allennlp.common import Registrable
from allennlp.common.checks import ConfigurationError

from hmtl.models.hmtl import Hmtl

WHERE = "multi_task_trainer.gradient_surgery"

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
        """What the name `none` stands for in a config: the gradients stay as they are."""

    def __call__(self, task_name: str) -> None:
        """Change what the model's parameters hold as their gradients, which are of that task."""
        raise NotImplementedError

    def figures(self) -> Dict[str, Dict[str, float]]:
        """For the log: by the name of a curve and by task, since the last reset."""
        return {}

    def reset(self) -> None:
        """An epoch is over: the figures begin anew."""

    def state_dict(self) -> Dict[str, Any]:
        return {}

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        """What `state_dict` returned."""


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
                f"{WHERE} needs gradients that are not sparse: remove 'sparse' from the embedders under "
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

    def figures(self) -> Dict[str, Dict[str, float]]:
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
    Projects gradients, in place, onto the normal plane of another task's where the two conflict.

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
