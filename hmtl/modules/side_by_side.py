"""Two independent computations at the same time, on two cores."""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any, Callable, List, Optional, Sequence, Tuple, TypeVar

import torch
from torch.autograd.function import once_differentiable

T = TypeVar("T")


def two_cores_are_free() -> bool:
    """
    Whether there is a second core for the second computation: one that the process may use, and that
    PyTorch's own threads, which share out the work inside one operation, have not been given.
    """
    return torch.get_num_threads() == 1 and _num_cores() > 1


def side_by_side(first: Callable[[], T], second: Callable[[], T]) -> Tuple[T, T]:
    """
    Calls both and returns what they return. The second runs in a thread of its own, in the caller's
    gradient mode, if there is a core for it.
    """
    if not two_cores_are_free():
        return first(), second()
    # All are settings of a thread.
    inference, grad = torch.is_inference_mode_enabled(), torch.is_grad_enabled()
    half, dtype = torch.is_autocast_enabled("cpu"), torch.get_autocast_dtype("cpu")

    def in_thread() -> T:
        with (
            torch.inference_mode(inference),
            torch.set_grad_enabled(grad),
            torch.autocast("cpu", dtype, enabled=half),
        ):
            return second()

    running = _thread(os.getpid()).submit(in_thread)
    try:
        return first(), running.result()
    finally:
        # An error of the first is told when the second no longer works on anything of the caller's.
        running.exception()


def modules_side_by_side(
    first: torch.nn.Module,
    second: torch.nn.Module,
    first_input: torch.Tensor,
    second_input: torch.Tensor,
) -> Tuple[torch.Tensor, torch.Tensor]:
    """
    `first(first_input), second(second_input)`, for modules whose first output is what is wanted (those of
    `torch.nn.LSTM` and its kin). Gradients are computed side by side as well. All values are those that one
    after the other would give. The modules must make no random choice.
    """
    if first_input.device.type != "cpu" or not two_cores_are_free():
        return first(first_input)[0], second(second_input)[0]
    if not torch.is_grad_enabled():
        return side_by_side(lambda: first(first_input)[0], lambda: second(second_input)[0])
    parameters = [*first.parameters(), *second.parameters()]
    return _SideBySide.apply(first, second, first_input, second_input, *parameters)


class _SideBySide(torch.autograd.Function):
    """
    The graph of each module is kept apart, from its input on, so that the two can be walked back by two
    threads: PyTorch walks a graph that is in one piece with one.
    """

    @staticmethod
    def forward(
        ctx: Any,
        first: torch.nn.Module,
        second: torch.nn.Module,
        first_input: torch.Tensor,
        second_input: torch.Tensor,
        *parameters: torch.Tensor,
    ) -> Tuple[torch.Tensor, torch.Tensor]:
        inputs = [
            each.detach().requires_grad_(each.requires_grad) for each in (first_input, second_input)
        ]
        with torch.enable_grad():
            outputs = side_by_side(lambda: first(inputs[0])[0], lambda: second(inputs[1])[0])
        ctx.outputs = outputs
        ctx.sources = [[inputs[0], *first.parameters()], [inputs[1], *second.parameters()]]
        return outputs[0].detach(), outputs[1].detach()

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, first_gradient: torch.Tensor, second_gradient: torch.Tensor
    ) -> Tuple[Optional[torch.Tensor], ...]:
        (first, second), (first_sources, second_sources) = ctx.outputs, ctx.sources
        of_first, of_second = side_by_side(
            lambda: _gradients(first, first_sources, first_gradient),
            lambda: _gradients(second, second_sources, second_gradient),
        )
        return (None, None, of_first[0], of_second[0], *of_first[1:], *of_second[1:])


def _gradients(
    output: torch.Tensor, sources: Sequence[torch.Tensor], gradient: torch.Tensor
) -> List[Optional[torch.Tensor]]:
    """Of all sources, `None` for those that ask for none."""
    if not output.requires_grad:
        return [None] * len(sources)
    asking = [source for source in sources if source.requires_grad]
    # The outer graph, which is walked again if its owner says so, holds this one and lets it go.
    found = iter(torch.autograd.grad(output, asking, gradient, retain_graph=True))
    return [next(found) if source.requires_grad else None for source in sources]


@lru_cache(maxsize=1)
def _num_cores() -> int:
    """That this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _do_without_threads() -> None:
    """
    Of the parent's OpenMP threads a forked process has none, but still counts on them: the first operation
    that is to be shared out among them would wait for ever.
    """
    torch.set_num_threads(1)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_do_without_threads)


@lru_cache(maxsize=1)
def _thread(process: int) -> ThreadPoolExecutor:
    """A thread of this process: a forked one has none of its parent's."""
    return ThreadPoolExecutor(max_workers=1, initializer=torch.set_num_threads, initargs=(1,))
