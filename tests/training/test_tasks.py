"""What a task's training consists of, and how far it has come."""

import copy
from pathlib import Path
from typing import Any, Optional

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.training.learning_rate_schedulers import CosineWithRestarts
from allennlp.training.optimizers import SgdOptimizer

from hmtl.config.schema import SPLITS
from hmtl.config.task import Task
from hmtl.runs.assembly import assemble, parse_config
from hmtl.runs.training import build_trainer
from hmtl.training.optimization import ReduceOnPlateau
from hmtl.training.tasks import RunningLoss, TaskData, TaskProgress, TaskTraining
from tests.training.small_runs import small_config, small_trainer


def test_running_loss_is_a_mean() -> None:
    loss = RunningLoss()
    assert loss.mean() == 0.0
    for value in (1.0, 2.0, 6.0):
        loss.add(torch.tensor(value))
    assert (loss.mean(), loss.count) == (3.0, 3)
    loss.reset()
    assert (loss.mean(), loss.count) == (0.0, 0)


def test_running_loss_does_not_lose_small_losses_among_large_ones() -> None:
    loss = RunningLoss()
    loss.add(torch.tensor(2.0**25))
    for _ in range(4):
        loss.add(torch.tensor(1.0))
    assert loss.mean() * 5 == 2.0**25 + 4


def test_running_loss_goes_on_from_its_state() -> None:
    one, other = RunningLoss(), RunningLoss()
    one.add(torch.tensor(3.0))
    other.load_state_dict(one.state_dict())
    other.add(torch.tensor(5.0))
    assert (other.mean(), other.count) == (4.0, 2)


def training(patience: int = 0) -> TaskTraining:
    task = Task("ner", validation_metric="f1")
    optimizer = SgdOptimizer([("weight", torch.nn.Parameter(torch.zeros(1)))], lr=1.0)
    return TaskTraining(
        TaskData(task),
        optimizer,
        ReduceOnPlateau(optimizer, "max", factor=0.5, patience=patience),
        TaskProgress(task, min_lr=0.3),
        RunningLoss(),
    )


def test_validation_steps_the_scheduler_before_the_votes() -> None:
    of_task = training()
    assert of_task.record_validation({"ner": {"f1": 0.5}})
    assert not of_task.record_validation({"ner": {"f1": 0.4}})
    assert of_task.learning_rate == 0.5
    assert not of_task.progress.votes_to_stop
    of_task.record_validation({"ner": {"f1": 0.4}})
    # 0.25 is what the next epoch would be trained with.
    assert of_task.learning_rate == 0.25
    assert of_task.progress.votes_to_stop


def test_learning_rate_stays_a_plain_number() -> None:
    # A checkpoint with a number of numpy's in it could not be read again.
    of_task = training()
    of_task.scheduler = CosineWithRestarts(of_task.optimizer, t_initial=4)
    of_task.record_validation({"ner": {"f1": 0.5}})
    (group,) = of_task.optimizer.param_groups
    assert type(group["lr"]) is float and 0.0 < group["lr"] < 1.0


def test_task_without_scheduler_keeps_its_rate() -> None:
    of_task = training()
    of_task.scheduler = None
    for value in (0.5, 0.4, 0.3):
        of_task.record_validation({"ner": {"f1": value}})
    assert of_task.learning_rate == pytest.approx(1.0)


SCHEDULERS: dict[str, Any] = {
    "none": None,
    "plateau": {"type": "reduce_on_plateau", "patience": 0, "factor": 0.5},
    "step": {"type": "step", "step_size": 1, "gamma": 0.5},
    "warmup": {"type": "linear_warmup", "num_steps": 4, "then": {"type": "step", "step_size": 1}},
    "triangular": {"type": "slanted_triangular", "num_epochs": 9, "num_steps_per_epoch": 3},
}


