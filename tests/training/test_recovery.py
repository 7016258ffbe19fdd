"""A run that was broken off, recovered, and over is the run that was never broken off."""

import json
import logging
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from allennlp.common.checks import ConfigurationError

from hmtl.common.interruption import Interrupted
from hmtl.errors import DataError
from hmtl.runs.assembly import Experiment
from hmtl.runs.training import train
from hmtl.training.callbacks import Callback, EpochReport, StepReport
from hmtl.training.checkpoints import Checkpointer
from hmtl.training.tensorboard import TensorBoardCallback
from hmtl.training.trainer import MultiTaskTrainer
from script.torture import Result, result_of
from tests.training.small_runs import (
    NUM_EPOCHS,
    REPOSITORY,
    STEPS_PER_EPOCH,
    Crash,
    CrashAtStep,
    small_config,
    small_trainer,
)

NUM_STEPS = NUM_EPOCHS * STEPS_PER_EPOCH


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Result:
    directory = tmp_path_factory.mktemp("runs") / "uninterrupted"
    train(small_config(), directory, recover=False, force=False)
    return result_of(directory)


def test_log_of_a_run_holds_every_step_once(uninterrupted: Result) -> None:
    """What the others are compared with is not empty."""
    losses = [
        step
        for name, points in uninterrupted.curves.items()
        if name.startswith("train/training_details/") and name.endswith("/loss")
        for step, _ in points
    ]
    assert sorted(losses) == list(range(1, NUM_STEPS + 1))
    validated = uninterrupted.curves["validation/task_ner/f1-measure-overall"]
    assert [step for step, _ in validated] == list(range(NUM_EPOCHS))
    assert "train_epochs/task_ner/f1-measure-overall" in uninterrupted.curves


def crashed_run(directory: Path, **overrides: Any) -> None:
    """Start a training that a crash, set up before, ends."""
    with pytest.raises(Crash):
        train(small_config(**overrides), directory, recover=False, force=False)


def recovered(directory: Path, **overrides: Any) -> Result:
    train(small_config(**overrides), directory, recover=True, force=False)
    return result_of(directory)


@pytest.mark.parametrize("step", [1, 3, 4, 7, NUM_STEPS])
def test_run_recovered_after_any_step_equals_uninterrupted_run(
    tmp_path: Path, build_with: Callable, uninterrupted: Result, step: int
) -> None:
    build_with(CrashAtStep(step))
    crashed_run(tmp_path / "run")
    build_with()
    assert uninterrupted.differences(recovered(tmp_path / "run")) == []


def test_run_recovered_at_every_step_equals_uninterrupted_run(
    tmp_path: Path, build_with: Callable, uninterrupted: Result
) -> None:
    for step in range(1, NUM_STEPS + 1):
        build_with(CrashAtStep(step))
        with pytest.raises(Crash):
            train(
                small_config(multi_task_trainer__checkpoint_every_n_steps=1),
                tmp_path / "run",
                recover=step > 1,
                force=False,
            )
    build_with()
    assert uninterrupted.differences(recovered(tmp_path / "run")) == []


def test_run_broken_off_before_its_checkpoint_but_after_logging_equals_uninterrupted_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uninterrupted: Result
) -> None:
    """The epoch's figures are in the log then, but the checkpoint does not know."""
    write = TensorBoardCallback.on_epoch

    def write_and_crash(self: TensorBoardCallback, report: EpochReport) -> None:
        write(self, report)
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(TensorBoardCallback, "on_epoch", write_and_crash)
        crashed_run(tmp_path / "run")
    assert uninterrupted.differences(recovered(tmp_path / "run")) == []


def test_run_broken_off_in_scoring_recovers_to_the_scoring(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uninterrupted: Result
) -> None:
    def crash(*arguments: Any) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(Experiment, "evaluate_best_weights", crash)
        crashed_run(tmp_path / "run")
    with monkeypatch.context() as patch:
        patch.setattr(MultiTaskTrainer, "_train_epoch", crash)
        result = recovered(tmp_path / "run")
    assert uninterrupted.differences(result) == []


