"""Keeping a run's state on disk, so that it can go on from there."""

import logging
from pathlib import Path
from typing import Any, Collection, Dict, List, Mapping, Optional, Tuple

from allennlp.common.checks import ConfigurationError

from hmtl.common.files import (
    making_directory,
    refusals,
    remove_directory,
    remove_partial,
    same_file,
)
from hmtl.common.shared_weights import stand_ins
from hmtl.common.tensors import check_are_numbers, load_tensors, not_finite
from hmtl.errors import DataError
from hmtl.training.checkpoint import (
    MODEL_STATE,
    TRAINING_STATE,
    Checkpoint,
    FileRecord,
    Moment,
    check_file,
    checkpoints_in,
    path_in,
    save_tensors,
    write_manifest,
)

logger = logging.getLogger(__name__)

CHECKPOINTS_DIR = "checkpoints"
DAMAGED = ".damaged"
BEST = "best_"


def best_weights_name(task_name: str) -> str:
    """The file that holds the weights of a task's best epoch."""
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
        moment: Moment,
        model_state: Dict[str, Any],
        training_state: Dict[str, Any],
        best_now: Collection[str] = (),
    ) -> None:
        """
        Writes the state of the run as it is, unless that is the last thing that was written.

        # Parameters

        moment : `Moment`
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
        if self._last is not None and self._last.moment == moment:
            return
        checkpoint = Checkpoint(path_in(self._directory, moment), moment)
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
            write_manifest(directory, checkpoint.moment, files, self.vocabulary)
        return files

    def _keep_best_weights(self, directory: Path) -> Dict[str, FileRecord]:
        """Gives the best weights of the last checkpoint a place in the one that is being made."""
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
        """All that are there, the last one first; they may be damaged."""
        return checkpoints_in(self._directory)

    def load(self, constants: Collection[str] = ()) -> Optional[Dict[str, Any]]:
        """
        What to go on from: the last checkpoint that is whole and whose numbers are finite, on the CPU. The
        weights are its entry `model`. The files in the serialization directory become those of this
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
                    "%s Going on from the checkpoint before: %s",
                    " ".join(problems),
                    checkpoint.path,
                )
            _set_aside(checkpoints[:number])
            self._go_on_from(checkpoint)
            return state
        if problems or (self.serialization_dir / TRAINING_STATE).exists():
            problems = problems or [f"{CHECKPOINTS_DIR}/ is gone."]
            raise DataError(
                f"there is no whole checkpoint to go on from. {' '.join(problems)} Put back a copy of that "
                "directory, or start the run anew with --force.",
                self._directory,
            )
        return None

    def _go_on_from(self, checkpoint: Checkpoint) -> None:
        files = checkpoint.files
        for best in self.serialization_dir.glob(best_weights_name("*")):
            if best.name not in files:
                best.unlink()
        self._take_as_last(checkpoint, files)

    def load_best(self, task_name: str) -> Dict[str, Any]:
        """
        The weights of a task's best epoch, on the CPU.

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
        Where a file of the run is as the run wrote it: in the directory or, with a warning, in a checkpoint.
        Without checkpoints it is taken to be so in the directory; in an exported run it is the file that
        stands for it.

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
        """Where checkpoints hold a file of this name, and what it should be; the last one first."""
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
    The checkpointer of a process beside the one that writes: whatever it is asked to do, that one has done
    before.

    # Parameters

    serialization_dir : `Path`
        That of the process that writes.
    keep_last : `int`, optional (default = `2`)
    """

    def save(
        self,
        moment: Moment,
        model_state: Dict[str, Any],
        training_state: Dict[str, Any],
        best_now: Collection[str] = (),
    ) -> None:
        """Does nothing."""

    def load(self, constants: Collection[str] = ()) -> Optional[Dict[str, Any]]:
        """The last checkpoint, or `None`; damaged ones are out of the way already."""
        checkpoints = self.checkpoints()
        return checkpoints[0].load() if checkpoints else None


def _check_is_finite(
    state: Dict[str, Any], constants: Collection[str], checkpoint: Checkpoint
) -> None:
    """Earlier versions wrote checkpoints of weights gone wrong."""
    optimizers = {name: each["optimizer"] for name, each in state.get("tasks", {}).items()}
    name = not_finite(state["model"], constants) or not_finite(optimizers)
    if name is not None:
        raise DataError(f"holds NaN or infinity in {name}.", checkpoint.path)


def _set_aside(checkpoints: List[Checkpoint]) -> None:
    """Keeps damaged checkpoints where they are in nobody's way."""
    for checkpoint in checkpoints:
        aside = checkpoint.path.with_name(checkpoint.path.name + DAMAGED)
        remove_directory(aside)
        checkpoint.path.rename(aside)


def _whole_one(paths: List[Path], records: List[FileRecord]) -> Path:
    """The first of some copies of a file that is what was written; a warning names the others."""
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
