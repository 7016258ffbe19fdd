"""The state of a run on disk, and when to write it."""

import json
import logging
import re
import time
from dataclasses import dataclass
from functools import total_ordering
from pathlib import Path
from typing import Any, Callable, Collection, Dict, List, Mapping, NamedTuple, Optional, Tuple

import torch
from allennlp.common.checks import ConfigurationError

from hmtl.common.files import (
    making_directory,
    refusals,
    remove_directory,
    remove_partial,
    same_file,
    sha256_of,
    write_json,
    writing,
)
from hmtl.common.shared_weights import stand_ins
from hmtl.common.tensors import check_are_numbers, load_tensors, not_finite
from hmtl.config.safety import check_plain_names
from hmtl.errors import DataError

MODEL_STATE = "model_state.th"
TRAINING_STATE = "training_state.th"
MANIFEST = "manifest.json"

NAME = re.compile(r"epoch_(\d+)_step_(\d+)")


class TrainingPosition(NamedTuple):
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
    A directory of files, named after its position, with a manifest of their sizes and digests. Of two
    checkpoints, the later one is the larger.
    """

    path: Path
    position: TrainingPosition

    def __lt__(self, other: "Checkpoint") -> bool:
        return self.position < other.position

    @property
    def files(self) -> Dict[str, FileRecord]:
        """
        Return what should be there, by name.

        # Raises

        DataError
            When the manifest is missing or damaged, or names a file elsewhere.
        """
        return self._records("files")

    @property
    def vocabulary(self) -> Dict[str, FileRecord]:
        """
        Return what the files of the run's vocabulary should be, by name; nothing in manifests of older
        versions.

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
        Return the training state, with the model's as its entry `model`, on the CPU.

        # Raises

        DataError
            When any file is missing, truncated, or otherwise not the one that was written.
        """
        for name, record in self.files.items():
            check_file(self.path / name, [record])
        state = load_tensors(self.path / TRAINING_STATE)
        return {**state, "model": load_tensors(self.path / MODEL_STATE)}


def checkpoints_in(directory: Path) -> List[Checkpoint]:
    """Return all that are there, the last one first; they may be damaged."""
    named = [(path, NAME.fullmatch(path.name)) for path in directory.glob("*")]
    found = [
        Checkpoint(path, TrainingPosition(*map(int, match.groups())))
        for path, match in named
        if match
    ]
    return sorted(found, reverse=True)


def path_in(directory: Path, position: TrainingPosition) -> Path:
    """Return where the checkpoint of a position stands."""
    return directory / f"epoch_{position.epoch}_step_{position.step}"


def write_manifest(
    directory: Path,
    position: TrainingPosition,
    files: Mapping[str, FileRecord],
    vocabulary: Mapping[str, FileRecord],
) -> None:
    """Write down what the files in a directory, and those of the run's vocabulary, are, by name."""
    records = {
        entry: {name: record._asdict() for name, record in of_entry.items()}
        for entry, of_entry in (("files", files), ("vocabulary", vocabulary))
    }
    write_json(directory / MANIFEST, {**position._asdict(), **records})


def record_of(path: Path) -> FileRecord:
    """Return what a file is now."""
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
    Write a dictionary of tensors and plain values to a file that nobody reads yet.

    # Raises

    DataError
        When it cannot be written.
    """
    with writing(path) as file:
        torch.save(state, file)
    return FileRecord(file.sha256, file.size)


logger = logging.getLogger(__name__)

CHECKPOINTS_DIR = "checkpoints"
DAMAGED = ".damaged"
BEST = "best_"


def best_weights_name(task_name: str) -> str:
    """Return the name of the file that holds the weights of a task's best epoch."""
    return f"{BEST}{task_name}.th"


