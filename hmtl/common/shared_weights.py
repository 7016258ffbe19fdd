"""
Weights for other people: files of safetensors, in which nothing can run. `model.safetensors` holds the
tensors that all weights of a run have in common; for weights that differ from the others there is one more
file with what differs. Which file stands for which of the run's is in the first one's metadata.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save

from hmtl.common.files import sha256_of, writing
from hmtl.errors import DataError

SHARED_WEIGHTS = "model.safetensors"
SUFFIX = ".safetensors"
# Entries of the metadata: of the first file, by name what stands for each file of the run; of the others,
# the SHA-256 of the first one.
FILES, SHARED = "hmtl_files", "hmtl_shared_sha256"


def own_weights_name(name: str) -> str:
    """Return what the file is called with what is in one file of weights only."""
    return f"model-{Path(name).stem}{SUFFIX}"


def write_shared_weights(
    directory: Path, weights: Mapping[str, Mapping[str, torch.Tensor]], names: Mapping[str, str]
) -> None:
    """
    # Parameters

    directory : `Path`
        In which there are none yet.
    weights : `Mapping[str, Mapping[str, torch.Tensor]]`
        By the name of a file of the run, its tensors, which have the same names in all.
    names : `Mapping[str, str]`
        By name of a file of the run, under which name its content is in `weights`.

    # Raises

    DataError
        When they cannot be written.
    """
    first, *others = weights.values()
    shared = {
        name: tensor
        for name, tensor in first.items()
        if all(name in other and _are_same(tensor, other[name]) for other in others)
    }
    stand_ins = {
        name: SHARED_WEIGHTS if not others else own_weights_name(content)
        for name, content in names.items()
    }
    _write(directory / SHARED_WEIGHTS, shared, {FILES: json.dumps(stand_ins)})
    digest = sha256_of(directory / SHARED_WEIGHTS)
    for content, tensors in weights.items() if others else ():
        own = {name: tensor for name, tensor in tensors.items() if name not in shared}
        _write(directory / own_weights_name(content), own, {SHARED: digest})


def _are_same(one: torch.Tensor, other: torch.Tensor) -> bool:
    """To the last bit: zero and minus zero differ, and what is no number is the same as itself."""
    return (one.dtype, one.shape) == (other.dtype, other.shape) and torch.equal(
        _bits(one), _bits(other)
    )


def _bits(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.detach().contiguous().reshape(-1).view(torch.uint8)


def _write(path: Path, tensors: Mapping[str, torch.Tensor], metadata: Mapping[str, str]) -> None:
    # Parts of one storage are to be tensors of their own.
    own = {
        name: tensor.detach().clone(memory_format=torch.contiguous_format)
        for name, tensor in tensors.items()
    }
    with writing(path) as file:
        # Of several entries the order would be by chance, and the same weights another file each time.
        assert len(metadata) == 1
        file.write(save(own, dict(metadata)))


def stand_ins(directory: Path) -> dict[str, str]:
    """
    Return by the name of a file of the run which file in the directory stands for it; nothing where there
    are no shared weights.

    # Raises

    DataError
        When the file that says so is damaged, or names one elsewhere.
    """
    path = directory / SHARED_WEIGHTS
    if not path.is_file():
        return {}
    try:
        found = json.loads(_metadata(path).get(FILES, "{}"))
    except (ValueError, RecursionError) as error:
        raise DataError(f"cannot be read: {error}", path) from error
    names = found.values() if isinstance(found, dict) else [found]
    for name in names:
        if name != SHARED_WEIGHTS and not _is_own_weights(name):
            raise DataError(
                f"names the file {name!r}: only files of weights beside it may stand there. Whoever wrote "
                "this may mean to harm other files.",
                path,
            )
    return dict(found)


def _is_own_weights(name: Any) -> bool:
    return isinstance(name, str) and Path(name).name == name and name.endswith(SUFFIX)


def load_shared_weights(path: Path) -> dict[str, torch.Tensor]:
    """
    Read the weights that a file of `write_shared_weights` stands for, to the CPU: with what they share.

    # Raises

    DataError
        When a file is missing or damaged, or the two were not written together.
    """
    metadata = _metadata(path)
    tensors = _tensors(path)
    if SHARED in metadata:
        shared = path.with_name(SHARED_WEIGHTS)
        if not shared.is_file() or sha256_of(shared) != metadata[SHARED]:
            raise DataError(
                "is missing, or not the one that was written with "
                f"{path.name}: put back the files that were exported together.",
                shared,
            )
        tensors = {**_tensors(shared), **tensors}
    return tensors


def _metadata(path: Path) -> dict[str, str]:
    try:
        with safe_open(path, framework="pt") as file:
            return dict(file.metadata() or {})
    except (SafetensorError, OSError) as error:
        raise _unreadable(path, error) from error


def _tensors(path: Path) -> dict[str, torch.Tensor]:
    try:
        return dict(load_file(path))
    except (SafetensorError, OSError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> DataError:
    return DataError(
        f"cannot be read as weights: {error}. It is truncated, or no file of safetensors: take another copy.",
        path,
    )
