"""What moves the weights and how far: optimizers, learning rates, parameter groups, freezing."""

import logging
import re
from typing import Any, Collection, Dict, Iterable, List, Optional, Sequence, Tuple

import torch
from allennlp.common import Lazy
from allennlp.common.checks import ConfigurationError
from allennlp.training.learning_rate_schedulers import LearningRateScheduler, PolynomialDecay
from allennlp.training.optimizers import Optimizer, ParameterGroupsType, make_parameter_groups

from hmtl.common.reporting import counted
from hmtl.config.checking import check_patterns_in
from hmtl.models.hmtl import Hmtl
from hmtl.training.callbacks import Callback
from hmtl.training.tasks import SCHEDULER


@Optimizer.register("adam", exist_ok=True)
class Adam(Optimizer, torch.optim.Adam):
    """
    Adam (Kingma and Ba, 2015) in PyTorch's fused form.

    It takes the place of AllenNLP's optimizer of the same name and takes the same parameters. That one
    walks over each tensor a dozen times a step, this one once, and an embedding table is mostly waiting for
    memory: a step of the published model takes a sixth of the time (`benchmarks/limit.py` shows the share
    of a training step that is left).

    # Parameters

    model_parameters : `List[Tuple[str, torch.nn.Parameter]]`
        With their names, by which groups are chosen.
    parameter_groups : `List[Tuple[List[str], Dict[str, Any]]]`, optional (default = `None`)
        Lists of regular expressions, each with options for the parameters that match.
    lr : `float`, optional (default = `0.001`)
    betas : `Tuple[float, float]`, optional (default = `(0.9, 0.999)`)
    eps : `float`, optional (default = `1e-8`)
    weight_decay : `float`, optional (default = `0.0`)
    amsgrad : `bool`, optional (default = `False`)
    """

    def __init__(
        self,
        model_parameters: List[Tuple[str, torch.nn.Parameter]],
        parameter_groups: Optional[ParameterGroupsType] = None,
        lr: float = 0.001,
        betas: Tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-08,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
    ) -> None:
        super().__init__(
            params=make_parameter_groups(model_parameters, parameter_groups),
            lr=lr,
            betas=betas,
            eps=eps,
            weight_decay=weight_decay,
            amsgrad=amsgrad,
            fused=True,
        )


def scale_rates(
    optimizer: torch.optim.Optimizer, parameters: Iterable[torch.nn.Parameter], factor: float
) -> None:
    """Multiply the learning rate of these of an optimizer's parameters. It must not have begun yet."""
    scaled = {id(each) for each in parameters}
    groups = []
    for group in optimizer.param_groups:
        of_factor: Dict[float, List[torch.nn.Parameter]] = {}
        for each in group["params"]:
            of_factor.setdefault(factor if id(each) in scaled else 1.0, []).append(each)
        groups += [
            {**group, "params": chosen, "lr": by * group["lr"]} for by, chosen in of_factor.items()
        ]
    optimizer.param_groups[:] = groups


def clip_gradients(
    parameters: Iterable[torch.nn.Parameter], norm: Optional[float], value: Optional[float]
) -> None:
    """
    Clip each entry of the gradients to plus or minus `value`, then the norm of all of them together to
    `norm`. `None` leaves them as they are.
    """
    used = [_entries(parameter) for parameter in parameters if parameter.grad is not None]
    if value is not None:
        torch.nn.utils.clip_grad_value_(used, value)
    if norm is not None:
        torch.nn.utils.clip_grad_norm_(used, norm)


def _entries(parameter: torch.nn.Parameter) -> torch.nn.Parameter:
    """Return what has the entries of a parameter's gradient as its own: itself, unless that is sparse."""
    assert parameter.grad is not None
    if not parameter.grad.is_sparse:
        return parameter
    parameter.grad = parameter.grad.coalesce()
    entries = torch.nn.Parameter(parameter.grad.values())
    entries.grad = parameter.grad.values()
    return entries


