"""What becomes of a batch whose loss is not a finite number."""

import logging
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Optional

import torch
from allennlp.common.checks import ConfigurationError

from hmtl.common.devices import to_device
from hmtl.common.moving import on_its_way
from hmtl.common.tensors import load_tensors
from hmtl.data.batch_stream import Batch, sources_of
from hmtl.data.parts import WHOLE, Part
from hmtl.errors import DataError
from hmtl.models.hmtl import Hmtl
from hmtl.training.checkpoints import save_tensors

logger = logging.getLogger(__name__)

STOP, SKIP = "stop", "skip"
# On an accelerator losses are read this many at a time: reading one waits for all the work before it.
LOSSES_READ_TOGETHER = 50


class _Step(NamedTuple):
    number: int
    task_name: str
    batch: Batch
    # Of the whole batch, and of this process's part of it.
    loss: torch.Tensor
    own_loss: torch.Tensor


class InvalidLossGuard:
    """
    Looks at the loss of every training step. If one is NaN or infinite, the batch is written to
    `invalid_loss_step_<step>.th` in the serialization directory, and the run stops, or skips it.

    On the CPU a loss is looked at before anything is learned from it. On an accelerator it is looked at
    some steps later, so that no step waits for the device, but always before a checkpoint. To skip batches
    there, it is looked at when the backward pass is queued, so that the device has work meanwhile, and before
    anything is made of the gradients; only a step of several batches waits for each.

    # Parameters

    serialization_dir : `Path`
    device : `torch.device`
    action : `str`, optional (default = `"stop"`)
        `"stop"`, or `"skip"` to make no step with such a batch.
    max_skipped : `int`, optional (default = `10`)
        How many batches of a run may be skipped; one more stops it.
    read_together : `int`, optional
        How many losses to look at together; by default, what is said above.
    part : `Part`, optional
        Which part of each batch is this process's, where several train together.
    batches_per_step : `int`, optional (default = `1`)

    `in_step` says whether `check` is to be asked before anything is made of a step's gradients: whether
    nothing is to be.

    # Raises

    ConfigurationError
        When the action is unknown.
    """

    def __init__(
        self,
        serialization_dir: Path,
        device: torch.device,
        action: str = STOP,
        max_skipped: int = 10,
        read_together: Optional[int] = None,
        part: Part = WHOLE,
        batches_per_step: int = 1,
    ) -> None:
        if action not in (STOP, SKIP):
            raise ConfigurationError(
                f"multi_task_trainer.on_invalid_loss is {action!r}; write {STOP!r} or {SKIP!r}"
            )
        self.in_step = action == SKIP and device.type != "cpu" and batches_per_step == 1
        at_once = device.type == "cpu" or (action == SKIP and not self.in_step)
        self.serialization_dir = serialization_dir
        self.device = device
        self.action = action
        self.max_skipped = max_skipped
        self.part = part
        self.read_together = read_together or (1 if at_once else LOSSES_READ_TOGETHER)
        self.num_skipped = 0
        self._pending: List[_Step] = []
        self._is_finite: Callable[[], bool] = bool
        self._random: Dict[str, torch.Tensor] = {}

    def before_forward(self) -> None:
        """Note the random state, so that a loss can be computed again with the same dropout."""
        if self.read_together == 1 or self.in_step:
            self._random = _random_states(self.device)

    def accepts(
        self,
        number: int,
        task_name: str,
        batch: Batch,
        loss: torch.Tensor,
        model: Hmtl,
        whole_loss: Optional[torch.Tensor] = None,
    ) -> bool:
        """
        Look at the loss of a batch, at once or later together with others.

        # Parameters

        number : `int`
            The step's.
        task_name : `str`
        batch : `Batch`
        loss : `torch.Tensor`
            A scalar, on the device.
        model : `Hmtl`
            As it was when it computed the loss.
        whole_loss : `torch.Tensor`, optional
            That of the whole batch where `loss` is of a part: finite if those of all parts are, so that all
            processes come to the same decision. A scalar, on the device.

        # Returns

        accepts : `bool`
            False if nothing is to be learned from this batch.

        # Raises

        DataError
            When a loss is invalid and the run is to stop.
        """
        own = loss.detach()
        whole = own if whole_loss is None else whole_loss
        self._pending.append(_Step(number, task_name, batch, whole, own))
        if self.in_step:
            self._is_finite = on_its_way(whole.isfinite())
            return True
        return len(self._pending) < self.read_together or self.check(model)

    def check(self, model: Hmtl) -> bool:
        """Look at all losses that were not looked at yet; see `accepts`."""
        if not self._pending:
            return True
        steps, self._pending = self._pending, []
        are_finite = (
            [self._is_finite()]
            if self.in_step
            else torch.stack([step.loss for step in steps]).isfinite().tolist()
        )
        if all(are_finite):
            return True
        step = steps[are_finite.index(False)]
        is_own = self.part.world_size == 1 or not bool(step.own_loss.isfinite())
        problem = (
            self._describe(step, self._save(step, model), model)
            if is_own
            else f"{_headline(step)} It is another rank's part of the batch, whose message says more."
        )
        if self.action == STOP:
            raise DataError(
                f"{problem} Lower the optimizer's lr, set multi_task_trainer.grad_norm, mend what is empty "
                f"or extreme there, or write multi_task_trainer.on_invalid_loss: {SKIP!r}; then resume from "
                "the last checkpoint with --recover."
            )
        self.num_skipped += 1
        if self.num_skipped > self.max_skipped:
            raise DataError(
                f"{problem} That is one more than multi_task_trainer.max_skipped_batches, "
                f"{self.max_skipped}."
            )
        if is_own:
            logger.warning("%s The batch is skipped.", problem)
        return False

    def _save(self, step: _Step, model: Hmtl) -> Path:
        rank = f"_rank_{self.part.rank}" if self.part.world_size > 1 else ""
        path = self.serialization_dir / f"invalid_loss_step_{step.number}{rank}.th"
        # Read later, the model has learned from the batch, and its weights tell nothing any more.
        known = {"model": model.state_dict(), "random": self._random} if self._random else {}
        save_tensors(
            path,
            {"step": step.number, "task_name": step.task_name, "batch": dict(step.batch), **known},
        )
        return path

    def _describe(self, step: _Step, path: Path, model: Hmtl) -> str:
        return (
            f"{_headline(step)} {_weights_account(model) if self._random else ''}The batch is of "
            f"{', '.join(sources_of(step.batch))}; it is written to {path}, from which "
            "hmtl.training.invalid_loss.reproduce computes the loss again."
        )

    def state_dict(self) -> Dict[str, Any]:
        return {"num_skipped": self.num_skipped}

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        self.num_skipped = state["num_skipped"]


