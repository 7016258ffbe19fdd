"""From the CPU to a device, and back without waiting for it."""

from typing import Callable, List

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
    copy = _copied(tensor, device)
    _originals[copy] = tensor
    return copy


def moved_together(tensors: List[torch.Tensor], device: torch.device) -> List[torch.Tensor]:
    """Return copies of all on the device, as `moved` does; those of one type travel in one piece."""
    if device.type == "cpu":
        return tensors
    copies = list(tensors)
    for dtype in dict.fromkeys(each.dtype for each in tensors):
        places = [place for place, each in enumerate(tensors) if each.dtype is dtype]
        pieces = [tensors[place].flatten() for place in places]
        flat = _copied(torch.cat(pieces), device)
        for place, piece in zip(places, flat.split([len(each) for each in pieces])):
            copies[place] = piece.view(tensors[place].shape)
            _originals[copies[place]] = tensors[place]
    return copies


def _copied(tensor: torch.Tensor, device: torch.device) -> torch.Tensor:
    # From pinned memory the copy runs beside the computation.
    can_be_pinned = device.type == "cuda"
    return (tensor.pin_memory() if can_be_pinned else tensor).to(device, non_blocking=True)


def on_cpu(tensor: torch.Tensor) -> torch.Tensor:
    """
    Return the same numbers on the CPU. Of a tensor that `moved` made this is its original, for which nothing
    waits; any other is copied once all that the device was given to do is done.
    """
    if tensor.device.type == "cpu":
        return tensor
    original = _originals.get(tensor)
    return tensor.cpu() if original is None else original


def on_its_way(flag: torch.Tensor) -> Callable[[], bool]:
    """
    Begin to read a number from a device.

    # Parameters

    flag : `torch.Tensor`
        A scalar of type bool.

    # Returns

    value : `Callable[[], bool]`
        Waits for what was queued on the device up to now, and for nothing that is queued later.
    """
    if flag.device.type == "cpu":
        return lambda: bool(flag)
    here = torch.empty((), dtype=torch.bool, pin_memory=flag.device.type == "cuda")
    here.copy_(flag, non_blocking=True)
    copied = torch.get_device_module(flag.device).Event()
    copied.record()

    def value() -> bool:
        copied.synchronize()
        return bool(here)

    return value
