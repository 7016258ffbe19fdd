"""Learning rates that change at each step, in a run: each task has its own, and they are recovered."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hmtl.config.checking import check_config
from hmtl.config.loading import Config
from hmtl.config.schema import SPLITS
from hmtl.runs.assembly import assemble, parse_config
from hmtl.runs.training import build_trainer, train
from script.torture import result_of
from tests.training.small_runs import (
    NUM_EPOCHS,
    STEPS_PER_EPOCH,
    Crash,
    CrashAtStep,
    small_config,
)

PLATEAU = {"type": "reduce_on_plateau", "patience": 0}
LENGTHS = {"num_epochs": NUM_EPOCHS, "num_steps_per_epoch": STEPS_PER_EPOCH}
SCHEDULERS: list[dict[str, Any]] = [
    {"type": "linear_warmup", "num_steps": 3, "then": PLATEAU},
    {"type": "noam", "model_size": 16, "warmup_steps": 3},
    {"type": "linear_with_warmup", "warmup_steps": 2, **LENGTHS},
    {"type": "slanted_triangular", **LENGTHS},
]


def config_with(scheduler: dict[str, Any]) -> Config:
    config = small_config()
    config["multi_task_trainer"]["scheduler"] = scheduler
    check_config(config)
    return config


def test_warmup_counts_the_steps_of_its_own_task(tmp_path: Path) -> None:
    config = config_with({"type": "linear_warmup", "num_steps": 4})
    config["multi_task_trainer"]["optimizer"]["lr"] = 0.4
    trainer = build_trainer(assemble(parse_config(config), tmp_path, SPLITS))
    for name in ("ner", "ner", "relation"):
        trainer.train_step(name)
    assert trainer.tasks["ner"].learning_rate == pytest.approx(0.3)
    assert trainer.tasks["relation"].learning_rate == pytest.approx(0.2)


@pytest.mark.parametrize("scheduler", SCHEDULERS, ids=lambda scheduler: scheduler["type"])
def test_rates_of_a_recovered_run_are_those_of_an_uninterrupted_one(
    tmp_path: Path, build_with: Callable, scheduler: dict
) -> None:
    config = config_with(scheduler)
    train(config, tmp_path / "whole", recover=False, force=False)
    build_with(CrashAtStep(4))
    with pytest.raises(Crash):
        train(config, tmp_path / "run", recover=False, force=False)
    build_with()
    train(config, tmp_path / "run", recover=True, force=False)
    assert result_of(tmp_path / "whole").differences(result_of(tmp_path / "run")) == []
