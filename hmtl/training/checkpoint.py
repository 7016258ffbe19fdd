"""A checkpoint on disk: a directory of files, and a manifest that says what they should be."""

import json
import re
from dataclasses import dataclass
from functools import total_ordering
from pathlib import Path
from typing import Any, Collection, Dict, List, Mapping, NamedTuple, Optional

import torch

from hmtl.common.files import sha256_of, write_json, writing
from hmtl.common.tensors import load_tensors
from hmtl.config.safety import check_plain_names
from hmtl.errors import DataError

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
        return self._records("files")

    @property
    def vocabulary(self) -> Dict[str, FileRecord]:
        """
        What the files of the run's vocabulary should be, by name; nothing in manifests of older versions.

        # Raises

        DataError
            When the manifest is missing or damaged.
        """
        return self._records("vocabulary", {})

    def _records(
        self, entry: str, default: Optional[Dict[str, Any]] = None
    ) -> Dict[str, FileRecord]:
        path = self.path / MANIFEST
        try:
            manifest = json.loads(path.read_text(encoding="utf-8"))
            records = manifest[entry] if default is None else manifest.get(entry, default)
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


def write_manifest(
    directory: Path,
    moment: Moment,
    files: Mapping[str, FileRecord],
    vocabulary: Mapping[str, FileRecord],
) -> None:
    """Write down what the files in a directory, and those of the run's vocabulary, are, by name."""
    records = {
        entry: {name: record._asdict() for name, record in of_entry.items()}
        for entry, of_entry in (("files", files), ("vocabulary", vocabulary))
    }
    write_json(directory / MANIFEST, {**moment._asdict(), **records})


def record_of(path: Path) -> FileRecord:
    """What a file is now."""
    return FileRecord(sha256_of(path), path.stat().st_size)


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