def rates_of(of_task: TaskTraining, num_epochs: int) -> list[float]:
    """After each of some epochs of three steps, in which nothing improves after the first."""
    rates = []
    for _ in range(num_epochs):
        for _ in range(3):
            of_task.step()
        of_task.record_validation({of_task.task.name: {of_task.task.validation_metric: 0.5}})
        rates.append(of_task.learning_rate)
    return rates


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_rates_go_on_as_if_the_other_learning_rate_had_been_there_from_the_start(
    tmp_path: Path, scheduler: str
) -> None:
    experiment = assemble(parse_config(small_config()), tmp_path, SPLITS)

    def built(lr: float) -> TaskTraining:
        settings = experiment.config.trainer
        settings.optimizer, settings.scheduler = {"type": "adam", "lr": lr}, SCHEDULERS[scheduler]
        return build_trainer(experiment).tasks["ner"]

    old, new, expected = built(0.002), built(0.0003), built(0.0003)
    rates_of(old, 2)
    new.load_state_dict(copy.deepcopy(old.state_dict()))
    assert new.learning_rate == pytest.approx(rates_of(expected, 2)[-1], rel=1e-12)
    assert new.progress.learning_rate == new.learning_rate
    for group in new.optimizer.param_groups:
        assert group.get("initial_lr", 0.0003) == pytest.approx(0.0003, rel=1e-12)
    again = built(0.0003)
    again.load_state_dict(copy.deepcopy(new.state_dict()))
    assert again.learning_rate == new.learning_rate
    assert rates_of(again, 2) == pytest.approx(rates_of(expected, 2), rel=1e-12)


@pytest.mark.parametrize("lr, expected", [(0.002, 0.001), (0.0005, 0.0005)])
def test_older_checkpoint_lets_no_rate_go_above_the_configs(
    tmp_path: Path, lr: float, expected: float
) -> None:
    """It does not tell what the rates began with."""
    old = small_trainer(tmp_path).tasks["ner"]
    old.optimizer.param_groups[0]["lr"] = 0.001
    state = old.state_dict()
    del state["base_rates"]
    new = small_trainer(tmp_path, multi_task_trainer__optimizer__lr=lr).tasks["ner"]
    new.load_state_dict(state)
    assert new.learning_rate == expected


def test_rate_of_nothing_may_be_raised_on_recovery(tmp_path: Path) -> None:
    old, new = (
        small_trainer(tmp_path, multi_task_trainer__optimizer__lr=lr).tasks["ner"]
        for lr in (0.0, 0.01)
    )
    new.load_state_dict(old.state_dict())
    assert new.learning_rate == 0.01


RATE = 0.1


def progress(
    patience: Optional[int] = None, min_lr: float = 0.0, decreases: bool = False
) -> TaskProgress:
    task = Task("ner", validation_metric="f1", metric_decreases=decreases)
    return TaskProgress(task, patience, min_lr)


def record(into: TaskProgress, *values: float) -> list[bool]:
    return [into.record({"ner": {"f1": value, "loss": -value}}, RATE) for value in values]


def test_nothing_is_best_before_the_first_validation() -> None:
    assert progress().best_epoch is None
    assert not progress(patience=1).votes_to_stop


@pytest.mark.parametrize(
    "decreases, best, epoch",
    [(False, [True, False, True, False, False], 2), (True, [True, True, False, True, False], 3)],
)
def test_best_epoch_follows_the_metrics_direction(
    decreases: bool, best: list[bool], epoch: int
) -> None:
    task = progress(decreases=decreases)
    assert record(task, 0.5, 0.4, 0.6, 0.3, 0.6) == best
    assert task.best_epoch == epoch
    assert task.history == [0.5, 0.4, 0.6, 0.3, 0.6]


def test_best_metrics_are_those_of_all_tasks_at_the_best_epoch_complete() -> None:
    # SPEC 8.9: the reference went on filling them.
    task = progress()
    validation = {"ner": {"f1": 0.9, "loss": 2.0}, "emd": {"f1": 0.3}}
    task.record(validation, RATE)
    validation["ner"]["f1"] = validation["emd"]["f1"] = 0.0
    record(task, 0.1)
    assert task.best_metrics == {"ner": {"f1": 0.9, "loss": 2.0}, "emd": {"f1": 0.3}}


@pytest.mark.parametrize("decreases, sign", [(False, 1), (True, -1)])
def test_task_votes_to_stop_once_out_of_patience(decreases: bool, sign: int) -> None:
    task = progress(patience=2, decreases=decreases)
    record(task, 0.5 * sign, 0.4 * sign)
    assert not task.votes_to_stop
    record(task, 0.5 * sign)
    assert task.out_of_patience and task.votes_to_stop


