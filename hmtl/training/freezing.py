"""Parameters that are not trained: from the start on, or until an epoch."""

import logging
import re
from typing import Collection, Dict, List, Sequence, Tuple

import torch
from allennlp.common.checks import ConfigurationError

from hmtl.common.reporting import counted
from hmtl.config.checking import check_patterns_in
from hmtl.models.hmtl import Hmtl
from hmtl.training.callbacks import Callback

logger = logging.getLogger(__name__)

WHERE = "multi_task_trainer"

# An epoch, counted from 0, and the patterns of the parameters that are trained from then on.
Thaw = Tuple[int, List[str]]


class Freezing(Callback):
    """
    Freezes parameters when it is made, and thaws them at the beginning of the epochs they are to be trained
    from; in a run that was recovered, too.

    A frozen parameter has no gradient, so that no optimizer changes it or keeps a state for it. Everything
    else is as ever: dropout in a frozen layer goes on zeroing what passes through it in training.

    # Parameters

    model : `Hmtl`
    patterns : `Sequence[str]`
        Regular expressions, searched for in the names of the model's parameters: these are frozen.
    thaws : `Sequence[Thaw]`
        Which of the frozen ones are trained from some epoch on.

    # Raises

    ConfigurationError
        When a pattern matches no parameter, or a thaw none that is frozen or an epoch before 1.
    """

    def __init__(self, model: Hmtl, patterns: Sequence[str], thaws: Sequence[Thaw]) -> None:
        parameters = dict(model.named_parameters())
        check_patterns_in(patterns, list(parameters), f"{WHERE}.freeze")
        # What is not trained anyway, as an embedder whose config says so, never thaws.
        trained = {name: each for name, each in parameters.items() if each.requires_grad}
        frozen = {name: trained[name] for name in _matching(patterns, trained)}
        self.thaws: List[Tuple[int, Dict[str, torch.nn.Parameter]]] = []
        for index, (epoch, thawed) in enumerate(thaws):
            where = f"{WHERE}.unfreeze.{index}"
            if epoch < 1:
                raise ConfigurationError(
                    f"{where}.0 is {epoch}; write the epoch to train from, counted from 0, at least 1"
                )
            check_patterns_in(thawed, list(frozen), f"{where}.1")
            self.thaws.append((epoch, {name: frozen[name] for name in _matching(thawed, frozen)}))
        for parameter in frozen.values():
            parameter.requires_grad_(False)

    def trained_at_some_time(self, model: Hmtl) -> List[Tuple[str, torch.nn.Parameter]]:
        """The parameters, with their names, that are trained from the start on or from an epoch on."""
        thawed = {name for _, parameters in self.thaws for name in parameters}
        return [
            (name, parameter)
            for name, parameter in model.named_parameters()
            if parameter.requires_grad or name in thawed
        ]

    def on_epoch_start(self, epoch: int, steps_done: int) -> None:
        for since, parameters in self.thaws:
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
                f"{WHERE}.freeze leaves nothing to train for task {task!r} in the first epoch: let its "
                f"head (heads.{task}) train, or give it the factor 0 in {WHERE}.sampling_method.factors"
            )