@LearningRateScheduler.register("reduce_on_plateau", exist_ok=True)
class ReduceOnPlateau(LearningRateScheduler):
    """
    Multiplies the learning rate by `factor` when the validation metric has stopped improving.

    AllenNLP's class of this name hands torch an argument that torch no longer takes. The parameters are
    those of `torch.optim.lr_scheduler.ReduceLROnPlateau`; `mode` is set from the task's metric.

    # Parameters

    optimizer : `torch.optim.Optimizer`
    mode : `str`
        `"max"` where a larger metric is better, `"min"` where a smaller one is.
    factor : `float`, optional (default = `0.1`)
    patience : `int`, optional (default = `10`)
        Epochs without improvement that are waited for.
    threshold : `float`, optional (default = `1e-4`)
        The smallest change that counts as improvement.
    threshold_mode : `str`, optional (default = `"rel"`)
        Whether `threshold` is a share of the best value (`"rel"`) or a difference (`"abs"`).
    cooldown : `int`, optional (default = `0`)
        Epochs after a reduction in which none is counted.
    min_lr : `float`, optional (default = `0.0`)
    eps : `float`, optional (default = `1e-8`)
        A smaller change of the rate is not made.
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        mode: str,
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float = 0.0,
        eps: float = 1e-8,
    ) -> None:
        # The base class would only note down initial rates, of which a plateau scheduler has no use.
        self._scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
            optimizer,
            mode=mode,  # type: ignore[arg-type]
            factor=factor,
            patience=patience,
            threshold=threshold,
            threshold_mode=threshold_mode,  # type: ignore[arg-type]
            cooldown=cooldown,
            min_lr=min_lr,
            eps=eps,
        )

    def step(self, metric: Optional[float] = None) -> None:
        """Take an epoch's validation metric into account."""
        if metric is None:
            raise ValueError("reduce_on_plateau needs the validation metric of the epoch")
        self._scheduler.step(metric)

    def state_dict(self) -> "dict[str, Any]":
        return self._scheduler.state_dict()

    def load_state_dict(self, state: "dict[str, Any]") -> None:
        self._scheduler.load_state_dict(state)


@LearningRateScheduler.register("linear_warmup")
class LinearWarmup(LearningRateScheduler):
    """
    Lets the learning rates rise in a straight line over a task's first steps (Goyal et al., 2017,
    arXiv 1706.02677), then leaves them to another scheduler. Pretrained weights would otherwise be thrown off
    by the first gradients, which come through layers that have learnt nothing yet.

    Each parameter group rises to its own rate. The first step has `1 / num_steps` of it, the step of number
    `num_steps` has all of it.

    # Parameters

    optimizer : `torch.optim.Optimizer`
        A task's.
    num_steps : `int`
        Steps of the task; others' do not count.
    then : `Lazy[LearningRateScheduler]`, optional (default = `None`)
        It does not see the epochs that end in the warm-up. Without it the rates stay.

    # Raises

    ConfigurationError
        When there is less than one step.
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        num_steps: int,
        then: Optional[Lazy[LearningRateScheduler]] = None,
    ) -> None:
        if num_steps < 1:
            raise ConfigurationError(f"{SCHEDULER}.num_steps is {num_steps}; write at least 1")
        self._optimizer = optimizer
        self._num_steps = num_steps
        self._steps = 0
        self._full = [float(group["lr"]) for group in optimizer.param_groups]
        self._then = None if then is None else then.construct(optimizer=optimizer)
        self._set_rates()

    @property
    def is_over(self) -> bool:
        """Whether every step from now on belongs to the scheduler that follows."""
        return self._steps >= self._num_steps

    def step_batch(self, batch_num_total: Optional[int] = None) -> None:
        """Set the rates after a step of the task."""
        if not self.is_over:
            self._steps += 1
            self._set_rates()
        elif self._then is not None:
            self._then.step_batch()

    def step(self, metric: Optional[float] = None) -> None:
        """Take an epoch's validation metric into account."""
        if self.is_over and self._then is not None:
            self._then.step(metric)

    def _set_rates(self) -> None:
        share = min((self._steps + 1) / self._num_steps, 1.0)
        for group, full in zip(self._optimizer.param_groups, self._full):
            group["lr"] = share * full

    def state_dict(self) -> "dict[str, Any]":
        return {
            "steps": self._steps,
            "then": None if self._then is None else self._then.state_dict(),
        }

    def load_state_dict(self, state: "dict[str, Any]") -> None:
        self._steps = state["steps"]
        if self._then is not None:
            self._then.load_state_dict(state["then"])


