"""What each epoch came to, in a file that a program can read."""

from pathlib import Path
from typing import Any, Dict, List

import torch

from hmtl.common.files import write_json
from hmtl.training.callbacks import Callback, EpochReport, RunReport, flat

HISTORY_FILE = "history.json"


@Callback.register("history")
class HistoryCallback(Callback):
    """
    Writes `history.json`: how many parameters the model has, how many steps an epoch, and for each epoch
    where it ended (`step`, and `seconds` of training and validation since the run began), each task's share
    of its steps, and the metrics of training and validation.

    # Parameters

    serialization_dir : `Path`
    """

    def __init__(self, serialization_dir: Path) -> None:
        self.path = serialization_dir / HISTORY_FILE
        self._epochs: List[Dict[str, Any]] = []

    def on_start(self, report: RunReport) -> None:
        self._run = {
            "parameters": _count(report.model, trained_only=False),
            "trained_parameters": _count(report.model, trained_only=True),
            "steps_per_epoch": report.steps_per_epoch,
            "validation_metrics": report.validation_metrics,
        }
        self._write()

    def on_epoch(self, report: EpochReport) -> None:
        before = self._epochs[-1]["seconds"] if self._epochs else 0.0
        self._epochs.append(
            {
                "epoch": report.epoch,
                "step": report.step,
                "seconds": before + report.duration_in_seconds,
                "proportions": dict(report.proportions),
                "learning_rates": dict(report.learning_rates),
                "training": _plain(report.training),
                "validation": _plain(report.validation),
            }
        )
        self._write()

    def _write(self) -> None:
        write_json(self.path, {**self._run, "epochs": self._epochs})

    def state_dict(self) -> Dict[str, Any]:
        return {"epochs": list(self._epochs)}

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        # A checkpoint of before there was a history has none.
        self._epochs = list(state.get("epochs", []))


def _plain(metrics: Dict[str, Dict[str, Any]]) -> Dict[str, Dict[str, float]]:
    return {name: dict(flat(of_task)) for name, of_task in metrics.items()}


def _count(model: torch.nn.Module, trained_only: bool) -> int:
    return sum(
        each.numel() for each in model.parameters() if each.requires_grad or not trained_only
    )
