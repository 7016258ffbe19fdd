"""
Which of two ways a module computes. The CPU is fastest where little is computed; an accelerator waits for
calls rather than for numbers, so it is given few calls, even if more is computed. Both ways give the same
values, up to rounding.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

# How many numbers at a time, at most, are made in memory only to save calls: 256 MiB in single precision.
NUMBERS_AT_ONCE = 2**26

_everywhere = False


def takes_few_calls(tensor: torch.Tensor, numbers: int = 0) -> bool:
    """
    Return whether what is computed from this tensor is to be computed in few calls, for which so many numbers
    have to be in memory at once.
    """
    return (_everywhere or tensor.device.type != "cpu") and numbers <= NUMBERS_AT_ONCE


@contextmanager
def few_calls_everywhere() -> Iterator[None]:
    """Take the accelerator's way on the CPU, too, to compare it with the other one."""
    global _everywhere
    before, _everywhere = _everywhere, True
    try:
        yield
    finally:
        _everywhere = before