class Checkpointer:
    """
    Writes and reads the state of a run in its serialization directory.

    A checkpoint is a directory in `checkpoints/`, made under another name and renamed once it is whole.
    `model_state.th`, `training_state.th` and `best_<task>.th` in the serialization directory are other
    names for the files of the last one. A checkpoint holds the best weights as well: should it be lost,
    those that belong to the one before are still there.

    # Parameters

    serialization_dir : `Path`
    keep_last : `int`, optional (default = `2`)
        How many checkpoints to keep.
    vocabulary : `Dict[str, FileRecord]`, optional
        The files of the run's vocabulary, by name, for the manifests.
    """

    def __init__(
        self,
        serialization_dir: Path,
        keep_last: int = 2,
        vocabulary: Optional[Mapping[str, FileRecord]] = None,
    ) -> None:
        if keep_last < 1:
            raise ConfigurationError(
                f"multi_task_trainer.keep_last is {keep_last}: keep at least 1 checkpoint, better 2"
            )
        self.serialization_dir = serialization_dir
        self.keep_last = keep_last
        self.vocabulary = vocabulary or {}
        self._directory = serialization_dir / CHECKPOINTS_DIR
        # The last checkpoint of the run as this process knows it, and what it is made of.
        self._last: Optional[Checkpoint] = None
        self._files: Dict[str, FileRecord] = {}

    def save(
        self,
        position: TrainingPosition,
        model_state: Dict[str, Any],
        training_state: Dict[str, Any],
        best_now: Collection[str] = (),
    ) -> None:
        """
        Write the state of the run as it is, unless that is the last thing that was written.

        # Parameters

        position : `TrainingPosition`
        model_state : `Dict[str, Any]`
            The weights.
        training_state : `Dict[str, Any]`
            Everything else.
        best_now : `Collection[str]`, optional
            Tasks whose best weights so far are these.

        # Raises

        DataError
            When it cannot be written; the checkpoints before it are still there.
        """
        is_first = self._last is None
        if self._last is not None and self._last.position == position:
            return
        checkpoint = Checkpoint(path_in(self._directory, position), position)
        try:
            files = self._write(checkpoint, model_state, training_state, best_now)
        except DataError as error:
            last = "" if self._last is None else f" The last one, {self._last.path}, is whole."
            raise DataError(f"a checkpoint {error.message}{last}", checkpoint.path) from error
        if is_first:
            # A state of a type that is not loaded again shows now, not when it is needed.
            checkpoint.load()
        self._take_as_last(checkpoint, files)
        for older in self.checkpoints()[self.keep_last :]:
            remove_directory(older.path)

    def _write(
        self,
        checkpoint: Checkpoint,
        model_state: Dict[str, Any],
        training_state: Dict[str, Any],
        best_now: Collection[str],
    ) -> Dict[str, FileRecord]:
        # Not its parents: without the rest of the run a checkpoint is worth nothing.
        with refusals(self._directory):
            self._directory.mkdir(exist_ok=True)
        with making_directory(checkpoint.path) as directory:
            files = {
                MODEL_STATE: save_tensors(directory / MODEL_STATE, model_state),
                TRAINING_STATE: save_tensors(directory / TRAINING_STATE, training_state),
            }
            files.update(self._keep_best_weights(directory))
            for task_name in best_now:
                same_file(directory / MODEL_STATE, directory / best_weights_name(task_name))
                files[best_weights_name(task_name)] = files[MODEL_STATE]
            write_manifest(directory, checkpoint.position, files, self.vocabulary)
        return files

    def _keep_best_weights(self, directory: Path) -> Dict[str, FileRecord]:
        """Link the best weights of the last checkpoint into the one that is being made."""
        best = {name: record for name, record in self._files.items() if name.startswith(BEST)}
        for name in best:
            assert self._last is not None
            same_file(self._last.path / name, directory / name)
        return best

    def _take_as_last(self, checkpoint: Checkpoint, files: Dict[str, FileRecord]) -> None:
        self._last, self._files = checkpoint, files
        for name in files:
            same_file(checkpoint.path / name, self.serialization_dir / name)

    def checkpoints(self) -> List[Checkpoint]:
        """Return all that are there, the last one first; they may be damaged."""
        return checkpoints_in(self._directory)

    def load(self, constants: Collection[str] = ()) -> Optional[Dict[str, Any]]:
        """
        Return what to resume from: the last checkpoint that is whole and whose numbers are finite, on the
        CPU. The weights are its entry `model`. The files in the serialization directory become those of this
        checkpoint, and damaged ones after it are set aside.

        # Parameters

        constants : `Collection[str]`, optional
            Names of entries of the model that may hold infinity.

        # Returns

        state : `Dict[str, Any]`, optional
            `None` when the run had not reached its first checkpoint.

        # Raises

        DataError
            When there are checkpoints, but none of that kind.
        """
        remove_partial(self._directory)
        checkpoints = self.checkpoints()
        problems: List[str] = []
        for number, checkpoint in enumerate(checkpoints):
            try:
                state = checkpoint.load()
                _check_is_finite(state, constants, checkpoint)
            except DataError as error:
                problems.append(str(error))
                continue
            if problems:
                logger.warning(
                    "%s Resuming from the checkpoint before: %s",
                    " ".join(problems),
                    checkpoint.path,
                )
            _set_aside(checkpoints[:number])
            self._resume_from(checkpoint)
            return state
        if problems or (self.serialization_dir / TRAINING_STATE).exists():
            problems = problems or [f"{CHECKPOINTS_DIR}/ is gone."]
            raise DataError(
                f"there is no whole checkpoint to resume from. {' '.join(problems)} Put back a copy of that "
                "directory, or start the run over with --force.",
                self._directory,
            )
        return None

    def _resume_from(self, checkpoint: Checkpoint) -> None:
        files = checkpoint.files
        for best in self.serialization_dir.glob(best_weights_name("*")):
            if best.name not in files:
                best.unlink()
        self._take_as_last(checkpoint, files)

    def load_best(self, task_name: str) -> Dict[str, Any]:
        """
        Return the weights of a task's best epoch, on the CPU.

        # Raises

        DataError
            When there are none, or they are not those that the run wrote, or no numbers.
        """
        path = self.whole_copy(best_weights_name(task_name))
        weights = load_tensors(path)
        check_are_numbers(weights, path)
        return weights

    def whole_copy(self, name: str) -> Path:
        """
        Return where a file of the run is as the run wrote it: in the directory or, with a warning, in a
        checkpoint. Without checkpoints it is taken to be so in the directory; in an exported run it is the
        file that stands for it.

        # Raises

        DataError
            When no copy is whole.
        """
        path = self.serialization_dir / name
        copies = self._copies(name)
        if not copies:
            return path if path.is_file() else self.serialization_dir / self._stand_in(name)
        return _whole_one([path, *(copy for copy, _ in copies)], [each for _, each in copies])

    def has(self, name: str) -> bool:
        """Whether there is a file of the run, whole or not, or one that stands for it, or a checkpoint."""
        own = self.serialization_dir / name
        return own.is_file() or self._stand_in(name) != name or bool(self.checkpoints())

    def _stand_in(self, name: str) -> str:
        return stand_ins(self.serialization_dir).get(name, name)

    def _copies(self, name: str) -> List[Tuple[Path, FileRecord]]:
        """Return where checkpoints hold a file of this name, and what it should be; the last one first."""
        copies = []
        for checkpoint in self.checkpoints():
            try:
                record = checkpoint.files.get(name)
            except DataError as error:
                logger.warning("%s", error)
                continue
            if record is not None:
                copies.append((checkpoint.path / name, record))
        return copies


