"""From the CPU to a device, and back without waiting for it."""

import torch
from torch.utils.weak import WeakTensorKeyDictionary

# What tensors on a device were copied from, as long as these are in use.
_originals: "WeakTensorKeyDictionary" = WeakTensorKeyDictionary()


def moved(tensor: torch.Tensor, device: torch.device) -> torch.Tensor:
    """
    Return a copy on the device, whose original `on_cpu` finds again; on the CPU the tensor itself.

    # Parameters

    tensor : `torch.Tensor`
        On the CPU. Not to be changed afterwards.
    device : `torch.device`
    """
    if device.type == "cpu":
        return tensor
    # From pinned memory the copy runs beside the computation.
    copy = tensor.pin_memory().to(device, non_blocking=True)
    _originals[copy] = tensor
    return copy


def on_cpu(tensor: torch.Tensor) -> torch.Tensor:
    """
    Return the same numbers on the CPU. Of a tensor that `moved` made this is its original, for which nothing
    waits; any other is copied once all that the device was given to do is done.
    """
    if tensor.device.type == "cpu":
        return tensor
    original = _originals.get(tensor)
    return tensor.cpu() if original is None else original
