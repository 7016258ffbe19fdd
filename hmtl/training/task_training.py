"""All that the training of one task consists of."""

from dataclasses import dataclass, field
from typing import Any, Dict, Optional

import torch
from allennlp.training.learning_rate_schedulers import LearningRateScheduler
from allennlp.training.optimizers import Optimizer

from hmtl.config_check import naming_block
from hmtl.errors import DataError
from hmtl.tasks.task import Task
from hmtl.training.batch_stream import BatchStream, EvaluationBatches
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
    """

    data: TaskData
    optimizer: Optimizer
    scheduler: Optional[LearningRateScheduler]
    progress: TaskProgress
    running_loss: RunningLoss

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
            "optimizer": self.optimizer.state_dict(),
            "scheduler": None if self.scheduler is None else self.scheduler.state_dict(),
            "progress": self.progress.state_dict(),
            "running_loss": self.running_loss.state_dict(),
        }

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        self._check_same_data(state["digests"])
        self.stream.load_state_dict(state["stream"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.scheduler is not None:
            self.scheduler.load_state_dict(state["scheduler"])
        self.progress.load_state_dict(state["progress"])
        self.running_loss.load_state_dict(state["running_loss"])

    def _check_same_data(self, digests: Dict[str, str]) -> None:
        changed = [split for split in digests if digests[split] != self.data.digests.get(split)]
        if changed:
            raise DataError(
                f"the {' and '.join(changed)} data of task {self.task.name!r} is not what this run was "
                "started with. Put the files back as they were, or start a new run."
            )
