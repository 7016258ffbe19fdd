"""The training loop: sample a task, train on its next batch, validate all tasks, remember the best."""

import logging
import time
from contextlib import nullcontext
from typing import Any, Collection, Dict, List, Optional, Tuple, Union

import torch
from allennlp.common.checks import ConfigurationError

from hmtl.common.devices import to_device
from hmtl.common.interruption import Interrupted, StopRequest
from hmtl.common.precision import FP16
from hmtl.common.tensors import give_weights, not_finite
from hmtl.config.schema import TrainerConfig
from hmtl.data.batch_stream import Batch
from hmtl.errors import DataError
from hmtl.models.hmtl import Hmtl
from hmtl.training.balancing import GradientSurgery, LossWeighting
from hmtl.training.callbacks import Callback, EpochReport, RunReport, StepReport
from hmtl.training.checkpoints import (
    TRAINING_STATE,
    Checkpointer,
    CheckpointSchedule,
    TrainingPosition,
)
from hmtl.training.distributed import SINGLE_PROCESS, ProcessGroup
from hmtl.training.evaluation import ProgressBar, evaluate
from hmtl.training.invalid_loss import InvalidLossGuard
from hmtl.training.memory import naming_batch_if_too_large
from hmtl.training.optimization import clip_gradients
from hmtl.training.samplers import TaskSampler
from hmtl.training.tasks import TaskTraining

logger = logging.getLogger(__name__)

# What comes of a state that lacks something, or holds something else.
UNFIT = (AttributeError, LookupError, RuntimeError, TypeError, ValueError)