class CheckpointReader(Checkpointer):
    """
    The checkpointer of a rank other than 0: whatever it is asked to do, rank 0 has done before.

    # Parameters

    serialization_dir : `Path`
        That of the process that writes.
    keep_last : `int`, optional (default = `2`)
    """

    def save(
        self,
        position: TrainingPosition,
        model_state: Dict[str, Any],
        training_state: Dict[str, Any],
        best_now: Collection[str] = (),
    ) -> None:
        """Do nothing."""

    def load(self, constants: Collection[str] = ()) -> Optional[Dict[str, Any]]:
        """Return the last checkpoint, or `None`; damaged ones are out of the way already."""
        checkpoints = self.checkpoints()
        return checkpoints[0].load() if checkpoints else None


def _check_is_finite(
    state: Dict[str, Any], constants: Collection[str], checkpoint: Checkpoint
) -> None:
    """Refuse weights gone wrong, of which earlier versions wrote checkpoints."""
    name = not_finite(state["model"], constants) or not_finite(state.get("tasks"))
    if name is not None:
        raise DataError(f"holds NaN or infinity in {name}.", checkpoint.path)


def _set_aside(checkpoints: List[Checkpoint]) -> None:
    """Rename damaged checkpoints, so that they are in nobody's way."""
    for checkpoint in checkpoints:
        aside = checkpoint.path.with_name(checkpoint.path.name + DAMAGED)
        remove_directory(aside)
        checkpoint.path.rename(aside)


def _whole_one(paths: List[Path], records: List[FileRecord]) -> Path:
    """Return the first of some copies of a file that is what was written; warn of the others."""
    problems: List[DataError] = []
    for path in paths:
        try:
            check_file(path, records)
        except DataError as error:
            problems.append(error)
            continue
        for problem in problems:
            logger.warning("%s Taking %s.", problem, path)
        return path
    raise problems[0]


SECONDS_PER_MINUTE = 60.0


class CheckpointSchedule:
    """
    A checkpoint is due after a number of steps or of minutes, whichever comes first; with neither, at the
    end of each epoch only.

    # Parameters

    every_n_steps : `int`, optional (default = `None`)
        When the number of steps made in the whole run is a multiple of this.
    every_minutes : `float`, optional (default = `None`)
        When so much time went by since the last checkpoint.
    clock : `Callable[[], float]`, optional
        Tells the time in seconds.

    # Raises

    ConfigurationError
        When either is not positive.
    """

    def __init__(
        self,
        every_n_steps: Optional[int] = None,
        every_minutes: Optional[float] = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        for name, value in (("n_steps", every_n_steps), ("minutes", every_minutes)):
            if value is not None and value <= 0:
                raise ConfigurationError(
                    f"multi_task_trainer.checkpoint_every_{name} is {value}: write a positive number, or "
                    "leave the key out to checkpoint at the end of each epoch only"
                )
        self.every_n_steps = every_n_steps
        self.every_minutes = every_minutes
        self._clock = clock
        self._last = clock()

    def is_due(self, step: int) -> bool:
        """Return whether to checkpoint after this step, counted from 1 in the whole run."""
        if self.every_n_steps is not None and step % self.every_n_steps == 0:
            return True
        if self.every_minutes is None:
            return False
        return self._clock() - self._last >= self.every_minutes * SECONDS_PER_MINUTE

    def note_checkpoint(self) -> None:
        """Start to wait for the next one."""
        self._last = self._clock()