def test_better_epoch_takes_the_vote_back() -> None:
    task = progress(patience=1)
    record(task, 0.5, 0.4)
    assert task.votes_to_stop
    record(task, 0.6)
    assert not task.votes_to_stop


def test_task_without_patience_never_runs_out_of_it() -> None:
    # SPEC 8.9: "patience": null made the reference crash.
    task = progress(patience=None)
    record(task, 0.5, *[0.1] * 50)
    assert not task.votes_to_stop


@pytest.mark.parametrize("rate, votes", [(1e-3, False), (1e-6, True), (1e-7, True)])
def test_task_votes_to_stop_at_minimum_learning_rate(rate: float, votes: bool) -> None:
    task = progress(min_lr=1e-6)
    task.record({"ner": {"f1": 0.5}}, rate)
    assert task.at_minimum_learning_rate is task.votes_to_stop is votes


@pytest.mark.parametrize(
    "settings, values, why",
    [
        ({"patience": 2}, [0.5, 0.4], ""),
        ({"patience": 2}, [0.5, 0.4, 0.3, 0.2], "no better f1 for 3 epochs (patience 2)"),
        ({"patience": 1}, [0.5, 0.4], "no better f1 for 1 epoch (patience 1)"),
        ({"min_lr": 0.2}, [0.5], "learning rate 0.1 (min_lr 0.2)"),
        (
            {"patience": 1, "min_lr": 1.0},
            [0.5, 0.4],
            "no better f1 for 1 epoch (patience 1), learning rate 0.1 (min_lr 1)",
        ),
    ],
)
def test_task_says_why_it_votes(settings: dict, values: list, why: str) -> None:
    task = progress(**settings)
    record(task, *values)
    assert task.why_it_votes == why
    assert bool(why) is task.votes_to_stop


@pytest.mark.parametrize("patience", [0, -1])
def test_patience_must_be_positive(patience: int) -> None:
    with pytest.raises(
        ConfigurationError, match=rf"patience is {patience}; write at least 1, or null"
    ):
        progress(patience=patience)


def test_progress_goes_on_from_its_state() -> None:
    one, other = progress(patience=2, min_lr=0.01), progress(patience=2, min_lr=0.01)
    record(one, 0.5, 0.4)
    other.load_state_dict(one.state_dict())
    assert other.best_metrics == {"ner": {"f1": 0.5, "loss": -0.5}}
    assert (other.best_epoch, other.history, other.votes_to_stop) == (0, [0.5, 0.4], False)
    record(one, 0.3)
    record(other, 0.3)
    assert one.votes_to_stop and other.votes_to_stop


def test_vote_at_the_minimum_learning_rate_is_part_of_the_state() -> None:
    one, other = progress(min_lr=RATE), progress(min_lr=RATE)
    record(one, 0.5)
    other.load_state_dict(one.state_dict())
    assert other.votes_to_stop


def test_state_is_not_changed_by_the_epochs_after_it() -> None:
    task = progress()
    record(task, 0.5)
    state = task.state_dict()
    record(task, 0.6)
    assert state["history"] == [0.5]
    assert state["best_metrics_of_all"] == {"ner": {"f1": 0.5, "loss": -0.5}}


def test_progress_goes_on_from_an_older_state_with_metrics_of_the_task_alone() -> None:
    older = progress().state_dict()
    del older["best_metrics_of_all"]
    task = progress()
    task.load_state_dict({**older, "best_metrics": {"f1": 0.5}})
    assert task.best_metrics == {"ner": {"f1": 0.5}}
    task.load_state_dict({**older, "best_metrics": {}})
    assert task.best_metrics == {}


def test_task_waits_for_its_patience_after_its_best_epoch_however_low_it_was_since() -> None:
    # In 2018 a task voted once its newest score was the lowest of the last three.
    rising, falling = progress(patience=2), progress(patience=2)
    record(rising, 0.5, 0.1, 0.2)
    assert rising.out_of_patience
    record(falling, 0.5, 0.4)
    assert not falling.out_of_patience