def reproduce(model: Hmtl, path: Path) -> float:
    """
    Compute the loss of a batch that an `InvalidLossGuard` wrote once more.

    # Parameters

    model : `Hmtl`
        Of the same config and vocabulary, on the CPU or on a device. It is given the weights of that
        moment, if they are in the file, and is left in training mode.
    path : `Path`
    """
    saved = load_tensors(path)
    device = next(model.parameters()).device
    if "model" in saved:
        model.load_state_dict(saved["model"])
        _restore_random_states(saved["random"], device)
    model.train()
    batch = to_device(saved["batch"], device)
    return float(model(saved["task_name"], batch, compute_metrics=False)["loss"].detach())


def _headline(step: _Step) -> str:
    return f"the loss of task {step.task_name!r} is not a finite number at step {step.number}."


def _weights_account(model: Hmtl) -> str:
    names = [name for name, each in model.named_parameters() if not bool(each.isfinite().all())]
    if not names:
        return ""
    return (
        f"The model's weights hold NaN or infinity already, for instance {names[0]}: look for the cause in "
        "what they were loaded from, or in the step before. "
    )


def _random_states(device: torch.device) -> Dict[str, torch.Tensor]:
    states = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    return states


def _restore_random_states(states: Dict[str, torch.Tensor], device: torch.device) -> None:
    torch.set_rng_state(states["cpu"])
    if device.type == "cuda" and "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"], device)
