"""Choosing a device, and moving batches to it."""

from typing import Any, Dict, Iterator, Mapping, Optional

import torch
from allennlp.common.checks import ConfigurationError

from hmtl.common.moving import moved_together


def choose_device(cuda_device: Optional[int], process_number: Optional[int] = None) -> torch.device:
    """
    # Parameters

    cuda_device : `int`, optional
        The number of a CUDA device, or -1 for the CPU. `None` takes the first CUDA device if there is
        one, else the CPU.
    process_number : `int`, optional (default = `None`)
        One of several processes on a machine takes the CUDA device of its own number instead.

    # Raises

    ConfigurationError
        When that device is not there.
    """
    if cuda_device is None:
        cuda_device = 0 if torch.cuda.is_available() else -1
    if cuda_device < 0:
        return torch.device("cpu")
    if process_number is not None:
        if process_number >= torch.cuda.device_count():
            raise ConfigurationError(
                f"process {process_number} of this machine (counted from 0) has no CUDA device: torch sees "
                f"{torch.cuda.device_count()}. Start as many with torchrun's --nproc_per_node, or write -1 "
                "to multi_task_trainer.cuda_device to train on the CPU."
            )
        return torch.device("cuda", process_number)
    if cuda_device >= torch.cuda.device_count():
        raise ConfigurationError(
            f"multi_task_trainer.cuda_device is {cuda_device}, but torch sees "
            f"{torch.cuda.device_count()} CUDA device(s). Write -1 for the CPU, or leave the key out to "
            "take what there is, for instance with -o '{\"multi_task_trainer.cuda_device\": -1}'."
        )
    return torch.device("cuda", cuda_device)


def named_device(name: Optional[str]) -> torch.device:
    """
    # Parameters

    name : `str`, optional
        As torch calls it, `"cpu"`, `"cuda"` or `"cuda:1"`; `None` takes the first CUDA device if there is
        one, else the CPU.

    # Raises

    ConfigurationError
        When there is no such device.
    """
    if name is None:
        return choose_device(None)
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ConfigurationError(
            f"the device {name!r} cannot be used: {error}. Torch sees {torch.cuda.device_count()} CUDA "
            "device(s). Write for instance cpu or cuda:0, or name none to take what there is."
        ) from error
    return device


def to_device(batch: Dict[str, Any], device: torch.device) -> Dict[str, Any]:
    """The batch with its tensors on the device; what is no tensor (metadata) stays as it is."""
    if device.type == "cpu":
        return batch
    copies = iter(moved_together(list(_tensors_of(batch)), device))

    def with_copies(block: Dict[str, Any]) -> Dict[str, Any]:
        return {
            name: with_copies(value)
            if isinstance(value, dict)
            else next(copies)
            if isinstance(value, torch.Tensor)
            else value
            for name, value in block.items()
        }

    return with_copies(batch)


def device_of(batch: Mapping[str, Any]) -> torch.device:
    """Return where the tensors of a batch are; the CPU if it has none."""
    first = next(_tensors_of(batch), None)
    return torch.device("cpu") if first is None else first.device


def _tensors_of(batch: Mapping[str, Any]) -> Iterator[torch.Tensor]:
    for value in batch.values():
        if isinstance(value, dict):
            yield from _tensors_of(value)
        elif isinstance(value, torch.Tensor):
            yield value
