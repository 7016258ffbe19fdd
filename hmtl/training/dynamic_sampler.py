"""A sampler that looks at how far each task has come."""

from typing import Any, Dict, List, Optional

from allennlp.common.checks import ConfigurationError

from hmtl.training.by_task import check_are_tasks
from hmtl.training.task_sampler import WHERE, TaskSampler


@TaskSampler.register("dynamic")
class DynamicSampler(TaskSampler):
    """
    Tasks whose validation metric lags behind their reference are drawn more: after the explicit schedules
    of Jean, Firat and Johnson, "Adaptive Scheduling for Multi-Task Learning" (2019).

    A task is as likely as 1 / (min(1, value / reference)^exponent + smoothing), where `value` is its
    validation metric of the last epoch. In the paper the reference is the score of a model of that task
    alone. A task without one is held against its own best so far: then those that have fallen back since
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
        check_are_tasks(self.references, self.tasks, f"{WHERE}.references")
        positive = {f"references.{task}": value for task, value in self.references.items()}
        for name, value in {**positive, "smoothing": self.smoothing}.items():
            if not 0.0 < value < float("inf"):
                raise ConfigurationError(f"{WHERE}.{name} is {value}; write a number larger than 0")
        if not 0.0 <= self.exponent < float("inf"):
            raise ConfigurationError(f"{WHERE}.exponent is {self.exponent}; write 0 or more")

    def record_validation(self, values: Dict[str, float]) -> None:
        for task, value in values.items():
            better = min if self.metric_decreases[task] else max
            self._best[task] = better(value, self._best.get(task, value))
            self._latest[task] = value

    def weights(self) -> List[float]:
        return [1.0 / (self.reached(task) ** self.exponent + self.smoothing) for task in self.tasks]

    def reached(self, task: str) -> float:
        """How much of its reference a task has reached, from 0 to 1."""
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
