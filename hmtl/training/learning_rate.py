"""Learning rates over time: warm-up, and the plateau scheduler, which follows each task's own metric."""

from typing import Any, Optional

import torch
from allennlp.common import Lazy
from allennlp.common.checks import ConfigurationError
from allennlp.training.learning_rate_schedulers import LearningRateScheduler

# Where a config says which.
SCHEDULER = "multi_task_trainer.scheduler"


@LearningRateScheduler.register("reduce_on_plateau", exist_ok=True)
class ReduceOnPlateau(LearningRateScheduler):
    """
    Multiplies the learning rate by `factor` when the validation metric has stopped improving.

    AllenNLP's class of this name hands torch an argument that torch no longer takes. The parameters are
    those of `torch.optim.lr_scheduler.ReduceLROnPlateau`; `mode` is set from the task's metric.

    # Parameters

    optimizer : `torch.optim.Optimizer`
    mode : `str`
        `"max"` where a larger metric is better, `"min"` where a smaller one is.
    factor : `float`, optional (default = `0.1`)
    patience : `int`, optional (default = `10`)
        Epochs without improvement that are waited for.
    threshold : `float`, optional (default = `1e-4`)
        The smallest change that counts as improvement.
    threshold_mode : `str`, optional (default = `"rel"`)
        Whether `threshold` is a share of the best value (`"rel"`) or a difference (`"abs"`).
    cooldown : `int`, optional (default = `0`)
        Epochs after a reduction in which none is counted.
    min_lr : `float`, optional (default = `0.0`)
    eps : `float`, optional (default = `1e-8`)
        A smaller change of the rate is not made.
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        mode: str,
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float = 0.0,
        eps: float = 1e-8,
    ) -> None:
        # The base class would only note down initial rates, of which a plateau scheduler has no use.
        self._scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
            optimizer,
            mode=mode,  # type: ignore[arg-type]
            factor=factor,
            patience=patience,
            threshold=threshold,
            threshold_mode=threshold_mode,  # type: ignore[arg-type]
            cooldown=cooldown,
            min_lr=min_lr,
            eps=eps,
        )

    def step(self, metric: Optional[float] = None) -> None:
        """Takes an epoch's validation metric into account."""
        if metric is None:
            raise ValueError("reduce_on_plateau needs the validation metric of the epoch")
        self._scheduler.step(metric)

    def state_dict(self) -> "dict[str, Any]":
        return self._scheduler.state_dict()

    def load_state_dict(self, state: "dict[str, Any]") -> None:
        self._scheduler.load_state_dict(state)


@LearningRateScheduler.register("linear_warmup")
class LinearWarmup(LearningRateScheduler):
    """
    Lets the learning rates rise in a straight line over a task's first steps (Goyal et al., 2017,
    arXiv 1706.02677), then leaves them to another scheduler. Pretrained weights would otherwise be thrown off
    by the first gradients, which come through layers that have learnt nothing yet.

    Each parameter group rises to its own rate. The first step has `1 / num_steps` of it, the step of number
    `num_steps` has all of it.

    # Parameters

    optimizer : `torch.optim.Optimizer`
        A task's.
    num_steps : `int`
        Steps of the task; others' do not count.
    then : `Lazy[LearningRateScheduler]`, optional (default = `None`)
        It does not see the epochs that end in the warm-up. Without it the rates stay.

    # Raises

    ConfigurationError
        When there is less than one step.
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        num_steps: int,
        then: Optional[Lazy[LearningRateScheduler]] = None,
    ) -> None:
        if num_steps < 1:
            raise ConfigurationError(f"{SCHEDULER}.num_steps is {num_steps}; write at least 1")
        self._optimizer = optimizer
        self._num_steps = num_steps
        self._steps = 0
        self._full = [float(group["lr"]) for group in optimizer.param_groups]
        self._then = None if then is None else then.construct(optimizer=optimizer)
        self._set_rates()

    @property
    def is_over(self) -> bool:
        """Whether every step from now on belongs to the scheduler that follows."""
        return self._steps >= self._num_steps

    def step_batch(self, batch_num_total: Optional[int] = None) -> None:
        """To be called after each step of the task."""
        if not self.is_over:
            self._steps += 1
            self._set_rates()
        elif self._then is not None:
            self._then.step_batch()

    def step(self, metric: Optional[float] = None) -> None:
        """Takes an epoch's validation metric into account."""
        if self.is_over and self._then is not None:
            self._then.step(metric)

    def _set_rates(self) -> None:
        share = min((self._steps + 1) / self._num_steps, 1.0)
        for group, full in zip(self._optimizer.param_groups, self._full):
            group["lr"] = share * full

    def state_dict(self) -> "dict[str, Any]":
        return {
            "steps": self._steps,
            "then": None if self._then is None else self._then.state_dict(),
        }

    def load_state_dict(self, state: "dict[str, Any]") -> None:
        self._steps = state["steps"]
        if self._then is not None:
            self._then.load_state_dict(state["then"])
