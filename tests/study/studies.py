"""Studies of runs that take a second."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from hmtl.common.files import write_json
from hmtl.runs.directory import METRICS_FILE
from hmtl.runs.training import train
from hmtl.study import running
from hmtl.study.grid import Grid, read_grid
from hmtl.study.results import GRID_FILE
from tests.fixtures import tiny_config, write_corpus


def stand_in_for_train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Let a script be what studies start, and look at it often."""
    path = tmp_path / "train.py"
    path.write_text(script)
    monkeypatch.setattr(running, "TRAIN", [sys.executable, str(path)])
    monkeypatch.setattr(running, "PAUSE_IN_SECONDS", 0.01)


def grid_file(directory: Path, **content: Any) -> Path:
    """The hierarchy and a part of it on a corpus of a few sentences, with two seeds."""
    base = tiny_config(write_corpus(directory / "corpus"))
    # A run's config says it, where the grid leaves it to the head.
    del base["task_ner"]["task_description"]["validation_metric_name"]
    (directory / "base.json").write_text(json.dumps(base))
    grid = {
        "about": "A tiny study",
        "config": str(directory / "base.json"),
        "seeds": [1, 2],
        "setups": {
            "all": {"about": "the hierarchy"},
            "part": {"overrides": {"tasks": ["ner", "coref"]}},
        },
    }
    path = directory / "tiny.json"
    path.write_text(json.dumps({**grid, **content}))
    return path


def finished_study(directory: Path, **content: Any) -> Path:
    """A study with all of its runs, made within this process; returns its directory."""
    grid: Grid = read_grid(grid_file(directory, **content))
    study = directory / "study"
    for run in grid.runs:
        metrics = train(run.config(), study / run.name, recover=False, force=False)
        assert (study / run.name / METRICS_FILE).is_file() and metrics
    write_json(study / GRID_FILE, grid.as_json())
    return study
