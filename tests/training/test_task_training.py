import pytest
import torch
from allennlp.training.learning_rate_schedulers import CosineWithRestarts
from allennlp.training.optimizers import SgdOptimizer

from hmtl.tasks.task import Task
from hmtl.training.learning_rate import ReduceOnPlateau
from hmtl.training.progress import TaskProgress
from hmtl.training.task_training import RunningLoss, TaskData, TaskTraining


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
