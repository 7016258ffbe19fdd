from typing import Optional

import pytest
from allennlp.common.checks import ConfigurationError

from hmtl.config.task import Task
from hmtl.training.progress import TaskProgress

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
