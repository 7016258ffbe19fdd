"""AllenNLP's parameter groups: other learning rates, for instance, for some parameters."""

from typing import Any, Collection, List, Optional, Tuple

import torch
from allennlp.common.checks import ConfigurationError

from hmtl.config.checking import check_patterns_in

# Regular expressions, and what the optimizer is to do otherwise with the parameters they match.
Groups = List[Tuple[List[str], Any]]

WHERE = "multi_task_trainer.optimizer.parameter_groups"
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
        check_patterns_in(patterns, names, f"{WHERE}.{index}.0")


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
                f"{WHERE} sets {', '.join(unknown)}, which this optimizer does not know. Known are "
                f"{', '.join(sorted(optimizer.defaults))}."
            )
