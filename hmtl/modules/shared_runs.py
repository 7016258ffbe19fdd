"""A batch, and what frozen weights make of it, once for all models that a run's tasks are answered by."""

from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Callable, Dict, Hashable, Iterable, Iterator, Optional, TypeVar

import torch

T = TypeVar("T")

_runs: ContextVar[Optional[Dict[Hashable, Any]]] = ContextVar("runs", default=None)


@contextmanager
def runs_shared() -> Iterator[None]:
    """Keep in memory what `shared` is asked for, up to the end; no weight may be changed until then."""
    token = _runs.set({})
    try:
        yield
    finally:
        _runs.reset(token)


def shared(weights: Iterable[torch.Tensor], key: Hashable, compute: Callable[[], T]) -> T:
    """
    # Parameters

    weights : `Iterable[torch.Tensor]`
        All that decide about the result. The very tensors count, not what is in them.
    key : `Hashable`
        Equal for equal inputs.
    compute : `Callable[[], T]`
        Not called again while runs are shared. Nobody may change what it returns.
    """
    runs = _runs.get()
    if runs is None:
        return compute()
    whole = (tuple(map(id, weights)), key)
    if whole not in runs:
        runs[whole] = compute()
    return runs[whole]
