"""
A pretended accelerator: tensors that say they are on one while their numbers lie in the CPU's memory. It
counts the kernels that a GPU would be given, and where it would be waited for, on a machine without one. It
knows nothing of a GPU's speed, memory or rounding.
"""

import sys
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch.utils import _foreach_utils
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map
from torch.utils.backend_registration import (
    _DummyBackendModule,
    _setup_privateuseone_for_python_backend,
)

import hmtl

NAME = "pretended"
PACKAGE = Path(hmtl.__file__).parent
# Operations that read numbers back, or whose result has a size that only the numbers tell.
WAITING = {
    "aten::_local_scalar_dense",
    "aten::item",
    "aten::is_nonzero",
    "aten::equal",
    "aten::nonzero",
    "aten::masked_select",
    "aten::repeat_interleave",
    "aten::unique_dim",
    "aten::_unique2",
    "aten::unique_consecutive",
}
# Operations that only make room.
WITHOUT_KERNEL = {
    "aten::_unsafe_view",
    "aten::set_",
    "aten::resize_",
    "aten::lift_fresh",
    "aten::is_same_size",
}
INDEXING = {"aten::index", "aten::index_put", "aten::index_put_", "aten::_index_put_impl_"}
# About how many kernels these are on CUDA; all others are counted as one.
KERNELS = {
    "aten::convolution_backward": 3,
    "aten::sort": 3,
    "aten::topk": 3,
    "aten::embedding_dense_backward": 2,
    "aten::index_put": 6,
    "aten::index_put_": 6,
    "aten::_index_put_impl_": 6,
}
# Of so many indices or more, the gradient of an embedding is sorted first.
SORTED_EMBEDDING, SORTED_EMBEDDING_KERNELS = 3073, 8
# How many tensors an operation on a list of them takes at once.
TENSORS_AT_ONCE = 60


class Counts:
    """
    What was counted since the start. `kernels` and `waits` are by operation and the line that asked for it,
    `inside` are the steps that cuDNN takes inside its calls, one after the other.
    """

    def __init__(self) -> None:
        self.kernels: Counter = Counter()
        self.waits: Counter = Counter()
        self.inside = 0


counts: Counts | None = None


