import json
from pathlib import Path
from typing import Any

import pytest
import torch

from hmtl.training.callbacks import EpochReport, RunReport
from hmtl.training.history import HISTORY_FILE, HistoryCallback
from tests.training.small_runs import Crash, CrashAtStep, one_thread, small_trainer

METRIC = "f1-measure-overall"


def run_report() -> RunReport:
    model = torch.nn.Linear(3, 2)
    model.bias.requires_grad_(False)
    return RunReport(0, 0, 0, 4, 2, {"ner": METRIC}, model)


def epoch_report(epoch: int, seconds: float) -> EpochReport:
    return EpochReport(
        epoch=epoch,
        step=4 * (epoch + 1),
        duration_in_seconds=seconds,
        training={"ner": {"loss": 0.5}},
        validation={"ner": {METRIC: 0.25, "muc": {"precision": 0.125}}},
        proportions={"ner": 1.0},
        learning_rates={"ner": 0.01},
        best={"ner": True},
    )


def written(directory: Path) -> dict[str, Any]:
    return json.loads((directory / HISTORY_FILE).read_text())


def test_history_says_how_large_the_model_is(tmp_path: Path) -> None:
    HistoryCallback(tmp_path).on_start(run_report())
    assert written(tmp_path) == {
        "parameters": 3 * 2 + 2,
        "trained_parameters": 3 * 2,
        "steps_per_epoch": 4,
        "validation_metrics": {"ner": METRIC},
        "epochs": [],
    }


def test_history_tells_of_each_epoch_when_it_ended(tmp_path: Path) -> None:
    callback = HistoryCallback(tmp_path)
    callback.on_start(run_report())
    for epoch, seconds in enumerate((1.5, 2.0)):
        callback.on_epoch(epoch_report(epoch, seconds))
    first, second = written(tmp_path)["epochs"]
    assert (first["step"], first["seconds"]) == (4, 1.5)
    assert (second["step"], second["seconds"]) == (8, 3.5)
    assert second["validation"] == {"ner": {METRIC: 0.25, "muc/precision": 0.125}}


@pytest.mark.parametrize("crash_after", [5, 7])
def test_a_run_that_goes_on_has_the_history_of_one_that_was_never_stopped(
    tmp_path: Path, crash_after: int
) -> None:
    with one_thread():
        small_trainer(tmp_path / "whole").train()
        stopped = small_trainer(tmp_path / "stopped")
        stopped.callbacks.append(CrashAtStep(crash_after))
        with pytest.raises(Crash):
            stopped.train()
        going_on = small_trainer(tmp_path / "stopped")
        assert going_on.recover()
        going_on.train()
    without_time = []
    for name in ("whole", "stopped"):
        history = written(tmp_path / name)
        seconds = [epoch.pop("seconds") for epoch in history["epochs"]]
        assert seconds == sorted(seconds)
        without_time.append(history)
    assert without_time[0] == without_time[1]
