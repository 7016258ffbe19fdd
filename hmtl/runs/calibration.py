"""What the validation data set after training: temperatures of probabilities, and thresholds of answers."""

import hashlib
import json
import logging
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Collection, Dict, Mapping

import torch

from hmtl.common.files import write_json
from hmtl.errors import DataError
from hmtl.metrics.calibration import LEAST_TEMPERATURE, MOST_TEMPERATURE
from hmtl.models.heads.head import Head

logger = logging.getLogger(__name__)

CALIBRATION_FILE = "calibration.json"


@dataclass(frozen=True)
class HeadCalibration:
    """
    # Parameters

    head : `str`
        The fingerprint of the head that it was set for: a run that has gone on has another one.
    temperature : `float`, optional (default = `1.0`)
        By what the log-odds of its probabilities are divided.
    thresholds : `Dict[str, float]`, optional (default = `{}`)
        By label, the least probability of an answer.
    """

    head: str
    temperature: float = 1.0
    thresholds: Dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check it."""
        if not isinstance(self.head, str):
            raise ValueError("head is no fingerprint")
        if not LEAST_TEMPERATURE <= self.temperature <= MOST_TEMPERATURE:
            raise ValueError(
                f"temperature is {self.temperature}; expected a number from {LEAST_TEMPERATURE} to "
                f"{MOST_TEMPERATURE}"
            )
        for label, threshold in self.thresholds.items():
            if not 0.0 < threshold < 1.0:
                raise ValueError(f"the threshold of {label} is {threshold}; expected a probability")


Calibration = Mapping[str, HeadCalibration]


def read_calibration(directory: Path) -> Calibration:
    """
    Return by task what was set for a run; nothing if nothing was.

    # Raises

    DataError
        When the file is not as `write_calibration` writes it.
    """
    path = directory / CALIBRATION_FILE
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {str(task): HeadCalibration(**entry) for task, entry in content.items()}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(
            f"is not as hmtl calibrate writes it: {error}. Remove it, and make it anew.",
            path,
        ) from error


def write_calibration(directory: Path, calibration: Calibration) -> None:
    """Write what `read_calibration` reads; it replaces what is there."""
    content = {task: asdict(each) for task, each in calibration.items()}
    write_json(directory / CALIBRATION_FILE, content)


def calibrate_heads(
    heads: Mapping[str, torch.nn.Module], calibration: Calibration, judged: Collection[str]
) -> None:
    """
    Set temperatures and thresholds where they are of the very heads, and the defaults everywhere else.

    # Parameters

    heads : `Mapping[str, torch.nn.Module]`
        By task.
    calibration : `Calibration`
    judged : `Collection[str]`
        The tasks whose own best weights these should be: one that has gone on since is warned of.
    """
    for task, head in heads.items():
        assert isinstance(head, Head)
        own = calibration.get(task)
        if own is not None and own.head != fingerprint(head):
            if task in judged:
                logger.warning(
                    "%s is of other weights of %s than these: its thresholds and its temperature are left "
                    "out. hmtl calibrate --force makes it anew",
                    *(CALIBRATION_FILE, task),
                )
            own = None
        head.temperature = own.temperature if own else 1.0
        head.thresholds = own.thresholds if own else {}


def fingerprint(head: Head) -> str:
    """Return what tells a head's weights from all others."""
    digest = hashlib.sha256()
    for name, tensor in sorted(head.state_dict().items()):
        digest.update(name.encode())
        digest.update(
            tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes()
        )
    return digest.hexdigest()
