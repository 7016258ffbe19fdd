"""A loss that is no number: found, told, kept, and survived if so wished."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from torch.utils._pytree import tree_flatten_with_path

from hmtl.common.tensors import load_tensors
from hmtl.errors import DataError
from hmtl.runs.training import train
from hmtl.training.callbacks import Callback, RunReport, StepReport
from hmtl.training.checkpoints import Checkpointer
from hmtl.training.invalid_loss import InvalidLossGuard, reproduce
from hmtl.training.trainer import MultiTaskTrainer
from script.torture import digest
from tests.training.small_runs import NUM_EPOCHS, small_config, small_trainer

CPU = torch.device("cpu")


class HugeWeights(Callback):
    """Finite weights, from which the next loss of `ner` is infinite."""

    def __init__(self, trainer: MultiTaskTrainer, after_step: int) -> None:
        self.weight = trainer.model.get_parameter("heads.ner.tag_projection.weight")
        self.after_step = after_step

    def on_step(self, report: StepReport) -> None:
        if report.step == self.after_step:
            with torch.no_grad():
                self.weight.copy_(self.weight.sign() * 3e38)


def test_invalid_loss_names_task_step_and_texts_and_stops(tmp_path: Path) -> None:
    trainer = small_trainer(tmp_path)
    trainer.callbacks.append(HugeWeights(trainer, 5))
    with pytest.raises(DataError) as caught:
        trainer.train()
    message = str(caught.value)
    assert "the loss of task 'ner' is not a finite number at step " in message
    assert ".gold_conll:" in message
    assert "hold NaN" not in message
    assert [each.position.step for each in Checkpointer(tmp_path).checkpoints()][0] <= 6


@pytest.mark.parametrize("seed", [1, 2])
def test_written_batch_reproduces_the_loss(tmp_path: Path, seed: int) -> None:
    trainer = small_trainer(tmp_path, seed=seed)
    trainer.callbacks.append(HugeWeights(trainer, 2))
    with pytest.raises(DataError):
        trainer.train()
    path = next(tmp_path.glob("invalid_loss_step_*.th"))
    assert str(trainer.step) in path.name
    fresh = small_trainer(tmp_path)
    assert not torch.isfinite(torch.tensor(reproduce(fresh.model, path)))


def test_written_batch_reproduces_the_dropout(tmp_path: Path) -> None:
    """Any loss is reproduced bit for bit, so an invalid one is, whatever its cause."""
    trainer = small_trainer(tmp_path)
    guard = trainer.loss_guard
    trainer.model.train()
    batch = trainer.tasks["relation"].stream.next_batch()
    guard.before_forward()
    loss = trainer.model("relation", batch, compute_metrics=False)["loss"]
    with pytest.raises(DataError):
        guard.accepts(1, "relation", batch, loss / 0, trainer.model)
    fresh = small_trainer(tmp_path, seed=3)
    assert reproduce(fresh.model, tmp_path / "invalid_loss_step_1.th") == loss.item()


@pytest.mark.parametrize("device", [-1, pytest.param(0, marks=pytest.mark.gpu)])
def test_nothing_is_learned_from_a_skipped_batch(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, device: int
) -> None:
    skip = {"multi_task_trainer__on_invalid_loss": "skip"}
    trainer = small_trainer(tmp_path, multi_task_trainer__cuda_device=device, **skip)
    before = digest_of_weights(trainer)
    guard, nan = trainer.loss_guard, float("nan")
    forward = trainer.model.forward
    trainer.model.forward = lambda *arguments, **keywords: {  # type: ignore[method-assign]
        "loss": forward(*arguments, **keywords)["loss"] * nan
    }
    with caplog.at_level(logging.WARNING), pytest.raises(DataError) as caught:
        trainer.train()
    assert digest_of_weights(trainer) == before
    assert guard.num_skipped == trainer.step == 11
    assert "one more than multi_task_trainer.max_skipped_batches, 10" in str(caught.value)
    assert caplog.text.count("The batch is skipped.") == 10


def digest_of_weights(trainer: MultiTaskTrainer) -> str:
    return digest({name: each.cpu() for name, each in trainer.model.state_dict().items()})


@pytest.mark.parametrize("weighting", ["uncertainty", None])
def test_skipping_after_the_backward_pass_equals_skipping_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, weighting: str | None
) -> None:
    """As on an accelerator, which has the backward pass to do when its loss is looked at."""
    forward = MultiTaskTrainer._forward

    def losing(trainer: MultiTaskTrainer, *arguments: Any) -> Any:
        factor = float("nan") if trainer.step in (3, 4, 7) else 1.0
        return tuple(loss * factor for loss in forward(trainer, *arguments))

    monkeypatch.setattr(MultiTaskTrainer, "_forward", losing)
    digests = []
    for in_step in (False, True):
        trainer = small_trainer(
            tmp_path / str(in_step),
            multi_task_trainer__on_invalid_loss="skip",
            multi_task_trainer__num_epochs=2,
            multi_task_trainer__loss_weighting=weighting,
        )
        trainer.loss_guard.in_step = in_step
        trainer.train()
        assert trainer.loss_guard.num_skipped == 3
        leaves, _ = tree_flatten_with_path([trainer.state_dict(), trainer.model.state_dict()])
        numbers = {str(place): each for place, each in leaves if "seconds" not in str(place)}
        digests.append(
            digest(
                {
                    place: torch.as_tensor(each)
                    for place, each in numbers.items()
                    if isinstance(each, (torch.Tensor, int, float))
                }
            )
        )
    assert digests[0] == digests[1]


def test_stopped_run_goes_on_when_told_to_skip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    accepts = InvalidLossGuard.accepts

    def accepts_all_but_one(
        guard: InvalidLossGuard, number: int, task_name: str, batch: Any, *losses_and_model: Any
    ) -> bool:
        loss, model, whole_loss = losses_and_model
        factor = float("nan") if number == 5 else 1.0
        return accepts(guard, number, task_name, batch, loss * factor, model, whole_loss * factor)

    monkeypatch.setattr(InvalidLossGuard, "accepts", accepts_all_but_one)
    with pytest.raises(DataError, match="on_invalid_loss: 'skip'; then resume.*with --recover"):
        train(small_config(), tmp_path / "run", recover=False, force=False)
    metrics = train(
        small_config(multi_task_trainer__on_invalid_loss="skip"),
        tmp_path / "run",
        recover=True,
        force=False,
    )
    assert metrics["nb_epoch_trained"] == NUM_EPOCHS
    assert load_tensors(tmp_path / "run" / "training_state.th")["loss_guard"]["num_skipped"] == 1


def guard_of(tmp_path: Path, **options: Any) -> InvalidLossGuard:
    return InvalidLossGuard(tmp_path, CPU, **options)


def batch_of(source: str) -> dict[str, Any]:
    return {"text": torch.zeros(1), "metadata": [{"source": source}]}


def test_loss_is_looked_at_later_where_that_saves_waiting(tmp_path: Path) -> None:
    """As on an accelerator: every third step there, and whenever asked."""
    model = torch.nn.Linear(1, 1)
    guard = guard_of(tmp_path, read_together=3)
    losses = [1.0, float("inf"), 2.0]
    for number, loss in enumerate(losses[:2], start=1):
        guard.before_forward()
        assert guard.accepts(
            number,
            "ner",
            batch_of(f"file:{number}"),
            torch.tensor(loss),
            model,  # type: ignore[arg-type]
        )
    with pytest.raises(DataError, match="at step 2. The batch is of file:2;"):
        guard.accepts(3, "ner", batch_of("file:3"), torch.tensor(losses[2]), model)  # type: ignore[arg-type]
    # The weights have learned from the batch by then, and are not kept.
    assert "model" not in load_tensors(tmp_path / "invalid_loss_step_2.th")


def test_no_checkpoint_is_written_of_weights_gone_wrong(tmp_path: Path) -> None:
    trainer = small_trainer(tmp_path, multi_task_trainer__checkpoint_every_n_steps=None)
    trainer.loss_guard = InvalidLossGuard(tmp_path, CPU, read_together=1000)
    trainer.callbacks.append(HugeWeights(trainer, 1))
    with pytest.raises(DataError, match="is not a finite number at step"):
        trainer.train()
    assert Checkpointer(tmp_path).load() is None


class Poison(Callback):
    """Puts NaN into a tensor after a step, as a gradient may from a loss that is finite."""

    def __init__(self, after_step: int) -> None:
        self.after_step = after_step

    def on_start(self, report: RunReport) -> None:
        self.model = report.model

    def on_step(self, report: StepReport) -> None:
        if report.step == self.after_step:
            with torch.no_grad():
                self.tensor().view(-1)[0] = float("nan")

    def tensor(self) -> torch.Tensor:
        return self.model.get_parameter("heads.ner.tag_projection.weight")


class PoisonOfOptimizer(Poison):
    def __init__(self, trainer: MultiTaskTrainer, after_step: int) -> None:
        super().__init__(after_step)
        self.trainer = trainer

    def tensor(self) -> torch.Tensor:
        states = self.trainer.tasks["ner"].optimizer.state.values()
        return next(iter(states))["exp_avg_sq"]


# After the third step a checkpoint is due, after the fourth the epoch is over.
@pytest.mark.parametrize("step", [3, 4])
@pytest.mark.parametrize("place", ["weights", "optimizer"])
def test_nothing_is_written_that_is_not_finite(tmp_path: Path, place: str, step: int) -> None:
    trainer = small_trainer(tmp_path)
    poison = Poison(step) if place == "weights" else PoisonOfOptimizer(trainer, step)
    trainer.callbacks.append(poison)
    with pytest.raises(DataError) as caught:
        trainer.train()
    name = "heads.ner.tag_projection.weight" if place == "weights" else "optimizer of ner.state."
    assert name in caught.value.message and f"after step {step};" in caught.value.message
    assert [each.position.step for each in Checkpointer(tmp_path).checkpoints()] == [3][: step - 3]
    assert not (tmp_path / "best_ner.th").exists()
    assert trainer.tasks["ner"].progress.history == []


def test_run_whose_weights_went_wrong_goes_on_as_the_message_says(
    tmp_path: Path, build_with: Callable, caplog: pytest.LogCaptureFixture
) -> None:
    build_with(Poison(6))
    with pytest.raises(DataError, match="Lower multi_task_trainer.optimizer.lr.*with --recover"):
        train(small_config(), tmp_path / "run", recover=False, force=False)
    build_with()
    wiser = small_config(multi_task_trainer__optimizer__lr=5e-4, multi_task_trainer__grad_norm=1.0)
    with caplog.at_level(logging.INFO):
        metrics = train(wiser, tmp_path / "run", recover=True, force=False)
    assert metrics["nb_epoch_trained"] == NUM_EPOCHS
    assert "another multi_task_trainer.optimizer.lr: 0.0005, which was 0.002" in caplog.text
    assert "another multi_task_trainer.grad_norm: 1.0, which was" in caplog.text
    state = load_tensors(tmp_path / "run" / "training_state.th")
    for task in state["tasks"].values():
        assert task["optimizer"]["param_groups"][0]["lr"] <= 5e-4


def test_number_of_skipped_batches_is_part_of_the_state(tmp_path: Path) -> None:
    guard = guard_of(tmp_path, action="skip")
    model = torch.nn.Linear(1, 1)
    guard.before_forward()
    assert not guard.accepts(1, "ner", batch_of("f:1"), torch.tensor(float("nan")), model)  # type: ignore[arg-type]
    other = guard_of(tmp_path, action="skip")
    other.load_state_dict(guard.state_dict())
    assert other.num_skipped == 1


def test_weights_that_are_wrong_already_are_named(tmp_path: Path) -> None:
    trainer = small_trainer(tmp_path)
    with torch.no_grad():
        trainer.model.get_parameter("heads.ner.tag_projection.bias").fill_(float("nan"))
    with pytest.raises(DataError, match="NaN or infinity already, for instance heads.ner.tag_proj"):
        trainer.train()


def test_unknown_rule_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="on_invalid_loss is 'ignore'; write 'stop' or"):
        InvalidLossGuard(Path(), CPU, action="ignore")
