"""The data of a task, and the state of its training."""

import copy
from dataclasses import dataclass, field
from typing import Any, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple, Union

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.training.learning_rate_schedulers import LearningRateScheduler
from allennlp.training.metric_tracker import MetricTracker
from allennlp.training.optimizers import Optimizer

from hmtl.common.reporting import counted
from hmtl.config.checking import naming_block
from hmtl.config.task import Task
from hmtl.data.batch_stream import BatchStream, EvaluationBatches
from hmtl.errors import DataError

# Where a config says which scheduler.
SCHEDULER = "multi_task_trainer.scheduler"


def check_are_tasks(names: Iterable[str], tasks: Sequence[str], path: str) -> None:
    """
    # Parameters

    names : `Iterable[str]`
        The keys of an object whose entries are by task.
    tasks : `Sequence[str]`
        All there are.
    path : `str`
        The object's dotted path in the config.

    # Raises

    ConfigurationError
        When one of the names is no task's.
    """
    for name in names:
        if name not in tasks:
            raise ConfigurationError(
                f"{path} names {name!r}, which is none of the tasks: {', '.join(tasks)}"
            )


class TaskProgress:
    """
    What a task's validations amount to so far.

    # Parameters

    task : `Task`
    patience : `int`, optional (default = `None`)
        The task votes to stop after this many epochs without a better validation metric; `None` never
        does.
    min_lr : `float`, optional (default = `0.0`)
        The task votes to stop once its learning rate is no larger than this.
    """

    def __init__(self, task: Task, patience: Optional[int] = None, min_lr: float = 0.0) -> None:
        if patience is not None and patience < 1:
            raise ConfigurationError(
                f"multi_task_trainer.patience is {patience}; write at least 1, or null to wait forever"
            )
        self.task = task
        self.patience = patience
        self.min_lr = min_lr
        self.history: List[float] = []
        # Of all tasks, at this one's best epoch.
        self.best_metrics: Dict[str, Dict[str, Any]] = {}
        self.learning_rate = float("inf")
        sign = "-" if task.metric_decreases else "+"
        self._tracker = MetricTracker(sign + task.validation_metric, patience)

    def record(self, validation: Dict[str, Dict[str, Any]], learning_rate: float) -> bool:
        """
        # Parameters

        validation : `Dict[str, Dict[str, Any]]`
            An epoch's validation metrics of all tasks, by name, complete.
        learning_rate : `float`
            With which the next epoch will be trained.

        # Returns

        best : `bool`
            Whether this is the best epoch so far.
        """
        metrics = validation[self.task.name]
        self._tracker.add_metrics(metrics)
        self.history.append(float(metrics[self.task.validation_metric]))
        self.learning_rate = learning_rate
        if self._tracker.is_best_so_far():
            self.best_metrics = copy.deepcopy(validation)
        return self._tracker.is_best_so_far()

    @property
    def best_epoch(self) -> Optional[int]:
        """Counted from 0; `None` before the first validation."""
        return self._tracker.best_epoch

    @property
    def out_of_patience(self) -> bool:
        return self._tracker.should_stop_early()

    @property
    def at_minimum_learning_rate(self) -> bool:
        return self.learning_rate <= self.min_lr

    @property
    def votes_to_stop(self) -> bool:
        return self.out_of_patience or self.at_minimum_learning_rate

    @property
    def why_it_votes(self) -> str:
        """Why it votes to stop, for people; empty if it does not."""
        reasons = []
        if self.out_of_patience:
            epochs = counted(len(self.history) - 1 - (self.best_epoch or 0), "epochs")
            reasons.append(
                f"no better {self.task.validation_metric} for {epochs} (patience {self.patience})"
            )
        if self.at_minimum_learning_rate:
            reasons.append(f"learning rate {self.learning_rate:g} (min_lr {self.min_lr:g})")
        return ", ".join(reasons)

    def state_dict(self) -> Dict[str, Any]:
        return {
            "history": list(self.history),
            "best_metrics_of_all": self.best_metrics,
            "learning_rate": self.learning_rate,
            "tracker": self._tracker.state_dict(),
        }

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        self.history = list(state["history"])
        # Older checkpoints hold the task's own alone.
        older = state.get("best_metrics")
        self.best_metrics = state.get(
            "best_metrics_of_all", {self.task.name: older} if older else {}
        )
        self.learning_rate = state["learning_rate"]
        self._tracker.load_state_dict(state["tracker"])


@dataclass
class TaskData:
    """
    A task and its batches, of those splits that were read; `test` if the task is to be evaluated on it.
    `digests` are of the corpora, by split: a run is resumed with the data that it was started with only.
    """

    task: Task
    training: Optional[BatchStream] = None
    validation: Optional[EvaluationBatches] = None
    test: Optional[EvaluationBatches] = None
    digests: Dict[str, str] = field(default_factory=dict)

    def splits(self) -> Iterator[Tuple[str, Union[BatchStream, EvaluationBatches]]]:
        """Yield the name and the batches of each split that was read."""
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
        """Add a detached scalar, on any device."""
        self._total = self._total + loss if self.count else loss.double()
        self.count += 1

    def mean(self) -> float:
        """Return the mean, 0 before the first step. Reads from the device."""
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

    `base_rates` are the learning rates of the optimizer's groups as the config has them. A run that is
    resumed with others has its present rates, and what its scheduler knows of them, changed in proportion.
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

    def step(self, scaler: Optional[torch.amp.GradScaler] = None) -> None:
        """Move the weights by the gradients that they have; not where the scale was too large for these."""
        if scaler is None:
            self.optimizer.step()
        else:
            scaler.step(self.optimizer)
            scaler.update()
        if self.scheduler is not None:
            with naming_block(SCHEDULER):
                self.scheduler.step_batch()

    def record_validation(self, validation: Dict[str, Dict[str, Any]]) -> bool:
        """
        Take an epoch's validation metrics of all tasks into account; return whether this task's are its best
        so far.
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
    """Return a scheduler's state, or that of one within it, with its rates changed."""
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