class Pretended(torch.Tensor):
    """A tensor on the pretended device; `numbers` holds what is in it."""

    numbers: torch.Tensor
    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    @staticmethod
    def __new__(cls, numbers: torch.Tensor) -> "Pretended":
        made = torch.Tensor._make_wrapper_subclass(
            cls,
            numbers.size(),
            strides=numbers.stride(),
            storage_offset=numbers.storage_offset(),
            dtype=numbers.dtype,
            device=torch.device(NAME, 0),
        )
        made.numbers = numbers
        return made

    def __repr__(self, **_: Any) -> str:  # type: ignore[override]
        return f"Pretended({tuple(self.shape)}, {self.dtype})"

    def tolist(self) -> Any:
        _wait("tolist")
        return self.numbers.detach().tolist()

    @classmethod
    def __torch_dispatch__(  # type: ignore[override]
        cls, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        return _dispatch(func, args, kwargs or {})


class PretendedDevice(TorchDispatchMode):
    """In force as long as it is entered; one a process."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _dispatch(func, args, kwargs or {})


def counted(start: bool) -> Counts:
    """Start or end counting; return what was counted."""
    global counts
    before = counts
    counts = Counts() if start else None
    return before or Counts()


def _place() -> str:
    """The line of the package that asked."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(PACKAGE) and path.name != "compat.py":
            return f"{path.relative_to(PACKAGE.parent)}:{frame.f_lineno}"
        frame = frame.f_back
    return "outside"


def _wait(what: str) -> None:
    if counts is not None:
        counts.waits[f"{what} at {_place()}"] += 1


def _count(operation: str, kernels: int) -> None:
    if counts is not None:
        counts.kernels[f"{operation.removeprefix('aten::')} at {_place()}"] += kernels


def _is_view(func: Any) -> bool:
    return any(
        each.alias_info is not None and not each.alias_info.is_write
        for each in func._schema.arguments
    )


def _dispatch(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    name = func._schema.name
    tensors = [each for each in tree_flatten((args, kwargs))[0] if isinstance(each, torch.Tensor)]
    on_device = [each for each in tensors if isinstance(each, Pretended)]
    target = None if kwargs.get("device") is None else torch.device(kwargs["device"])
    gives_device = bool(on_device) if target is None else target.type == NAME
    if not (on_device or gives_device):
        return func(*args, **kwargs)
    _check_devices(name, args, tensors)
    _note(name, func, args, gives_device)
    if target is not None:
        kwargs = {**kwargs, "device": torch.device("cpu"), "pin_memory": False}
        kwargs.pop("non_blocking", None)
    plain_args, plain_kwargs = tree_map(_numbers, (args, kwargs))
    out = func(*plain_args, **plain_kwargs)
    if not gives_device:
        return out
    # What was changed in place stays the tensor that it was.
    known = {id(each.numbers): each for each in on_device}

    def wrapped(each: Any) -> Any:
        if not isinstance(each, torch.Tensor):
            return each
        return known[id(each)] if id(each) in known else Pretended(each)

    if name == "aten::_pack_padded_sequence":
        return wrapped(out[0]), out[1]
    return tree_map(wrapped, out)


def _check_devices(name: str, args: Any, tensors: list[torch.Tensor]) -> None:
    """Raise where a GPU refuses tensors of the CPU beside its own; it takes single numbers and indices."""
    others = [each for each in tensors if not isinstance(each, Pretended) and each.dim() > 0]
    # The lengths of what is packed are on the CPU in any case.
    if not others or len(others) == len(tensors) or name == "aten::copy_" or "_pack" in name:
        return
    if name in INDEXING and isinstance(args[0], Pretended):
        _wait("indices from the CPU")
        return
    shapes = [(type(each).__name__, tuple(each.shape)) for each in tensors]
    raise RuntimeError(f"{name} mixes devices: {shapes}")


def _note(name: str, func: Any, args: Any, gives_device: bool) -> None:
    """Count what an operation costs."""
    is_copy_back = name == "aten::_to_copy" and not gives_device
    goes_on = len(args) > 2 and args[2] is True
    if is_copy_back or (
        name == "aten::copy_" and not isinstance(args[0], Pretended) and not goes_on
    ):
        _wait("copy to the CPU")
    elif name in WAITING:
        _wait(name)
    elif name in INDEXING and any(
        isinstance(each, Pretended) and each.dtype is torch.bool for each in args[1]
    ):
        _wait(f"{name} with a mask")
    if name in WITHOUT_KERNEL or "empty" in name or _is_view(func):
        return
    if name == "aten::embedding_dense_backward" and args[1].numel() >= SORTED_EMBEDDING:
        _count(name, SORTED_EMBEDDING_KERNELS)
    elif name.startswith(("aten::_foreach", "aten::_fused")):
        _count(name, len(args[0]) // TENSORS_AT_ONCE + 1)
    else:
        _count(name, KERNELS.get(name, 1))


def _numbers(value: Any) -> Any:
    return value.numbers if isinstance(value, Pretended) else value


class _CudnnLstm(torch.autograd.Function):
    """One call of cuDNN: a kernel for the caller, whatever happens inside."""

    @staticmethod
    def forward(
        ctx: Any, call: Any, steps: int, num_gates: int, *tensors: torch.Tensor
    ) -> tuple[torch.Tensor, ...]:
        ctx.set_materialize_grads(False)
        _count("cudnn lstm", 1)
        inputs = [
            _numbers(each).detach().requires_grad_(each.is_floating_point()) for each in tensors
        ]
        with torch.enable_grad():
            out = call(*inputs)
        ctx.inputs, ctx.out, ctx.steps = inputs, out, steps
        if counts is not None:
            counts.inside += steps
        return tuple(Pretended(each.detach()) for each in out)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[Any, ...]:
        # Of the input, and of the weights.
        _count("cudnn lstm backward", 2)
        if counts is not None:
            counts.inside += ctx.steps
        found = torch.autograd.grad(
            ctx.out[:1], ctx.inputs, [_numbers(gradients[0])], allow_unused=True
        )
        return (None, None, None, *[None if each is None else Pretended(each) for each in found])


def _lstm(data: torch.Tensor, *rest: Any) -> tuple[torch.Tensor, ...]:
    """Stands in for `torch._VF.lstm`."""
    if not isinstance(data, Pretended):
        return _plain_lstm(data, *rest)
    packed = isinstance(rest[0], torch.Tensor)
    batch_sizes = [rest[0]] if packed else []
    state, weights, *options = rest[1:] if packed else rest
    steps = len(batch_sizes[0]) if packed else data.size(0)

    def call(x: torch.Tensor, h: torch.Tensor, c: torch.Tensor, *w: torch.Tensor) -> Any:
        return _plain_lstm(x, *batch_sizes, (h, c), list(w), *options)

    return _CudnnLstm.apply(call, steps, len(weights), data, *state, *weights)


_plain_lstm: Any = torch._VF.lstm


class _Event:
    """A place in the device's queue. To wait for it costs nothing where the device has other work by then."""

    def record(self) -> None:
        self._kernels = counts.kernels.total() if counts is not None else 0

    def synchronize(self) -> None:
        if counts is not None and counts.kernels.total() == self._kernels:
            _wait("event")


class _Module(_DummyBackendModule):
    """What torch asks of a device's module."""

    Event = _Event

    def get_rng_state(self, *_: Any) -> torch.Tensor:
        return torch.get_rng_state()

    def is_initialized(self) -> bool:
        return True

    def is_available(self) -> bool:
        return True

    def device_count(self) -> int:
        return 1

    def current_device(self) -> int:
        return 0

    def _is_in_bad_fork(self) -> bool:
        return False

    def manual_seed_all(self, seed: int) -> None:
        pass

    def get_amp_supported_dtype(self) -> list[torch.dtype]:
        return [torch.float16, torch.bfloat16]


def install() -> PretendedDevice:
    """Make the device known to torch, for the rest of the process, and return it to be entered."""
    _setup_privateuseone_for_python_backend(NAME, _Module())
    # What is done to lists of tensors is done in one call.
    _foreach_utils._foreach_supported_types.append(Pretended)  # type: ignore[arg-type]
    torch.__future__.set_overwrite_module_params_on_conversion(True)
    torch._C._set_only_lift_cpu_tensors(True)
    torch._VF.lstm = _lstm  # type: ignore[assignment]
    return PretendedDevice()
