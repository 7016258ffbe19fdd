"""Files of tensors, and what is in them."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import torch

from hmtl.common.shared_weights import SUFFIX, load_shared_weights
from hmtl.errors import DataError


def load_tensors(path: Path) -> Dict[str, Any]:
    """
    Reads a dictionary of tensors and plain values, to the CPU, and never code.

    # Raises

    DataError
        When the file is missing, damaged, or holds anything else.
    """
    if not path.exists():
        raise DataError("there is no such file; has the run reached its first checkpoint?", path)
    if path.suffix == SUFFIX:
        return load_shared_weights(path)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises half a dozen unrelated types for a damaged file
        reason = str(error).splitlines()[0]
        raise DataError(
            f"cannot be read as a file of tensors: {reason} It is truncated, or was not written by this "
            "program. Take another checkpoint.",
            path,
        ) from error
    if not isinstance(content, dict):
        raise DataError(f"holds a {type(content).__name__}, and not tensors by their names.", path)
    return content


def not_finite(state: Any, constants: Collection[str] = ()) -> Optional[str]:
    """
    The name of a tensor that holds NaN or infinity, if there is one.

    # Parameters

    state : `Any`
        Tensors, on any device, in nested dictionaries and lists.
    constants : `Collection[str]`, optional
        Names (with dots between the keys) of tensors that may hold infinity, as masks do, but not NaN.
    """
    by_device: Dict[torch.device, List[Tuple[str, torch.Tensor]]] = {}
    for name, tensor in _tensors_in(state, ""):
        if tensor.is_floating_point():
            by_device.setdefault(tensor.device, []).append((name, tensor.detach()))
    for found in by_device.values():
        # A sum is the cheapest look at all numbers, and one for all tensors waits for the device once. It may
        # overflow, so what it says of a tensor is looked at again.
        sums = torch.stack([tensor.sum().double() for _, tensor in found]).isfinite().tolist()
        for (name, tensor), is_finite in zip(found, sums):
            if not is_finite:
                good = ~tensor.isnan() if name in constants else tensor.isfinite()
                if not bool(good.all()):
                    return name
    return None


def _tensors_in(state: Any, name: str) -> Iterator[Tuple[str, torch.Tensor]]:
    if isinstance(state, torch.Tensor):
        yield name, state
    elif isinstance(state, (dict, list, tuple)):
        for key, value in state.items() if isinstance(state, dict) else enumerate(state):
            yield from _tensors_in(value, f"{name}.{key}" if name else str(key))


# Of another model's weights, one misfit tells as much as a hundred.
MISFITS_SHOWN = 3


def give_weights(model: torch.nn.Module, weights: Dict[str, Any], path: Path) -> None:
    """
    Give a model the weights that come from a file of a run, or from a directory of files.

    # Raises

    DataError
        When they are another model's.
    """
    try:
        model.load_state_dict(weights)
    except (RuntimeError, TypeError, AttributeError) as error:
        first, *misfits = [line.strip() for line in str(error).splitlines()]
        more = len(misfits) - MISFITS_SHOWN
        shown = [*misfits[:MISFITS_SHOWN], *([f"and {more} more"] if more > 0 else [])] or [first]
        raise DataError(
            "these weights do not fit the model that config.json and vocabulary/ in the run's directory "
            f"describe: {' '.join(shown)}",
            path,
        ) from error


def check_are_numbers(weights: Dict[str, Any], path: Path) -> None:
    """
    # Raises

    DataError
        When something in a model's state is no tensor, or holds NaN.
    """
    for name, tensor in weights.items():
        if not isinstance(tensor, torch.Tensor):
            raise DataError(
                f"holds other things than weights, as {str(name)!r}; give best_<task>.th", path
            )
        if bool(torch.isnan(tensor).any()):
            raise DataError(
                f"holds NaN in {name}: a model with these weights predicts nothing. Take another epoch's.",
                path,
            )
