"""Which task the next training step belongs to."""

import random
from typing import Any, Dict, List

from allennlp.common import Registrable


class TaskSampler(Registrable):
    """
    Draws the task of each step, from random numbers of its own.

    # Parameters

    batches_per_pass : `Dict[str, int]`
        How many training batches one pass over each task's data takes, in the tasks' order.
    seed : `int`
    """

    def __init__(self, batches_per_pass: Dict[str, int], seed: int) -> None:
        self.tasks: List[str] = list(batches_per_pass)
        self.batches_per_pass = batches_per_pass
        self._random = random.Random(seed)

    def weights(self) -> List[float]:
        """How likely each task is to be drawn next, up to a common factor; in the tasks' order."""
        raise TypeError(f"{type(self).__name__} must define weights()")

    def sample(self) -> str:
        """The task of the next step."""
        return self._random.choices(self.tasks, self.weights())[0]

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
