"""Callbacks out of the config: the built-in ones, trackers, and one of another package."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from allennlp.common.checks import ConfigurationError

from hmtl.config.checking import check_config
from hmtl.config.safety import within_the_run
from hmtl.config.schema import TrainerConfig
from hmtl.runs.training import check_callbacks
from hmtl.training.callbacks import Callback, EpochReport
from hmtl.training.console import ConsoleCallback
from hmtl.training.history import HistoryCallback
from hmtl.training.tensorboard import TensorBoardCallback
from hmtl.training.trackers import MlflowTracker, WandbTracker
from tests.training.small_runs import NUM_EPOCHS, Crash, CrashAtStep, small_config, small_trainer


class EpochCounter(Callback):
    """What a user may register."""

    def __init__(self, config: dict[str, Any], serialization_dir: Path, first: int = 0) -> None:
        self.seed, self.serialization_dir, self.count = config["seed"], serialization_dir, first

    def on_epoch(self, report: EpochReport) -> None:
        self.count += 1

    def state_dict(self) -> dict[str, Any]:
        return {"count": self.count}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.count = state.get("count", self.count)


@pytest.fixture
def _registered() -> Iterator[None]:
    Callback.register("epoch_counter")(EpochCounter)
    yield
    del Callback._registry[Callback]["epoch_counter"]


def callbacks_of(directory: Path, **settings: Any) -> list[Callback]:
    """Those of a trainer, after the one that freezes."""
    return small_trainer(directory, **settings).callbacks[1:]


def test_console_tensorboard_and_history_are_there_by_default(tmp_path: Path) -> None:
    kinds = [type(each) for each in callbacks_of(tmp_path)]
    assert kinds == [ConsoleCallback, TensorBoardCallback, HistoryCallback]


@pytest.mark.usefixtures("_registered")
def test_own_callback_is_built_in_its_place(tmp_path: Path) -> None:
    blocks = [{"type": "epoch_counter", "first": 3}, "history"]
    check_config(small_config(multi_task_trainer__callbacks=blocks))
    first, second = callbacks_of(tmp_path, multi_task_trainer__callbacks=blocks)
    assert isinstance(first, EpochCounter) and isinstance(second, HistoryCallback)
    assert (first.count, first.serialization_dir) == (3, tmp_path)
    assert first.seed == small_config()["seed"]


@pytest.mark.usefixtures("_registered")
def test_own_callback_resumes_from_its_state(tmp_path: Path) -> None:
    blocks = {"multi_task_trainer__callbacks": ["epoch_counter"]}
    stopped = small_trainer(tmp_path, **blocks)
    stopped.callbacks.append(CrashAtStep(6))
    with pytest.raises(Crash):
        stopped.train()
    resumed = small_trainer(tmp_path, **blocks)
    assert resumed.recover()
    resumed.train()
    assert isinstance(resumed.callbacks[1], EpochCounter)
    assert resumed.callbacks[1].count == NUM_EPOCHS


@pytest.mark.parametrize("key", ["callbacks", "trackers"])
@pytest.mark.parametrize("name, kind", [("wandb", WandbTracker), ("mlflow", MlflowTracker)])
def test_trackers_are_callbacks(key: str, name: str, kind: type) -> None:
    check_config(small_config(**{f"multi_task_trainer__{key}": [name]}))
    assert Callback.by_name(name) is kind


@pytest.mark.parametrize(
    "settings, message",
    [
        (
            {"callbacks": ["history", {"type": "history"}]},
            r"callbacks\.1 is 'history', as is .*callbacks\.0",
        ),
        ({"callbacks": ["console"], "trackers": ["none_such"]}, "none_such"),
    ],
)
def test_callback_that_is_there_twice_or_not_at_all_is_an_error(
    settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        check_callbacks(TrainerConfig(**settings))


@pytest.mark.parametrize(
    "block, message",
    [
        ("histry", "callbacks.0 .histry. is unknown: did you mean 'history'"),
        (
            {"type": "history", "serialization_dir": "x"},
            r"unknown key .*callbacks\.0\.serialization_dir",
        ),
    ],
)
def test_wrong_block_is_named_with_its_path(block: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        check_config(small_config(multi_task_trainer__callbacks=[block]))


def test_callbacks_of_a_stranger_are_left_out_of_prediction(tmp_path: Path) -> None:
    config = {"multi_task_trainer": {"callbacks": ["not_installed_here"], "patience": 3}}
    assert within_the_run(config, tmp_path) == {"multi_task_trainer": {"patience": 3}}
