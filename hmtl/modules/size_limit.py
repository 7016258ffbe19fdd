"""A model that no machine could hold is refused while it is built, before its numbers are drawn."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from allennlp.common.checks import ConfigurationError
from torch.nn.modules.module import register_module_parameter_registration_hook

# The largest released transformers have a few thousand.
MOST_PARAMETERS = 20_000


@contextmanager
def within_memory() -> Iterator[None]:
    """
    Stop the making of a model in the block.

    # Raises

    ConfigurationError
        When it has more parameters than this machine has memory for, or their number shows that a count of
        layers cannot be meant.
    """
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    number = size = 0

    def count(module: torch.nn.Module, name: str, parameter: Any) -> None:
        nonlocal number, size
        number += 1
        # Of torch's parameters not made yet, the size is not known either.
        size += 0 if parameter is None else parameter.numel() * parameter.element_size()
        if number > MOST_PARAMETERS or size > memory:
            raise ConfigurationError(
                f"the model that the config describes has more than {number} parameters of {size / 1e9:.1f} "
                f"GB: at most {MOST_PARAMETERS} of {memory / 1e9:.1f} GB, the memory of this machine, can "
                "be trained. Correct the sizes and the numbers of layers."
            )

    handle = register_module_parameter_registration_hook(count)
    try:
        yield
    finally:
        handle.remove()
