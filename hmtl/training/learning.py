"""From the losses of a training step to a change of the weights."""

from dataclasses import dataclass
from typing import Any, Dict, List, Optional

import torch
from allennlp.common.checks import ConfigurationError

from hmtl.models.hmtl import Hmtl
from hmtl.training.balancing import GradientSurgery, LossWeighting
from hmtl.training.distributed import ALONE, Processes
from hmtl.training.tasks import TaskTraining


@dataclass
class Clipping:
    """
    How gradients are kept in bounds: first each entry within plus or minus `value`, then the norm of all
    of them together within `norm`. `None` leaves them as they are.
    """

    norm: Optional[float] = None
    value: Optional[float] = None

    def __call__(self, parameters: List[torch.nn.Parameter]) -> None:
        if self.value is not None:
            torch.nn.utils.clip_grad_value_(parameters, self.value)
        if self.norm is not None:
            torch.nn.utils.clip_grad_norm_(parameters, self.norm)


class Learning:
    """
    Learns from the batches of a step, all of one task: the mean of their gradients goes through gradient
    surgery, is clipped once, and moves the weights by one step of the task's optimizer.

    Several batches a step make a larger batch of the one task of which only a part is in memory at a time.
    For a loss that is a mean over the batch (relations) it is the gradient of the joint batch, if the parts
    are equally large; for one that is a sum (tags, coreference) it is that divided by the number of parts.

    # Parameters

    model : `Hmtl`
        On its device.
    clipping : `Clipping`
    loss_weighting : `LossWeighting`, optional (default = `None`)
        Without it each loss is minimised as it is.
    gradient_surgery : `GradientSurgery`, optional (default = `None`)
    batches_per_step : `int`, optional (default = `1`)
    processes : `Processes`, optional
        That learn together: gradients are averaged over them before anything else is made of them.

    # Raises

    ConfigurationError
        When there is less than one batch a step.
    """

    def __init__(
        self,
        model: Hmtl,
        clipping: Clipping,
        loss_weighting: Optional[LossWeighting] = None,
        gradient_surgery: Optional[GradientSurgery] = None,
        batches_per_step: int = 1,
        processes: Processes = ALONE,
    ) -> None:
        if batches_per_step < 1:
            raise ConfigurationError(
                f"multi_task_trainer.gradient_accumulation_steps is {batches_per_step}; write at least 1"
            )
        self.model = model
        self.clipping = clipping
        self.loss_weighting = loss_weighting
        self.gradient_surgery = gradient_surgery
        self.batches_per_step = batches_per_step
        self.processes = processes
        # To walk through all modules at each step would take as long as to clip.
        self._parameters = list(model.parameters())
        self._share = torch.tensor(1.0 / batches_per_step, device=self._parameters[0].device)
        self._losses: List[torch.Tensor] = []

    def begin(self, training: TaskTraining) -> None:
        """A step of a task begins."""
        training.optimizer.zero_grad(set_to_none=True)
        self._losses = []

    def add(self, task_name: str, loss: torch.Tensor, whole_loss: torch.Tensor) -> None:
        """
        Adds a batch's gradient to the step's; a batch that is left out counts as a gradient of zero.
        `whole_loss` is what to report: as `Processes.joined` returns the two.
        """
        penalty = self.model.get_regularization_penalty()
        objective = self.loss_weighting(task_name, loss) if self.loss_weighting else loss
        if penalty is not None:
            objective = objective + penalty
        objective.backward(self._share)
        self._losses.append(whole_loss)

    def finish(self, training: TaskTraining) -> None:
        """Makes the step, unless every batch of it was left out."""
        if not self._losses:
            return
        weights = self.loss_weighting.parameters() if self.loss_weighting else []
        self.processes.average_gradients([*self._parameters, *weights])
        if self.gradient_surgery:
            self.gradient_surgery(training.task.name)
        self.clipping([each for each in self._parameters if each.grad is not None])
        training.step()
        if self.loss_weighting:
            self.loss_weighting.step()
        training.running_loss.add(mean_of(self._losses))

    def end_epoch(self) -> Dict[str, Dict[str, float]]:
        """What there is to log of an epoch that is over: by the name of a curve and by task."""
        figures = {k: v for part in self._parts.values() for k, v in part.figures().items()}
        if self.gradient_surgery:
            self.gradient_surgery.reset()
        return figures

    @property
    def _parts(self) -> Dict[str, Any]:
        parts = {"loss_weighting": self.loss_weighting, "gradient_surgery": self.gradient_surgery}
        return {name: part for name, part in parts.items() if part}

    def state_dict(self) -> Dict[str, Any]:
        return {name: part.state_dict() for name, part in self._parts.items()}

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        for name, part in self._parts.items():
            part.load_state_dict(state[name])


def mean_of(losses: List[torch.Tensor]) -> torch.Tensor:
    """Of at least one scalar."""
    return losses[0] if len(losses) == 1 else torch.stack(losses).mean()
