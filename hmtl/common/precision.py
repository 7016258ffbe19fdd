"""In which precision a model computes; its weights are in single precision in any case."""

from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Iterator

import torch

FULL, BF16, FP16 = "fp32", "bf16", "fp16"
PRECISIONS = (FULL, BF16, FP16)
# How exact a product of matrices in single precision is, for `torch.set_float32_matmul_precision`.
EXACT = "highest"
MATMUL_PRECISIONS = (EXACT, "high", "medium")


def autocast(precision: str, device: torch.device) -> AbstractContextManager[Any]:
    """
    Compute in half precision, in the block, what torch takes to be safe to. (On the CPU that is only
    `bf16`: what was trained in `fp16` on a GPU is computed in single precision there.)
    """
    if precision == FULL or (precision == FP16 and device.type == "cpu"):
        return nullcontext()
    dtype = torch.bfloat16 if precision == BF16 else torch.float16
    return torch.autocast(device.type, dtype=dtype)


def without_autocast(device: torch.device) -> AbstractContextManager[Any]:
    """Compute in the precision of the numbers themselves, in the block."""
    # Not every kind of device has it.
    has_autocast = torch.amp.is_autocast_available(device.type)
    return torch.autocast(device.type, enabled=False) if has_autocast else nullcontext()


@contextmanager
def exactly(device: torch.device) -> Iterator[None]:
    """The same, and products of matrices, too, are as exact as the numbers."""
    around = torch.get_float32_matmul_precision()
    with without_autocast(device):
        if around == EXACT:
            yield
            return
        torch.set_float32_matmul_precision(EXACT)
        try:
            yield
        finally:
            torch.set_float32_matmul_precision(around)


def at_least_single(tensor: torch.Tensor) -> torch.Tensor:
    """Return the same numbers, those of half precision in single precision."""
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))
