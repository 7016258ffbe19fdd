"""Which task the next training step belongs to."""

import random
from typing import Any, Dict, List, Optional

from allennlp.common import Registrable
from allennlp.common.checks import ConfigurationError

from hmtl.training.by_task import check_are_tasks

WHERE = "multi_task_trainer.sampling_method"


class TaskSampler(Registrable):
    """
    Draws the task of each step, from random numbers of its own.

    Beside its seed and the numbers of batches a subclass may ask for `num_epochs`, the epochs that the run
    is to take at most, and for `metric_decreases`, by task: whether a smaller validation metric is better.

    # Parameters

    batches_per_pass : `Dict[str, int]`
        How many training batches one pass over each task's data takes, in the tasks' order.
    seed : `int`
    factors : `Dict[str, float]`, optional (default = `None`)
        By task: how many times as often it is drawn as it would be, and how many times its batches count
        in an epoch. 0 never draws it: it is validated and tested only. A task that is not named has 1.

    # Raises

    ConfigurationError
        When a factor is negative or of an unknown task, or all are 0.
    """

    def __init__(
        self,
        batches_per_pass: Dict[str, int],
        seed: int,
        factors: Optional[Dict[str, float]] = None,
    ) -> None:
        self.tasks: List[str] = list(batches_per_pass)
        self.batches_per_pass = batches_per_pass
        self.factors = {**dict.fromkeys(self.tasks, 1.0), **(factors or {})}
        self._random = random.Random(seed)
        self._check_factors()

    def _check_factors(self) -> None:
        where = f"{WHERE}.factors"
        check_are_tasks(self.factors, self.tasks, where)
        for task, factor in self.factors.items():
            if factor < 0:
                raise ConfigurationError(f"{where}.{task} is {factor}; write 0 or more")
        if not any(self.factors.values()):
            raise ConfigurationError(f"{where} leaves no task to train: one must be more than 0")

    @property
    def drawn_tasks(self) -> List[str]:
        """Those that are ever drawn."""
        return [task for task in self.tasks if self.factors[task]]

    @property
    def steps_per_epoch(self) -> int:
        """
        As many steps as all tasks have batches, each task's times its factor; at least one. (Of a batch
        each: where a step takes several, the trainer makes so many fewer.)
        """
        steps = sum(self.factors[task] * self.batches_per_pass[task] for task in self.tasks)
        return max(round(steps), 1)

    def begin_epoch(self, epoch: int) -> None:
        """An epoch, counted from 0, begins, or goes on in a run that was recovered."""

    def record_validation(self, values: Dict[str, float]) -> None:
        """An epoch is over; `values` are the tasks' validation metrics."""

    def weights(self) -> List[float]:
        """
        How likely each task is to be drawn next, before its factor and up to a common one; in the tasks'
        order.
        """
        raise TypeError(f"{type(self).__name__} must define weights()")

    def sample(self) -> str:
        """The task of the next step."""
        weights = [weight * self.factors[task] for task, weight in zip(self.tasks, self.weights())]
        return self._random.choices(self.tasks, weights)[0]

    def state_dict(self) -> Dict[str, Any]:
        version, internal, gauss_next = self._random.getstate()
        return {"random": [version, list(internal), gauss_next]}

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        version, internal, gauss_next = state["random"]
        self._random.setstate((version, tuple(internal), gauss_next))


@TaskSampler.register("uniform")
class UniformSampler(TaskSampler):
    """Every task is equally likely."""

    def weights(self) -> List[float]:
        return [1.0] * len(self.tasks)


@TaskSampler.register("proportional")
class ProportionalSampler(TaskSampler):
    """A task is as likely as its share of the training batches (Sanh et al., 2019)."""

    def weights(self) -> List[float]:
        return [float(self.batches_per_pass[task]) for task in self.tasks]