@LearningRateScheduler.register("linear_with_warmup", exist_ok=True)
class LinearWithWarmup(PolynomialDecay):
    """
    Lets the learning rates rise from 0 in a straight line over a task's first steps, then fall in one to 0
    at the end of the training.

    It takes the place of AllenNLP's scheduler of the same name, and the trainer tells it how many steps the
    task is to have, which that one has to be told by the config.

    # Parameters

    optimizer : `torch.optim.Optimizer`
        A task's.
    num_epochs, num_steps_per_epoch : `int`, optional (default = `None`)
        Their product is the number of steps over which the rates rise and fall. Both or neither.
    warmup_steps : `int`, optional (default = `100`)
        Steps of the task; others' do not count. At most a tenth of `expected_steps`, so that a small corpus
        does not end in its warm-up.
    expected_steps : `int`, optional (default = `None`)
        Without those two: how many steps the task is to have, by how likely it is to be drawn when the
        training begins.

    # Raises

    ConfigurationError
        When the number of steps is not known.
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        num_epochs: Optional[int] = None,
        num_steps_per_epoch: Optional[int] = None,
        warmup_steps: int = 100,
        expected_steps: Optional[int] = None,
    ) -> None:
        if num_epochs is None and num_steps_per_epoch is None and expected_steps is not None:
            num_epochs, num_steps_per_epoch = 1, expected_steps
            warmup_steps = min(warmup_steps, expected_steps // 10)
        if num_epochs is None or num_steps_per_epoch is None:
            raise ConfigurationError(
                f"{SCHEDULER}: linear_with_warmup needs both num_epochs and num_steps_per_epoch; where it is "
                "the scheduler itself, and not the `then` of another, it works them out if you write neither"
            )
        super().__init__(optimizer, num_epochs, num_steps_per_epoch, warmup_steps=warmup_steps)

    def load_state_dict(self, state_dict: "dict[str, Any]") -> None:
        # A run that is resumed with more epochs is to fall to 0 at its new end.
        super().load_state_dict({**state_dict, "total_steps": self.total_steps})


# Regular expressions, and what the optimizer is to do otherwise with the parameters they match.
Groups = List[Tuple[List[str], Any]]

GROUPS = "multi_task_trainer.optimizer.parameter_groups"
# Not the optimizer's, but of the function that makes the groups.
GRADIENT = "requires_grad"


def check_parameter_groups(groups: Optional[Groups], names: Collection[str]) -> None:
    """
    # Parameters

    groups : `Groups`, optional
        As the config has them.
    names : `Collection[str]`
        Of the parameters that may be trained.

    # Raises

    ConfigurationError
        When a pattern matches none of them: AllenNLP would only warn of it.
    """
    for index, (patterns, _) in enumerate(groups or []):
        check_patterns_in(patterns, names, f"{GROUPS}.{index}.0")


def check_group_options(optimizer: torch.optim.Optimizer) -> None:
    """
    # Raises

    ConfigurationError
        When a group says something that the optimizer does not know, and torch would not look at.
    """
    known = {*optimizer.defaults, "params", GRADIENT}
    for group in optimizer.param_groups:
        unknown = sorted(group.keys() - known)
        if unknown:
            raise ConfigurationError(
                f"{GROUPS} sets {', '.join(unknown)}, which this optimizer does not know. Known are "
                f"{', '.join(sorted(optimizer.defaults))}."
            )


logger = logging.getLogger(__name__)

TRAINER = "multi_task_trainer"

# An epoch, counted from 0, and the patterns of the parameters that are trained from then on.
Unfreezing = Tuple[int, List[str]]


class Freezing(Callback):
    """
    Freezes parameters when it is made, and unfreezes them at the beginning of the epochs they are to be
    trained from (gradual unfreezing); in a run that was recovered, too.

    A frozen parameter has no gradient, so that no optimizer changes it or keeps a state for it. Everything
    else is as ever: dropout in a frozen layer still zeroes what passes through it in training.

    # Parameters

    model : `Hmtl`
    patterns : `Sequence[str]`
        Regular expressions, searched for in the names of the model's parameters: these are frozen.
    unfreeze : `Sequence[Unfreezing]`
        Which of the frozen ones are trained from some epoch on.

    # Raises

    ConfigurationError
        When a pattern matches no parameter, or an entry of `unfreeze` none that is frozen, or its epoch is
        less than 1.
    """

    def __init__(
        self, model: Hmtl, patterns: Sequence[str], unfreeze: Sequence[Unfreezing]
    ) -> None:
        parameters = dict(model.named_parameters())
        check_patterns_in(patterns, list(parameters), f"{TRAINER}.freeze")
        # What is not trained anyway, as an embedder whose config says so, is never unfrozen.
        trained = {name: each for name, each in parameters.items() if each.requires_grad}
        frozen = {name: trained[name] for name in _matching(patterns, trained)}
        self.unfreezing: List[Tuple[int, Dict[str, torch.nn.Parameter]]] = []
        for index, (epoch, unfrozen) in enumerate(unfreeze):
            where = f"{TRAINER}.unfreeze.{index}"
            if epoch < 1:
                raise ConfigurationError(
                    f"{where}.0 is {epoch}; write the epoch to train from, counted from 0, at least 1"
                )
            check_patterns_in(unfrozen, list(frozen), f"{where}.1")
            self.unfreezing.append(
                (epoch, {name: frozen[name] for name in _matching(unfrozen, frozen)})
            )
        for parameter in frozen.values():
            parameter.requires_grad_(False)

    def trained_at_some_time(self, model: Hmtl) -> List[Tuple[str, torch.nn.Parameter]]:
        """Return the parameters, with their names, that are trained from the start on or from an epoch on."""
        unfrozen = {name for _, parameters in self.unfreezing for name in parameters}
        return [
            (name, parameter)
            for name, parameter in model.named_parameters()
            if parameter.requires_grad or name in unfrozen
        ]

    def on_epoch_start(self, epoch: int, steps_done: int) -> None:
        for since, parameters in self.unfreezing:
            if epoch < since:
                continue
            still_frozen = [each for each in parameters.values() if not each.requires_grad]
            for parameter in still_frozen:
                parameter.requires_grad_(True)
            if still_frozen:
                logger.info(
                    "from now on trained: %s more", counted(len(still_frozen), "parameters")
                )


def _matching(patterns: Sequence[str], names: Collection[str]) -> List[str]:
    return [name for name in names if any(re.search(pattern, name) for pattern in patterns)]


def check_something_trains(model: Hmtl, tasks: Sequence[str]) -> None:
    """
    # Parameters

    model : `Hmtl`
    tasks : `Sequence[str]`
        That the model is trained on.

    # Raises

    ConfigurationError
        When all that a batch of one of them runs through is frozen: there would be no gradient.
    """
    for task in tasks:
        encoders = model.encoders
        levels = [name for name in encoders.path_to(task) if name in encoders.encoders]
        modules = [
            encoders.text_field_embedder,
            model.heads[task],
            *(encoders.encoders[name] for name in levels),
        ]
        if not any(each.requires_grad for module in modules for each in module.parameters()):
            raise ConfigurationError(
                f"{TRAINER}.freeze leaves nothing to train for task {task!r} in the first epoch: let its "
                f"head (heads.{task}) train, or give it the factor 0 in {TRAINER}.sampling_method.factors"
            )