class MultiTaskTrainer:
    """
    Trains one model on several tasks, a batch of one task at each step (Sanh et al., 2019).

    With `gradient_accumulation_steps`, a step takes several batches of its task: a larger batch of which only
    a part is in memory at a time. For a loss that is a mean over the batch (relations) its gradient is that
    of the joint batch, if the parts are equally large; for one that is a sum (tags, coreference) it is that
    divided by the number of parts.

    Every task has an optimizer and a learning-rate scheduler of its own over the shared parameters. An
    epoch is as many steps as take up the training batches of all tasks. A task that has voted to stop is
    still trained until all have.

    Asked to stop by a signal (see `StopRequest`), it finishes the step, writes a checkpoint, and raises
    `Interrupted`.

    # Parameters

    model : `Hmtl`
        On `device`.
    tasks : `Dict[str, TaskTraining]`
        By name.
    sampler : `TaskSampler`
    device : `torch.device`
    checkpointer : `Checkpointer`
    callbacks : `List[Callback]`
        Told of what happens, in this order.
    loss_guard : `InvalidLossGuard`
    settings : `TrainerConfig`
        Of which it takes the number of epochs, batches a step, clipping, when to write checkpoints, and when
        to score training steps.
    loss_weighting : `LossWeighting`, optional (default = `None`)
        Without it each loss is minimised as it is.
    gradient_surgery : `GradientSurgery`, optional (default = `None`)
    processes : `ProcessGroup`, optional
        The group of processes that this one trains in.

    # Raises

    ConfigurationError
        When a validation metric is none that its task's head computes, or a part of the model cannot be
        trained by several processes.
    """

    def __init__(
        self,
        model: Hmtl,
        tasks: Dict[str, TaskTraining],
        sampler: TaskSampler,
        device: torch.device,
        checkpointer: Checkpointer,
        callbacks: List[Callback],
        loss_guard: InvalidLossGuard,
        settings: TrainerConfig,
        loss_weighting: Optional[LossWeighting] = None,
        gradient_surgery: Optional[GradientSurgery] = None,
        processes: ProcessGroup = SINGLE_PROCESS,
    ) -> None:
        self.model = model
        self.tasks = tasks
        self.sampler = sampler
        self.device = device
        self.checkpointer = checkpointer
        self.callbacks = callbacks
        self.loss_guard = loss_guard
        self.settings = settings
        self.loss_weighting = loss_weighting
        self.gradient_surgery = gradient_surgery
        self.checkpoint_schedule = CheckpointSchedule(
            settings.checkpoint_every_n_steps, settings.checkpoint_every_minutes
        )
        batches_per_step = settings.gradient_accumulation_steps
        self.steps_per_epoch = max(round(sampler.steps_per_epoch / batches_per_step), 1)
        self.epoch = 0
        self.step = 0
        self.step_in_epoch = 0
        self.seconds_trained = 0.0
        # What all processes have noticed at the last step, if they exchanged it.
        self._agreed: Optional[List[int]] = None
        self._seconds_before_epoch = 0.0
        self.processes = processes
        # Small gradients would be 0 in fp16: they are computed of a loss that is as much larger as fits.
        self.scaler = torch.amp.GradScaler(device.type, enabled=settings.precision == FP16)
        # To walk through all modules at each step would take as long as to clip.
        self._parameters = list(model.parameters())
        weights = loss_weighting.parameters() if loss_weighting else []
        self._averaged = [*self._parameters, *weights]
        self._share = torch.tensor(1.0 / batches_per_step, device=self._parameters[0].device)
        self._stop_request = StopRequest(is_passed_on=processes.is_distributed)
        self._check_metric_names()
        processes.check_can_distribute(model)

    def train(self) -> None:
        """Train until every task has voted to stop, or for `num_epochs`."""
        self.processes.broadcast_weights(self.model)
        self._tell("on_start", self._run_report())
        try:
            with self._stop_request:
                self._train_epochs()
        finally:
            self._tell("on_end")

    def _train_epochs(self) -> None:
        try:
            while not self.why_over():
                self._train_epoch()
                self._finish_epoch()
        except Interrupted:
            self.checkpoint()
            raise

    def _train_epoch(self) -> None:
        self._tell("on_epoch_start", self.epoch, self.step_in_epoch)
        self.sampler.begin_epoch(self.epoch)
        self.model.train()
        while self.step_in_epoch < self.steps_per_epoch:
            started = time.monotonic()
            report = self.train_step(self.sampler.sample())
            self.seconds_trained += time.monotonic() - started
            self._tell("on_step", report)
            is_due, signal_number = self._agreed or self.processes.largest(self._noticed())
            if is_due:
                self.checkpoint()
            # A single process may have been asked meanwhile.
            self._stop_if_asked(signal_number if self.processes.is_distributed else None)

    def _noticed(self) -> List[int]:
        """Whether a checkpoint is due, and which signal came: by a clock and to a process of its own."""
        is_due = self.checkpoint_schedule.is_due(self.step)
        return [int(is_due), self._stop_request.signal_number or 0]

    def train_step(self, name: str) -> StepReport:
        """Learn from the next batch of a task, or the next few, if a step takes several."""
        task = self.tasks[name]
        self.step += 1
        self.step_in_epoch += 1
        interval = self.settings.training_metrics_interval
        compute_metrics = bool(interval) and self.step % interval == 0
        self._agreed = None
        losses: List[torch.Tensor] = []
        learned: List[torch.Tensor] = []

        # To None, not to zero: an optimizer passes over what had no part in the step, as other tasks' heads.
        task.optimizer.zero_grad(set_to_none=True)
        for _ in range(self.settings.gradient_accumulation_steps):
            batch = task.stream.next_batch()
            with naming_batch_if_too_large(name, batch):
                loss, whole_loss = self._forward(name, batch, compute_metrics)
                losses.append(whole_loss)
                # On an accelerator the guard looks at a loss some steps later: to read it would wait here.
                if self.loss_guard.accepts(self.step, name, batch, loss, self.model, whole_loss):
                    # Each batch has its share in the mean; one that is skipped counts as a gradient of zero.
                    self.scaler.scale(self._objective(name, loss)).backward(self._share)
                    learned.append(whole_loss)
        if learned and self.loss_guard.in_step and not self.loss_guard.check(self.model):
            # The backward pass was queued meanwhile; of what it makes, nothing stays.
            learned.clear()
            for each in self._averaged:
                each.grad = None
        # All ranks have drawn the same task and accepted the same batches, so all of them go in here.
        if learned:
            with naming_batch_if_too_large(name, batch):
                # Before anything is made of the gradients: whatever follows is the same on every rank.
                self._agreed = self.processes.average_gradients(self._averaged, self._noticed())
                if self.scaler.is_enabled():
                    self.scaler.unscale_(task.optimizer)
                if self.gradient_surgery:
                    self.gradient_surgery(name)
                # Once a step: to clip the gradient of each batch would give another step.
                norm, value = self.settings.grad_norm, self.settings.grad_clipping
                clip_gradients(self._parameters, norm, value)
                task.step(self.scaler)
                if self.loss_weighting:
                    self.loss_weighting.step()
            task.running_loss.add(mean_of(learned))

        metrics = self.model.get_metrics(name) if compute_metrics else None
        return StepReport(self.step, name, mean_of(losses), metrics, task.running_loss.mean)

    def _forward(
        self, name: str, batch: Batch, compute_metrics: bool
    ) -> Tuple[torch.Tensor, torch.Tensor]:
        """Return the loss to learn from, and that of the whole batch, as `ProcessGroup.reduce_loss` does."""
        self.loss_guard.before_forward()
        on_device = to_device(batch, self.device)
        reducing = self.processes.reducing_counts(self.model, name, batch)
        with reducing if compute_metrics else nullcontext():
            output = self.model(name, on_device, compute_metrics=compute_metrics)
        return self.processes.reduce_loss(self.model, name, batch, output)

    def _objective(self, name: str, loss: torch.Tensor) -> torch.Tensor:
        """Return what is minimised: the weighted loss, and the penalty, which no weight touches."""
        penalty = self.model.get_regularization_penalty()
        objective = self.loss_weighting(name, loss) if self.loss_weighting else loss
        return objective if penalty is None else objective + penalty

    def _finish_epoch(self) -> None:
        started = time.monotonic()
        self._check_numbers()
        report = EpochReport(self.epoch, self.step, 0.0)
        for name, training in self.tasks.items():
            report.training[name] = self._training_metrics(training)
            report.proportions[name] = training.running_loss.count / self.steps_per_epoch
        report.validation = self._validate()
        # Nothing may change before here: a run that is stopped in validation resumes with validation.
        for name, training in self.tasks.items():
            training.running_loss.reset()
            report.best[name] = training.record_validation(report.validation)
            report.learning_rates[name] = training.learning_rate
        self.sampler.record_validation(
            {name: training.progress.history[-1] for name, training in self.tasks.items()}
        )
        report.balancing = self._balancing_metrics()
        if self.gradient_surgery:
            self.gradient_surgery.reset()
        self.seconds_trained += time.monotonic() - started
        report.duration_in_seconds = self.seconds_trained - self._seconds_before_epoch
        self._seconds_before_epoch = self.seconds_trained
        self.epoch += 1
        self.step_in_epoch = 0
        # Writers come before the checkpoint: an epoch that is in the checkpoint is in the log as well.
        self._tell("on_epoch", report)
        self.checkpoint(best_now=[name for name, is_best in report.best.items() if is_best])
        self._stop_if_asked()

    def _training_metrics(self, training: TaskTraining) -> Dict[str, Any]:
        name = training.task.name
        metrics: Dict[str, Any] = {"loss": training.running_loss.mean()}
        if self.settings.training_metrics_interval:
            metrics.update(self.model.get_metrics(name))
        return metrics

    def _validate(self) -> Dict[str, Dict[str, Any]]:
        batches = {name: training.validation for name, training in self.tasks.items()}
        self._tell("on_validation_start", sum(len(data) for data in batches.values()))
        counted_in_training = {name: self.model.counts(name) for name in self.tasks}
        try:
            return {
                name: evaluate(
                    self.model,
                    name,
                    data,
                    self.device,
                    progress_bar=self._told_of_batches,
                    processes=self.processes,
                )
                for name, data in batches.items()
            }
        except Interrupted:
            for name, counts in counted_in_training.items():
                self.model.restore_counts(name, counts)
            raise

    @property
    def _told_of_batches(self) -> ProgressBar:
        def told(batches, title, total):  # type: ignore[no-untyped-def]
            for batch in batches:
                yield batch
                self._tell("on_validation_step")
                self._stop_if_asked()

        return told

    def _stop_if_asked(self, signal_number: Optional[int] = None) -> None:
        """Raise `Interrupted` if this signal came; without a number, if one came to any process."""
        if signal_number is None:
            # It may reach one process a step earlier than another.
            [signal_number] = self.processes.largest([self._stop_request.signal_number or 0])
        if signal_number:
            raise Interrupted(
                signal_number,
                f"the run is saved in {self.checkpointer.serialization_dir} after step {self.step}; resume "
                "it with the same command and --recover",
            )

    def why_over(self) -> str:
        """Return why no epoch follows, for people; empty as long as one does."""
        if self._all_vote_to_stop():
            votes = [f"{name}: {each.progress.why_it_votes}" for name, each in self.tasks.items()]
            return f"all tasks vote to stop ({'; '.join(votes)})"
        if self.epoch >= self.settings.num_epochs:
            return f"multi_task_trainer.num_epochs is {self.settings.num_epochs}"
        return ""

    def _all_vote_to_stop(self) -> bool:
        return all(training.progress.votes_to_stop for training in self.tasks.values())

    def _tell(self, event: str, *arguments: Any) -> None:
        for callback in self.callbacks:
            getattr(callback, event)(*arguments)

    def _run_report(self) -> RunReport:
        return RunReport(
            epoch=self.epoch,
            step=self.step,
            step_in_epoch=self.step_in_epoch,
            steps_per_epoch=self.steps_per_epoch,
            num_epochs=self.settings.num_epochs,
            validation_metrics={
                name: training.task.validation_metric for name, training in self.tasks.items()
            },
            model=self.model,
            running_losses={name: training.running_loss for name, training in self.tasks.items()},
        )

    @property
    def _balancing(self) -> Dict[str, Union[LossWeighting, GradientSurgery]]:
        parts = {"loss_weighting": self.loss_weighting, "gradient_surgery": self.gradient_surgery}
        return {name: part for name, part in parts.items() if part is not None}

    def _balancing_state(self) -> Dict[str, Any]:
        return {name: part.state_dict() for name, part in self._balancing.items()}

    def _balancing_metrics(self) -> Dict[str, Dict[str, float]]:
        return {k: v for part in self._balancing.values() for k, v in part.metrics().items()}

    def _check_metric_names(self) -> None:
        for name, training in self.tasks.items():
            known = [*self.model.get_metrics(name), "loss"]
            if training.task.validation_metric not in known:
                raise ConfigurationError(
                    f"task_{name}.task_description.validation_metric_name is "
                    f"{training.task.validation_metric!r}, which its head does not compute. Choose one "
                    f"of {known}."
                )

    def checkpoint(self, best_now: Collection[str] = ()) -> None:
        """Write the whole state of the run. `best_now` are the tasks whose best epoch has just ended."""
        self._check_numbers()
        self.processes.check_same_weights(self.model)
        moment, state = TrainingPosition(self.epoch, self.step), self.state_dict()
        with self.processes.main_first():
            self.checkpointer.save(moment, self.model.state_dict(), state, best_now)
        self.checkpoint_schedule.note_checkpoint()

    def _check_numbers(self) -> None:
        """Look for NaN before anything is concluded from the weights, or written: it would stay for good."""
        self.loss_guard.check(self.model)
        besides = {
            "learning": self._balancing_state(),
            **{
                f"optimizer of {name}": each.optimizer.state_dict()
                for name, each in self.tasks.items()
            },
        }
        name = not_finite(self.model.state_dict(), self._constants) or not_finite(besides)
        if name is not None:
            raise DataError(
                f"{name} holds NaN or infinity after step {self.step}; nothing of that is written. Lower "
                "multi_task_trainer.optimizer.lr or set multi_task_trainer.grad_norm, then resume from the "
                "last checkpoint with --recover. If that ends the same way, the weights went astray before: "
                "remove the latest directories in checkpoints/, or start over with --force."
            )

    @property
    def _constants(self) -> List[str]:
        """Return the names of what is not trained, which may hold infinity as masks do."""
        return [name for name, _ in self.model.named_buffers()]

    def recover(self) -> bool:
        """
        Resume from the last checkpoint; return false if there is none, and the run has to start.

        # Raises

        DataError
            When there is none that is whole, or it is of another kind of run.
        """
        with self.processes.main_first():
            state = self.checkpointer.load(self._constants)
        reached = None if state is None else [state.get("epoch"), state.get("step")]
        self.processes.check_same("the last checkpoint", reached)
        if state is None:
            return False
        directory = self.checkpointer.serialization_dir
        give_weights(self.model, state.pop("model"), directory)
        try:
            self.load_state_dict(state)
        except UNFIT as error:
            raise DataError(
                f"this is not the state that such a run has ({type(error).__name__}: {error}). Resume it "
                "with the version of hmtl that wrote it, or start over with --force.",
                directory / TRAINING_STATE,
            ) from error
        return True

    def state_dict(self) -> Dict[str, Any]:
        """Return the state of everything but the model."""
        return {
            "epoch": self.epoch,
            "step": self.step,
            "step_in_epoch": self.step_in_epoch,
            "seconds_trained": self.seconds_trained,
            "seconds_before_epoch": self._seconds_before_epoch,
            "loss_guard": self.loss_guard.state_dict(),
            "sampler": self.sampler.state_dict(),
            "learning": self._balancing_state(),
            "scaler": self.scaler.state_dict(),
            "tasks": {name: training.state_dict() for name, training in self.tasks.items()},
            "counts": {name: self.model.counts(name) for name in self.tasks},
            "callbacks": {type(each).__name__: each.state_dict() for each in self.callbacks},
            **self.processes.random_states(),
        }

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        self.epoch = int(state["epoch"])
        self.step = int(state["step"])
        self.step_in_epoch = int(state["step_in_epoch"])
        self.seconds_trained = float(state["seconds_trained"])
        self._seconds_before_epoch = float(state["seconds_before_epoch"])
        self.loss_guard.load_state_dict(state["loss_guard"])
        self.sampler.load_state_dict(state["sampler"])
        # Older checkpoints have none of these: there was nothing of it that has a state.
        if self.scaler.is_enabled() and state.get("scaler"):
            self.scaler.load_state_dict(state["scaler"])
        for name, part in self._balancing.items():
            if "learning" in state:
                part.load_state_dict(state["learning"][name])
        for name, training in self.tasks.items():
            training.load_state_dict(state["tasks"][name])
            self.model.restore_counts(name, state["counts"][name])
        for callback in self.callbacks:
            callback.load_state_dict(state["callbacks"].get(type(callback).__name__, {}))
        self.processes.restore_random_states(state)


def mean_of(losses: List[torch.Tensor]) -> torch.Tensor:
    """Return the mean of at least one scalar."""
    return losses[0] if len(losses) == 1 else torch.stack(losses).mean()
