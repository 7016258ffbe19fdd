"""Keeping a run's state on disk, so that it can go on from there."""

from pathlib import Path
from typing import Any, Dict

import torch

from hmtl.errors import DataError
from hmtl.files import replacing

MODEL_STATE = "model_state.th"
TRAINING_STATE = "training_state.th"


def best_weights_name(task_name: str) -> str:
    """The file that holds the weights of a task's best epoch."""
    return f"best_{task_name}.th"


class Checkpointer:
    """
    Writes and reads the state of a run in its serialization directory.

    # Parameters

    serialization_dir : `Path`
    """

    def __init__(self, serialization_dir: Path) -> None:
        self.serialization_dir = serialization_dir

    def save(self, model_state: Dict[str, Any], training_state: Dict[str, Any]) -> None:
        """
        Writes the last state of the run.

        The weights stand in both files: what recovery reads is one file, replaced in one piece, so that
        no interruption can leave weights and optimizers of different moments.
        """
        with replacing(self.serialization_dir / MODEL_STATE) as file:
            torch.save(model_state, file)
        with replacing(self.serialization_dir / TRAINING_STATE) as file:
            torch.save({**training_state, "model": model_state}, file)

    def save_best(self, task_name: str, model_state: Dict[str, Any]) -> None:
        """Writes the weights of a task's best epoch so far."""
        with replacing(self.serialization_dir / best_weights_name(task_name)) as file:
            torch.save(model_state, file)

    def exists(self) -> bool:
        """Whether the run has reached its first checkpoint."""
        return (self.serialization_dir / TRAINING_STATE).exists()

    def load(self) -> Dict[str, Any]:
        """
        What was last saved, on the CPU; the model's state is its entry `model`.

        # Raises

        DataError
            When the file is missing or damaged.
        """
        return load_tensors(self.serialization_dir / TRAINING_STATE)

    def load_best(self, task_name: str) -> Dict[str, Any]:
        """The weights of a task's best epoch, on the CPU."""
        return load_tensors(self.serialization_dir / best_weights_name(task_name))


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
