"""Choosing a device, and moving batches to it."""

from typing import Any, Dict, Optional

import torch
from allennlp.common.checks import ConfigurationError

from hmtl.common.moving import moved


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


def to_device(batch: Dict[str, Any], device: torch.device) -> Dict[str, Any]:
    """The batch with its tensors on the device; what is no tensor (metadata) stays as it is."""
    if device.type == "cpu":
        return batch
    on_device: Dict[str, Any] = {}
    for name, value in batch.items():
        if isinstance(value, dict):
            on_device[name] = to_device(value, device)
        elif isinstance(value, torch.Tensor):
            on_device[name] = moved(value, device)
        else:
            on_device[name] = value
    return on_device
