"""The ways of balancing the tasks, in whole runs, and in runs that are resumed from a checkpoint."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from allennlp.common.checks import ConfigurationError

from hmtl.config.checking import check_config
from hmtl.runs.training import train
from script.torture import result_of
from tests.training.small_runs import NUM_EPOCHS, Crash, CrashAtStep, small_config, small_trainer

# The most state each can have.
OPTIONS: dict[str, dict[str, Any]] = {
    "temperature": {"sampling_method": {"type": "temperature", "temperature": 2}},
    "dynamic": {"sampling_method": {"type": "dynamic", "references": {"relation": 0.5}}},
    "uncertainty": {"loss_weighting": {"type": "uncertainty", "lr": 0.1}},
    "pcgrad": {"gradient_surgery": "pcgrad"},
    "accumulation": {"gradient_accumulation_steps": 2},
    "all": {
        "sampling_method": "dynamic",
        "loss_weighting": "uncertainty",
        "gradient_surgery": {"type": "pcgrad"},
        "gradient_accumulation_steps": 2,
    },
}


def config_of(name: str) -> Any:
    return small_config(
        **{f"multi_task_trainer__{key}": value for key, value in OPTIONS[name].items()}
    )


@pytest.mark.parametrize("name", OPTIONS)
def test_run_that_was_broken_off_twice_equals_the_one_that_was_not(
    tmp_path: Path, build_with: Callable, name: str
) -> None:
    """Once inside the second epoch, one step after its last checkpoint, once inside the last."""
    train(config_of(name), tmp_path / "whole", recover=False, force=False)
    last = 6 if "accumulation" in name or name == "all" else 12
    for number, step in enumerate((last // 2 + 1, last - 1)):
        build_with(CrashAtStep(step))
        with pytest.raises(Crash):
            train(config_of(name), tmp_path / "run", recover=bool(number), force=False)
    build_with()
    train(config_of(name), tmp_path / "run", recover=True, force=False)
    assert result_of(tmp_path / "whole").differences(result_of(tmp_path / "run")) == []


@pytest.mark.parametrize(
    "name, curves",
    [
        ("uncertainty", {"train_epochs/loss_weights/ner", "train_epochs/log_variances/relation"}),
        ("pcgrad", {"train_epochs/gradient_conflicts/ner"}),
    ],
)
def test_what_is_learned_of_the_balance_is_in_the_log(
    tmp_path: Path, name: str, curves: set[str]
) -> None:
    train(config_of(name), tmp_path / "run", recover=False, force=False)
    assert curves <= result_of(tmp_path / "run").curves.keys()


def test_sampler_is_told_of_epochs_and_of_validations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = small_trainer(tmp_path, multi_task_trainer__sampling_method="dynamic")
    told: list[Any] = []
    monkeypatch.setattr(trainer.sampler, "begin_epoch", told.append)
    monkeypatch.setattr(trainer.sampler, "record_validation", told.append)
    trainer.train()
    histories = {name: task.progress.history for name, task in trainer.tasks.items()}
    assert told == [
        entry
        for epoch in range(NUM_EPOCHS)
        for entry in (epoch, {name: values[epoch] for name, values in histories.items()})
    ]


def test_checkpoint_of_before_there_was_a_balance_still_loads(tmp_path: Path) -> None:
    trainer = small_trainer(tmp_path)
    trainer.callbacks.clear()
    state = trainer.state_dict()
    del state["learning"]
    trainer.load_state_dict(state)


def test_conflicts_are_counted_anew_in_each_epoch(tmp_path: Path) -> None:
    trainer = small_trainer(
        tmp_path, multi_task_trainer__gradient_surgery="pcgrad", multi_task_trainer__num_epochs=1
    )
    trainer.train()
    assert trainer.gradient_surgery is not None
    assert trainer.gradient_surgery.metrics() == {"gradient_conflicts": {}}


def test_type_none_is_no_weighting_and_no_surgery(tmp_path: Path) -> None:
    blocks: dict[str, Any] = {
        "multi_task_trainer__loss_weighting": {"type": "none"},
        "multi_task_trainer__gradient_surgery": "none",
    }
    check_config(small_config(**blocks))
    trainer = small_trainer(tmp_path, **blocks)
    assert trainer.loss_weighting is trainer.gradient_surgery is None
    # As older checkpoints have it.
    trainer.callbacks.clear()
    state = trainer.state_dict()
    assert state["learning"] == {}
    trainer.load_state_dict({**state, "learning": {"loss_weighting": {}, "gradient_surgery": {}}})


@pytest.mark.parametrize("name", OPTIONS)
def test_config_is_checked_through(name: str) -> None:
    check_config(config_of(name))


@pytest.mark.parametrize(
    "options, match",
    [
        (
            {"sampling_method": {"type": "temperature", "temprature": 2}},
            r"unknown key multi_task_trainer\.sampling_method\.temprature: did you mean 'temperature'",
        ),
        ({"sampling_method": {"type": "temperature", "temperature": "2"}}, "write a number"),
        (
            {"sampling_method": {"type": "temperature", "temperature": 2, "num_epochs": 3}},
            r"sampling_method\.num_epochs",
        ),
        (
            {"sampling_method": "dynamc"},
            "sampling_method .dynamc. is unknown: did you mean 'dynamic'",
        ),
        ({"loss_weighting": {"type": "fixed", "weights": {"ner": "1"}}}, r"weights\.ner is \"1\""),
        ({"loss_weighting": {"type": "uncertainty", "tasks": []}}, r"loss_weighting\.tasks"),
        (
            {"gradient_surgery": "pc_grad"},
            "gradient_surgery .pc_grad. is unknown: did you mean 'pcg",
        ),
        ({"gradient_surgery": {"type": "pcgrad", "seed": 3}}, r"gradient_surgery\.seed"),
        ({"gradient_accumulation_steps": 1.5}, "gradient_accumulation_steps is 1.5; write a whole"),
    ],
)
def test_unknown_key_or_kind_of_value_is_found_by_its_path(options: dict, match: str) -> None:
    config = small_config()
    config["multi_task_trainer"].update(options)
    with pytest.raises(ConfigurationError, match=match):
        check_config(config)


def test_uncertainty_weights_have_moved_in_a_run(tmp_path: Path) -> None:
    train(config_of("uncertainty"), tmp_path / "run", recover=False, force=False)
    state = torch.load(tmp_path / "run" / "training_state.th", weights_only=True)
    values = state["learning"]["loss_weighting"]["log_variances"]
    assert values.keys() == {"ner", "relation"} and all(float(each) > 0 for each in values.values())
