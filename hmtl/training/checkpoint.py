"""A checkpoint on disk: a directory of files, and a manifest that says what they should be."""

import json
import re
from dataclasses import dataclass
from functools import total_ordering
from pathlib import Path
from typing import Any, Collection, Dict, List, NamedTuple

import torch

from hmtl.config_safety import check_plain_names
from hmtl.errors import DataError
from hmtl.files import sha256_of, write_json, writing

MODEL_STATE = "model_state.th"
TRAINING_STATE = "training_state.th"
MANIFEST = "manifest.json"

NAME = re.compile(r"epoch_(\d+)_step_(\d+)")


class Moment(NamedTuple):
    """When a checkpoint was taken: epochs that were over, with their validation, and steps made."""

    epoch: int
    step: int


class FileRecord(NamedTuple):
    """What a manifest says of a file: its SHA-256 in hexadecimal, and its size in bytes."""

    sha256: str
    bytes: int


@total_ordering
@dataclass
class Checkpoint:
    """
    A directory of files, named after its moment, with a manifest of their sizes and digests. Of two
    checkpoints, the later one is the larger.
    """

    path: Path
    moment: Moment

    def __lt__(self, other: "Checkpoint") -> bool:
        return self.moment < other.moment

    @property
    def files(self) -> Dict[str, FileRecord]:
        """
        What should be there, by name.

        # Raises

        DataError
            When the manifest is missing or damaged, or names a file elsewhere.
        """
        path = self.path / MANIFEST
        try:
            records = json.loads(path.read_text(encoding="utf-8"))["files"]
            files = {name: FileRecord(**record) for name, record in records.items()}
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise DataError(f"cannot be read as a manifest: {error}.", path) from error
        check_plain_names(files, "the file", path)
        return files

    def load(self) -> Dict[str, Any]:
        """
        The training state, with the model's as its entry `model`, on the CPU.

        # Raises

        DataError
            When any file is missing, truncated, or otherwise not the one that was written.
        """
        for name, record in self.files.items():
            check_file(self.path / name, [record])
        state = load_tensors(self.path / TRAINING_STATE)
        return {**state, "model": load_tensors(self.path / MODEL_STATE)}


def checkpoints_in(directory: Path) -> List[Checkpoint]:
    """All that are there, the last one first; they may be damaged."""
    named = [(path, NAME.fullmatch(path.name)) for path in directory.glob("*")]
    found = [Checkpoint(path, Moment(*map(int, match.groups()))) for path, match in named if match]
    return sorted(found, reverse=True)


def path_in(directory: Path, moment: Moment) -> Path:
    """Where the checkpoint of a moment stands."""
    return directory / f"epoch_{moment.epoch}_step_{moment.step}"


def write_manifest(directory: Path, moment: Moment, files: Dict[str, FileRecord]) -> None:
    """Writes down what the files in a directory are, by name."""
    records = {name: record._asdict() for name, record in files.items()}
    write_json(directory / MANIFEST, {**moment._asdict(), "files": records})


def check_file(path: Path, records: Collection[FileRecord]) -> None:
    """
    # Raises

    DataError
        When a file is none of those that were recorded.
    """
    try:
        size = path.stat().st_size
        if size not in {record.bytes for record in records}:
            raise DataError(f"is truncated or altered: it has {size} bytes.", path)
        if sha256_of(path) not in {record.sha256 for record in records}:
            raise DataError("is altered: its SHA-256 is not the one in the manifest.", path)
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}.", path) from error


def check_are_numbers(weights: Dict[str, Any], path: Path) -> None:
    """
    # Raises

    DataError
        When a tensor of a model's state holds NaN.
    """
    for name, tensor in weights.items():
        if bool(torch.isnan(tensor).any()):
            raise DataError(
                f"holds NaN in {name}: a model with these weights predicts nothing. Take another epoch's.",
                path,
            )


def save_tensors(path: Path, state: Dict[str, Any]) -> FileRecord:
    """
    Writes a dictionary of tensors and plain values to a file that nobody reads yet.

    # Raises

    DataError
        When it cannot be written.
    """
    with writing(path) as file:
        torch.save(state, file)
    return FileRecord(file.sha256, file.size)


def load_tensors(path: Path) -> Dict[str, Any]:
    """
    Reads a dictionary of tensors and plain values, to the CPU, and never code.

    # Raises

    DataError
        When the file is missing, damaged, or holds anything else.
    """
    if not path.exists():
        raise DataError("there is no such file; has the run reached its first checkpoint?", path)
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises half a dozen unrelated types for a damaged file
        reason = str(error).splitlines()[0]
        raise DataError(
            f"cannot be read as a file of tensors: {reason} It is truncated, or was not written by this "
            "program. Take another checkpoint.",
            path,
        ) from error
