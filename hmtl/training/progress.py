"""How far a task has come: its best epoch, and its votes to stop."""

import copy
from typing import Any, Dict, List, Optional

from allennlp.common.checks import ConfigurationError
from allennlp.training.metric_tracker import MetricTracker

from hmtl.common.reporting import counted
from hmtl.config.task import Task


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
