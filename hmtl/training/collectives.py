"""What processes that train together do in common, each of them at the same place."""

import logging
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Iterator, List

import torch
import torch.distributed

from hmtl.data.parts import Part
from hmtl.errors import DataError
from hmtl.training.memory import is_out_of_memory

logger = logging.getLogger(__name__)

# One process may read corpora and write files for hours while the others wait. Should it die meanwhile, its
# closed connections tell at once; only a machine that vanishes without a word is waited for so long.
PATIENCE = timedelta(days=1)


class ProcessLost(DataError):
    """Another process of the run has ended, or cannot be reached."""


class Collectives:
    """
    The operations of torch.distributed that a training needs, among all processes. Tensors on the CPU go by
    gloo, those on a device by the backend that the processes were started with.

    # Parameters

    timeout : `timedelta`
        How long to wait for the others.

    # Raises

    ProcessLost
        By every method, when it waits in vain.
    """

    def __init__(self, timeout: timedelta) -> None:
        self.part = Part(torch.distributed.get_rank(), torch.distributed.get_world_size())
        self._on_cpu = torch.distributed.new_group(backend="gloo", timeout=timeout)
        self._patient = torch.distributed.new_group(backend="gloo", timeout=PATIENCE)

    def sum(self, tensor: torch.Tensor) -> None:
        """Puts the sum over all processes in the place of each one's tensor."""
        self._reduce(tensor, torch.distributed.ReduceOp.SUM)

    def largest(self, tensor: torch.Tensor) -> None:
        """Puts the largest of all processes' entries in the place of each one's."""
        self._reduce(tensor, torch.distributed.ReduceOp.MAX)

    def _reduce(self, tensor: torch.Tensor, operation: Any) -> None:
        with telling_of_lost_processes():
            torch.distributed.all_reduce(tensor, operation, group=self._group_of(tensor))

    def take_from_main(self, tensor: torch.Tensor) -> None:
        """Puts the tensor of process 0 in the place of each one's."""
        with telling_of_lost_processes():
            torch.distributed.broadcast(tensor, src=0, group=self._group_of(tensor))

    def gather(self, value: Any) -> List[Any]:
        """What all processes have given, by their numbers: anything that is made of plain values."""
        values: List[Any] = [None] * self.part.total
        with telling_of_lost_processes():
            torch.distributed.all_gather_object(values, value, group=self._on_cpu)
        return values

    def wait(self) -> None:
        """Returns once all processes have come to it."""
        with telling_of_lost_processes():
            torch.distributed.barrier(group=self._patient)

    def _group_of(self, tensor: torch.Tensor) -> Any:
        # None is that of all processes and of the backend that they were started with.
        return self._on_cpu if tensor.device.type == "cpu" else None


@contextmanager
def telling_of_lost_processes() -> Iterator[None]:
    """
    # Raises

    ProcessLost
        In place of the errors of torch.distributed.
    """
    try:
        yield
    except RuntimeError as error:
        if is_out_of_memory(error):
            raise
        logger.debug("%s", error)
        raise ProcessLost(
            "another process of this run has ended, or cannot be reached; its own message says why. What was "
            "written at the last checkpoint is whole: go on from there with the same command and --recover."
        ) from error
