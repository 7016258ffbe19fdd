"""Callbacks: what is shown, logged or done at each step and epoch of a run, beside training itself."""

from dataclasses import dataclass, field
from typing import Any, Callable, Dict, Iterator, Mapping, Optional, Tuple

import torch
from allennlp.common import Registrable

from hmtl.training.tasks import RunningLoss


@dataclass
class StepReport:
    """
    A training step that has just been made.

    `step` counts the steps of the whole run from 1. `loss` is a detached scalar on the training device:
    reading it waits for the device, so a callback does that now and then only. `metrics` are the head's,
    of this step's batch, on the steps for which the trainer computes them. `mean_loss` tells the mean of the
    task's losses in this epoch; it waits for the device as well.
    """

    step: int
    task_name: str
    loss: torch.Tensor
    metrics: Optional[Dict[str, float]] = None
    mean_loss: Optional[Callable[[], float]] = None


@dataclass
class EpochReport:
    """
    An epoch that has just been trained and validated.

    `epoch` counts from 0, `step` is the last one made. The rest is by task: mean training loss
    and, where computed, training metrics; validation metrics; the share of the steps; the learning rate
    of the epoch to come; whether this is the task's best epoch so far. `balancing` are the metrics of loss
    weighting and gradient surgery, by the name of a curve and by task.
    """

    epoch: int
    step: int
    duration_in_seconds: float
    training: Dict[str, Dict[str, Any]] = field(default_factory=dict)
    validation: Dict[str, Dict[str, Any]] = field(default_factory=dict)
    proportions: Dict[str, float] = field(default_factory=dict)
    learning_rates: Dict[str, float] = field(default_factory=dict)
    best: Dict[str, bool] = field(default_factory=dict)
    balancing: Dict[str, Dict[str, float]] = field(default_factory=dict)


@dataclass
class RunReport:
    """
    Where a run starts or resumes: epochs and steps already made, steps an epoch, epochs at most, the
    validation metric of each task, the model (to read, not to change), and the mean loss of each task in the
    current epoch, which is updated at each step. Reading one waits for the device.
    """

    epoch: int
    step: int
    step_in_epoch: int
    steps_per_epoch: int
    num_epochs: int
    validation_metrics: Dict[str, str]
    model: torch.nn.Module
    running_losses: Mapping[str, RunningLoss] = field(default_factory=dict)


class Callback(Registrable):
    """
    Something that happens at certain moments of a run. A subclass overrides the methods of those that it
    cares for.

    Registered under a name (`@Callback.register("mine")`) in a package that comes in with
    `--include-package`, a callback may stand in `multi_task_trainer.callbacks`. Its constructor takes what
    the block in the config says. If it asks for them by name, it is also given `serialization_dir` (`Path`,
    where the run is written), `settings` (`TrainerConfig`) and `config` (the whole one, `Dict[str, Any]`).

    Of several processes, only rank 0 has these callbacks. They must not change the weights there.
    """

    @classmethod
    def check_available(cls) -> None:
        """
        Check that what it needs is installed; called before a run writes anything.

        # Raises

        ConfigurationError
            When it is not.
        """

    def on_start(self, report: RunReport) -> None:
        """Called when the run starts or resumes."""

    def on_epoch_start(self, epoch: int, steps_done: int) -> None:
        """Called when an epoch starts, or resumes after some of its steps."""

    def on_step(self, report: StepReport) -> None:
        """Called after each step, while the gradients are still there."""

    def on_validation_start(self, num_batches: int) -> None:
        """Called when the validation of all tasks starts."""

    def on_validation_step(self) -> None:
        """Called after each batch of a validation."""

    def on_epoch(self, report: EpochReport) -> None:
        """Called once an epoch was trained and validated, before its checkpoint."""

    def on_end(self) -> None:
        """Called when the run is over, or was broken off by an exception."""

    def state_dict(self) -> Dict[str, Any]:
        """
        Return what it needs to resume from here, as tensors and plain values. Called at each checkpoint,
        between `on_start` and `on_end`; the checkpoint keeps one state for each name of a class.
        """
        return {}

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        """
        Take up the state at the checkpoint that the run resumes from; empty where the callback was not there
        yet. Called before `on_start`.
        """


def flat(metrics: Dict[str, Any]) -> Iterator[Tuple[str, float]]:
    """Yield metrics by name, those in a nested dictionary as `outer/inner`."""
    for name, value in metrics.items():
        if isinstance(value, dict):
            for inner, number in flat(value):
                yield f"{name}/{inner}", number
        else:
            yield name, value
