"""All that the training of one task consists of."""

from dataclasses import dataclass, field
from typing import Any, Dict, Iterator, List, Optional, Tuple, Union

import torch
from allennlp.training.learning_rate_schedulers import LearningRateScheduler
from allennlp.training.optimizers import Optimizer

from hmtl.config.checking import naming_block
from hmtl.config.task import Task
from hmtl.data.batch_stream import BatchStream, EvaluationBatches
from hmtl.errors import DataError
from hmtl.training.learning_rate import SCHEDULER
from hmtl.training.progress import TaskProgress


@dataclass
class TaskData:
    """
    A task and its batches, of those splits that were read; `test` if the task is to be evaluated on it.
    `digests` are of the corpora, by split: a run goes on with the data that it was started with only.
    """

    task: Task
    training: Optional[BatchStream] = None
    validation: Optional[EvaluationBatches] = None
    test: Optional[EvaluationBatches] = None
    digests: Dict[str, str] = field(default_factory=dict)

    def splits(self) -> Iterator[Tuple[str, Union[BatchStream, EvaluationBatches]]]:
        """The name and the batches of each split that was read."""
        for name, batches in (
            ("train", self.training),
            ("validation", self.validation),
            ("test", self.test),
        ):
            if batches is not None:
                yield name, batches

    @property
    def num_training_batches(self) -> int:
        """In the first pass over the data; 0 if the training split was not read."""
        return 0 if self.training is None else len(self.training)


class RunningLoss:
    """
    The mean loss of a task's steps in the current epoch, summed on the device so that adding to it waits
    for nothing.
    """

    def __init__(self) -> None:
        self._total = torch.zeros((), dtype=torch.float64)
        self.count = 0

    def add(self, loss: torch.Tensor) -> None:
        """`loss` is a detached scalar, on any device."""
        self._total = self._total + loss.double() if self.count else loss.double()
        self.count += 1

    def mean(self) -> float:
        """0 before the first step. Reads from the device."""
        return float(self._total) / max(self.count, 1)

    def reset(self) -> None:
        self._total = torch.zeros((), dtype=torch.float64)
        self.count = 0

    def state_dict(self) -> Dict[str, Any]:
        return {"total": float(self._total), "count": self.count}

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        self._total = torch.tensor(state["total"], dtype=torch.float64)
        self.count = state["count"]


@dataclass
class TaskTraining:
    """
    A task's data, and the state of its training: its own optimizer and learning-rate scheduler over the
    shared parameters, and its progress.

    `base_rates` are the learning rates of the optimizer's groups as the config has them. A run that goes on
    with others has its present rates, and what its scheduler knows of them, changed in proportion.
    """

    data: TaskData
    optimizer: Optimizer
    scheduler: Optional[LearningRateScheduler]
    progress: TaskProgress
    running_loss: RunningLoss
    base_rates: List[float] = field(default_factory=list)

    @property
    def task(self) -> Task:
        return self.data.task

    @property
    def stream(self) -> BatchStream:
        """Of training batches."""
        assert self.data.training is not None
        return self.data.training

    @property
    def validation(self) -> EvaluationBatches:
        assert self.data.validation is not None
        return self.data.validation

    @property
    def learning_rate(self) -> float:
        """The largest rate among the optimizer's parameter groups."""
        return max(float(group["lr"]) for group in self.optimizer.param_groups)

    def step(self) -> None:
        """Moves the weights by the gradients that they have."""
        self.optimizer.step()
        if self.scheduler is not None:
            with naming_block(SCHEDULER):
                self.scheduler.step_batch()

    def record_validation(self, validation: Dict[str, Dict[str, Any]]) -> bool:
        """
        Takes an epoch's validation metrics of all tasks into account; true if this task's are its best so
        far.
        """
        if self.scheduler is not None:
            metric = validation[self.task.name][self.task.validation_metric]
            with naming_block(SCHEDULER):
                self.scheduler.step(metric)
            for group in self.optimizer.param_groups:
                # Some schedulers compute with numpy, whose numbers a checkpoint could not be read with.
                group["lr"] = float(group["lr"])
        return self.progress.record(validation, self.learning_rate)

    def state_dict(self) -> Dict[str, Any]:
        return {
            "digests": dict(self.data.digests),
            "stream": self.stream.state_dict(),
            "base_rates": list(self.base_rates),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": None if self.scheduler is None else self.scheduler.state_dict(),
            "progress": self.progress.state_dict(),
            "running_loss": self.running_loss.state_dict(),
        }

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        self._check_same_data(state["digests"])
        self.stream.load_state_dict(state["stream"])
        groups = state["optimizer"]["param_groups"]
        # Older checkpoints do not have the base rates: a rate above the config's is then the config's.
        before = state.get("base_rates") or [
            group.get("initial_lr", max(group["lr"], rate))
            for group, rate in zip(groups, self.base_rates)
        ]
        change = list(zip(before, self.base_rates))
        self.optimizer.load_state_dict(
            {**state["optimizer"], "param_groups": _groups_with_rates(groups, change)}
        )
        if self.scheduler is not None:
            self.scheduler.load_state_dict(_with_rates(state["scheduler"], change))
        self.progress.load_state_dict(state["progress"])
        if before != self.base_rates and self.progress.history:
            self.progress.learning_rate = self.learning_rate
        self.running_loss.load_state_dict(state["running_loss"])

    def _check_same_data(self, digests: Dict[str, str]) -> None:
        changed = [split for split in digests if digests[split] != self.data.digests.get(split)]
        if changed:
            raise DataError(
                f"the {' and '.join(changed)} data of task {self.task.name!r} is not what this run was "
                "started with. Put the files back as they were, or start a new run."
            )


# Where schedulers keep rates, one of each group.
RATES = ("base_lrs", "base_values", "_last_lr")
# Of each group, the base rate before and now.
Change = List[Tuple[float, float]]


def _groups_with_rates(groups: List[Dict[str, Any]], change: Change) -> List[Dict[str, Any]]:
    changed = [dict(group) for group in groups]
    for group, (before, now) in zip(changed, change):
        for key in group.keys() & {"lr", "initial_lr"}:
            group[key] = _scaled(group[key], before, now)
    return changed


def _with_rates(state: Any, change: Change) -> Any:
    """A scheduler's state, or that of one within it."""
    if isinstance(state, list):
        return [_with_rates(each, change) for each in state]
    if not isinstance(state, dict):
        return state
    return {
        key: [_scaled(rate, *each) for rate, each in zip(value, change)]
        if key in RATES and isinstance(value, list) and len(value) == len(change)
        else _with_rates(value, change)
        for key, value in state.items()
    }


def _scaled(rate: float, before: float, now: float) -> float:
    if before == now:
        return rate
    # Without rounding where nothing has changed it yet.
    return now if rate == before or before == 0 else rate * now / before
