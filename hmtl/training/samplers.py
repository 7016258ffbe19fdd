"""Which task the next training step belongs to."""

import random
from typing import Any, Dict, List, Optional

from allennlp.common import Registrable
from allennlp.common.checks import ConfigurationError

from hmtl.training.tasks import check_are_tasks

SAMPLING = "multi_task_trainer.sampling_method"


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
        where = f"{SAMPLING}.factors"
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
        """Called when an epoch, counted from 0, begins, or resumes in a run that was recovered."""

    def record_validation(self, values: Dict[str, float]) -> None:
        """Called when an epoch is over; `values` are the tasks' validation metrics."""

    def weights(self) -> List[float]:
        """
        Return how likely each task is to be drawn next, before its factor and up to a common one; in the
        tasks' order.
        """
        raise TypeError(f"{type(self).__name__} must define weights()")

    def sample(self) -> str:
        """Draw the task of the next step."""
        return self._random.choices(self.tasks, self._chances())[0]

    def shares(self) -> Dict[str, float]:
        """Return how likely each task is to be drawn next."""
        chances = self._chances()
        return {task: chance / sum(chances) for task, chance in zip(self.tasks, chances)}

    def _chances(self) -> List[float]:
        return [weight * self.factors[task] for task, weight in zip(self.tasks, self.weights())]

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


@TaskSampler.register("temperature")
class TemperatureSampler(TaskSampler):
    """
    A task is as likely as min(size, cap)^(1 / T), its size being its number of training batches: the
    temperature-scaled mixing, with a limit on the size, of Raffel et al., "Exploring the Limits of Transfer
    Learning with a Unified Text-to-Text Transformer" (JMLR 2020). T = 1 without a cap is proportional; the
    larger T, the more uniform.

    # Parameters

    temperature : `float`
        More than 0.
    cap : `float`, optional (default = `None`)
        In batches. No task counts as larger.

    # Raises

    ConfigurationError
        When the temperature or the cap is not positive.
    """

    def __init__(
        self,
        batches_per_pass: Dict[str, int],
        seed: int,
        temperature: float,
        cap: Optional[float] = None,
        factors: Optional[Dict[str, float]] = None,
    ) -> None:
        super().__init__(batches_per_pass, seed, factors)
        for name, value in (("temperature", temperature), ("cap", cap)):
            if value is not None and not value > 0:
                raise ConfigurationError(
                    f"{SAMPLING}.{name} is {value}; write a number larger than 0"
                )
        self.temperature = temperature
        self.cap = float("inf") if cap is None else cap

    def weights(self) -> List[float]:
        sizes = [min(self.batches_per_pass[task], self.cap) for task in self.tasks]
        return [size ** (1.0 / self.temperature) for size in sizes]


@TaskSampler.register("dynamic")
class DynamicSampler(TaskSampler):
    """
    Tasks whose validation metric lags behind their reference are drawn more: after the explicit schedules
    of Jean, Firat and Johnson, "Adaptive Scheduling for Multi-Task Learning" (2019).

    A task is as likely as 1 / (min(1, value / reference)^exponent + smoothing), where `value` is its
    validation metric of the last epoch. In the paper the reference is the score of a single-task
    model. A task without one is held against its own best so far: then those that have fallen back since
    are drawn more. In the first epoch every task is equally likely. (Of a metric that decreases, it is
    reference / value.)

    # Parameters

    metric_decreases : `Dict[str, bool]`
        By task: whether a smaller validation metric is better.
    references : `Dict[str, float]`, optional (default = `None`)
        By task, more than 0.
    exponent : `float`, optional (default = `1.0`)
        How strongly it reacts; with 0 not at all.
    smoothing : `float`, optional (default = `0.1`)
        More than 0. A task whose value is 0 is drawn (1 + smoothing) / smoothing times as often as one that
        has reached its reference.

    # Raises

    ConfigurationError
        When a reference is not positive or of an unknown task, the exponent negative, or the smoothing not
        positive.
    """

    def __init__(
        self,
        batches_per_pass: Dict[str, int],
        seed: int,
        metric_decreases: Dict[str, bool],
        references: Optional[Dict[str, float]] = None,
        exponent: float = 1.0,
        smoothing: float = 0.1,
        factors: Optional[Dict[str, float]] = None,
    ) -> None:
        super().__init__(batches_per_pass, seed, factors)
        self.metric_decreases = metric_decreases
        self.references = references or {}
        self.exponent = exponent
        self.smoothing = smoothing
        self._latest: Dict[str, float] = {}
        self._best: Dict[str, float] = {}
        self._check()

    def _check(self) -> None:
        check_are_tasks(self.references, self.tasks, f"{SAMPLING}.references")
        positive = {f"references.{task}": value for task, value in self.references.items()}
        for name, value in {**positive, "smoothing": self.smoothing}.items():
            if not 0.0 < value < float("inf"):
                raise ConfigurationError(
                    f"{SAMPLING}.{name} is {value}; write a number larger than 0"
                )
        if not 0.0 <= self.exponent < float("inf"):
            raise ConfigurationError(f"{SAMPLING}.exponent is {self.exponent}; write 0 or more")

    def record_validation(self, values: Dict[str, float]) -> None:
        for task, value in values.items():
            better = min if self.metric_decreases[task] else max
            self._best[task] = better(value, self._best.get(task, value))
            self._latest[task] = value

    def weights(self) -> List[float]:
        return [1.0 / (self.reached(task) ** self.exponent + self.smoothing) for task in self.tasks]

    def reached(self, task: str) -> float:
        """Return how much of its reference a task has reached, from 0 to 1."""
        if task not in self._latest:
            return 1.0
        ends = [self._latest[task], self.references.get(task, self._best[task])]
        value, reference = reversed(ends) if self.metric_decreases[task] else ends
        return 1.0 if value >= reference else max(value / reference, 0.0)

    def state_dict(self) -> Dict[str, Any]:
        return {
            **super().state_dict(),
            "latest": dict(self._latest),
            "best": dict(self._best),
        }

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        super().load_state_dict(state)
        self._latest = dict(state["latest"])
        self._best = dict(state["best"])