class StopInValidation(Callback):
    def __init__(self, after_batches: int) -> None:
        self.left = after_batches

    def on_validation_step(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Interrupted(signal.SIGTERM)


@pytest.mark.parametrize("after_batches", [0, 1, 3])
def test_run_stopped_in_validation_goes_on_with_validation(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    build_with: Callable,
    uninterrupted: Result,
    after_batches: int,
) -> None:
    build_with(StopInValidation(after_batches))
    with pytest.raises(Interrupted):
        train(small_config(), tmp_path / "run", recover=False, force=False)
    count = StepsCount()
    build_with(count)
    assert uninterrupted.differences(recovered(tmp_path / "run")) == []
    assert count.steps == NUM_STEPS - STEPS_PER_EPOCH


class StepsCount(Callback):
    steps = 0

    def on_step(self, report: StepReport) -> None:
        self.steps += 1


def test_more_epochs_may_be_asked_for_after_the_run_had_ended(
    tmp_path: Path, uninterrupted: Result
) -> None:
    train(
        small_config(multi_task_trainer__num_epochs=NUM_EPOCHS - 1),
        tmp_path / "run",
        recover=False,
        force=False,
    )
    assert uninterrupted.differences(recovered(tmp_path / "run")) == []


def test_recovering_what_is_over_changes_nothing(tmp_path: Path, uninterrupted: Result) -> None:
    train(small_config(), tmp_path / "run", recover=False, force=False)
    assert uninterrupted.differences(recovered(tmp_path / "run")) == []


def test_log_says_why_a_training_is_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    config = small_config(tasks=["ner"], multi_task_trainer__num_epochs=1)
    for recover in (False, True):
        with caplog.at_level("INFO", logger="hmtl"):
            train(config, tmp_path / "run", recover=recover, force=False)
    assert [message for message in caplog.messages if message.startswith("training is over")] == [
        "training is over after 1 epoch: multi_task_trainer.num_epochs is 1",
        "training is over already after 1 epoch: multi_task_trainer.num_epochs is 1",
    ]


@pytest.mark.parametrize("damage", ["truncated", "altered", "manifest", "missing"])
def test_run_goes_on_from_the_checkpoint_before_a_damaged_one(
    tmp_path: Path,
    build_with: Callable,
    uninterrupted: Result,
    caplog: pytest.LogCaptureFixture,
    damage: str,
) -> None:
    build_with(CrashAtStep(10))
    crashed_run(tmp_path / "run")
    build_with()
    last, before = Checkpointer(tmp_path / "run").checkpoints()
    hurt(last.path, damage)
    result = recovered(tmp_path / "run")
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert any(str(last.path) in text and str(before.path) in text for text in warnings)
    assert uninterrupted.differences(result) == []


def hurt(checkpoint: Path, damage: str) -> None:
    state = checkpoint / "training_state.th"
    content = state.read_bytes()
    if damage == "truncated":
        state.write_bytes(content[: len(content) // 2])
    elif damage == "altered":
        middle = len(content) // 2
        state.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
    elif damage == "manifest":
        (checkpoint / "manifest.json").write_text("{")
    else:
        state.unlink()


@pytest.mark.parametrize(
    "path, value",
    [
        ("epoch", "x"),
        ("step", None),
        ("seconds_trained", [1]),
        ("sampler", {}),
        ("loss_guard", "x"),
        ("tasks.ner", "x"),
        ("tasks.ner.optimizer", {"param_groups": [], "state": {}}),
        ("tasks.ner.scheduler", "x"),
        ("tasks.ner.progress.tracker", None),
        ("counts.ner.span_f1", "x"),
        ("callbacks", None),
        ("random", "x"),
    ],
)
def test_state_of_another_kind_of_run_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, value: Any
) -> None:
    """None takes the entry away."""
    trainer = small_trainer(tmp_path)
    trainer._tell("on_start", trainer._run_report())
    state = {**trainer.state_dict(), "model": trainer.model.state_dict()}
    *parents, last = path.split(".")
    at = state
    for key in parents:
        at = at[key]
    assert last in at
    at[last] = value
    if value is None:
        del at[last]
    monkeypatch.setattr(trainer.checkpointer, "load", lambda constants: state)
    with pytest.raises(
        DataError, match=r"training_state\.th: this is not the state that such a run"
    ):
        trainer.recover()


def test_run_without_a_whole_checkpoint_is_not_started_anew(
    tmp_path: Path, build_with: Callable
) -> None:
    build_with(CrashAtStep(10))
    crashed_run(tmp_path / "run")
    for checkpoint in Checkpointer(tmp_path / "run").checkpoints():
        hurt(checkpoint.path, "truncated")
    with pytest.raises(DataError, match="no whole checkpoint to resume from.*truncated"):
        recovered(tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "checkpoints")
    with pytest.raises(DataError, match="checkpoints/ is gone"):
        recovered(tmp_path / "run")


@pytest.mark.parametrize("left", ["nothing", "an empty directory", "a half-written config"])
def test_run_killed_before_it_began_starts_at_its_beginning(
    tmp_path: Path, uninterrupted: Result, left: str
) -> None:
    if left != "nothing":
        (tmp_path / "run").mkdir()
    if left == "a half-written config":
        (tmp_path / "run" / ".config.json.1.partial").write_text("{")
    assert uninterrupted.differences(recovered(tmp_path / "run")) == []
    assert not list((tmp_path / "run").glob(".*"))


@pytest.mark.parametrize("recover", [True, False])
def test_run_that_ended_while_it_read_its_data_may_begin_with_another_config(
    tmp_path: Path, uninterrupted: Result, recover: bool
) -> None:
    with pytest.raises(ConfigurationError, match="which does not exist"):
        train(small_config(data_root="nowhere"), tmp_path / "run", recover=False, force=False)
    train(small_config(), tmp_path / "run", recover=recover, force=False)
    assert uninterrupted.differences(result_of(tmp_path / "run")) == []


@pytest.mark.parametrize("content", [None, "{", "[" * 100_000], ids=["whole", "cut", "deep"])
def test_config_of_the_users_own_is_not_overwritten(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "run" / "config.json"
    path.parent.mkdir()
    path.write_text(content or (REPOSITORY / "configs" / "hmtl_sample.json").read_text())
    before = path.read_bytes()
    with pytest.raises(ConfigurationError, match="is not empty"):
        train(small_config(), tmp_path / "run", recover=False, force=False)
    assert path.read_bytes() == before


def test_recovery_with_another_config_names_what_differs(
    tmp_path: Path, build_with: Callable
) -> None:
    build_with(CrashAtStep(1))
    crashed_run(tmp_path / "run")
    with pytest.raises(ConfigurationError) as caught:
        recovered(
            tmp_path / "run",
            multi_task_trainer__gradient_accumulation_steps=2,
            model__ner__encoder__hidden_size=6,
            multi_task_trainer__num_epochs=9,
        )
    assert (
        "these keys differ: model.ner.encoder.hidden_size, "
        "multi_task_trainer.gradient_accumulation_steps." in caught.value.message
    )


def test_recovery_with_harmless_changes_equals_uninterrupted_run(
    tmp_path: Path, build_with: Callable, uninterrupted: Result
) -> None:
    build_with(CrashAtStep(5))
    crashed_run(tmp_path / "run")
    build_with()
    moved = tmp_path / "moved"
    shutil.copytree(small_config()["data_root"], moved)
    result = recovered(
        tmp_path / "run",
        data_root=str(moved),
        multi_task_trainer__keep_last=1,
        multi_task_trainer__checkpoint_every_minutes=1e-9,
    )
    assert uninterrupted.differences(result) == []


def test_recovery_with_other_data_is_refused(tmp_path: Path, build_with: Callable) -> None:
    data = tmp_path / "data"
    shutil.copytree(small_config()["data_root"], data)
    build_with(CrashAtStep(5))
    crashed_run(tmp_path / "run", data_root=str(data))
    corpus = next((data / "ontonotes" / "ner" / "dev").rglob("*gold_conll"))
    corpus.write_text(corpus.read_text().replace("the", "a"))
    with pytest.raises(DataError, match="the validation data of task 'ner' is not what this run"):
        recovered(tmp_path / "run", data_root=str(data))


def test_run_whose_tasks_voted_to_stop_says_why_and_goes_on_if_they_are_told_to_wait(
    tmp_path: Path, uninterrupted: Result, caplog: pytest.LogCaptureFixture
) -> None:
    directory, hasty = tmp_path / "run", {"multi_task_trainer__min_lr": 1.0}
    train(small_config(**hasty), directory, recover=False, force=False)
    with caplog.at_level(logging.INFO):
        recovered(directory, **hasty, multi_task_trainer__num_epochs=9)
    assert (
        "training is over already after 1 epoch: all tasks vote to stop "
        "(ner: learning rate 0.002 (min_lr 1); relation: " in caplog.text
    )
    assert uninterrupted.differences(recovered(directory)) == []


def test_patience_may_be_larger_on_recovery(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # With a rate like this no epoch is better than the first.
    slow = {
        "multi_task_trainer__optimizer__lr": 1e-12,
        "multi_task_trainer__min_lr": 0.0,
        "multi_task_trainer__num_epochs": 9,
    }
    for patience in (1, 2):
        config = small_config(multi_task_trainer__patience=patience, **slow)
        with caplog.at_level(logging.INFO):
            metrics = train(config, tmp_path / "run", recover=patience > 1, force=False)
        assert metrics["nb_epoch_trained"] == 1 + patience
    assert "another multi_task_trainer.patience: 2, which was 1" in caplog.text


@pytest.mark.parametrize("is_noted", [True, False])
def test_recovery_with_a_truncated_vocabulary_is_refused(
    tmp_path: Path, build_with: Callable, is_noted: bool
) -> None:
    build_with(CrashAtStep(5))
    crashed_run(tmp_path / "run")
    if not is_noted:
        # As an older version wrote them.
        for manifest in (tmp_path / "run" / "checkpoints").glob("*/manifest.json"):
            content = json.loads(manifest.read_text())
            del content["vocabulary"]
            manifest.write_text(json.dumps(content))
    tokens = tmp_path / "run" / "vocabulary" / "tokens.txt"
    tokens.write_text(tokens.read_text()[:40])
    match = "tokens.txt is truncated" if is_noted else "do not fit the model.*size mismatch"
    with pytest.raises(DataError, match=match):
        recovered(tmp_path / "run")


def test_lost_vocabulary_is_made_again(
    tmp_path: Path, build_with: Callable, uninterrupted: Result
) -> None:
    build_with(CrashAtStep(5))
    crashed_run(tmp_path / "run")
    build_with()
    shutil.rmtree(tmp_path / "run" / "vocabulary")
    assert uninterrupted.differences(recovered(tmp_path / "run")) == []


def test_run_that_stands_there_is_replaced_only_if_told(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "notes.txt").write_text("mine")
    with pytest.raises(ConfigurationError, match="is not empty.*--recover.*--force"):
        train(small_config(), tmp_path / "run", recover=False, force=False)
    with pytest.raises(ConfigurationError, match="holds no run"):
        train(small_config(), tmp_path / "run", recover=False, force=True)
    with pytest.raises(ConfigurationError, match="holds no run to recover"):
        recovered(tmp_path / "run")
    assert (tmp_path / "run" / "notes.txt").read_text() == "mine"
