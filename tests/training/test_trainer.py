from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
from allennlp.common.checks import ConfigurationError

from hmtl.errors import DataError
from hmtl.runs.training import build_trainer
from hmtl.training.callbacks import Callback, EpochReport, RunReport, StepReport
from hmtl.training.optimization import clip_gradients
from hmtl.training.trainer import MultiTaskTrainer
from tests.fixtures import TASKS, Config, assembled, tiny_config, write_corpus


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture
def config(corpus: Path) -> Config:
    config = tiny_config(corpus)
    config["multi_task_trainer"]["num_epochs"] = 2
    return config


class Diary(Callback):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.steps: list[StepReport] = []
        self.mean_losses: list[float] = []
        self.epochs: list[EpochReport] = []

    def on_start(self, report: RunReport) -> None:
        self.events.append("start")

    def on_epoch_start(self, epoch: int, steps_done: int) -> None:
        self.events.append(f"epoch {epoch}")

    def on_step(self, report: StepReport) -> None:
        self.steps.append(report)
        assert report.mean_loss is not None
        self.mean_losses.append(report.mean_loss())

    def on_validation_start(self, num_batches: int) -> None:
        self.events.append(f"validation of {num_batches}")

    def on_validation_step(self) -> None:
        self.events.append("batch")

    def on_epoch(self, report: EpochReport) -> None:
        self.events.append("end of epoch")
        self.epochs.append(report)

    def on_end(self) -> None:
        self.events.append("end")


Trained = tuple[MultiTaskTrainer, Diary]


def trainer_of(config: Config, directory: Path) -> Trained:
    trainer, diary = build_trainer(assembled(config, directory)), Diary()
    trainer.callbacks.append(diary)
    return trainer, diary


@pytest.fixture(scope="module")
def trained(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A run of two epochs that is over."""
    config = tiny_config(corpus)
    config["multi_task_trainer"]["num_epochs"] = 2
    trainer, diary = trainer_of(config, tmp_path_factory.mktemp("run"))
    trainer.train()
    return trainer, diary


def test_epoch_has_as_many_steps_as_tasks_have_batches(trained: Trained) -> None:
    trainer, diary = trained
    # Of 10, 15, 5 sentences (those of relations that hold one) in fours, and 5 documents in twos.
    assert {name: len(task.stream) for name, task in trainer.tasks.items()} == {
        "ner": 3,
        "emd": 4,
        "relation": 2,
        "coref": 3,
    }
    assert trainer.steps_per_epoch == 12
    assert [report.step for report in diary.steps] == list(range(1, 25))


def test_proportions_are_the_shares_of_steps(trained: Trained) -> None:
    _, diary = trained
    counts = Counter(report.task_name for report in diary.steps[:12])
    assert diary.epochs[0].proportions == {task: counts[task] / 12 for task in TASKS}


def test_training_loss_is_the_mean_of_the_epochs_steps(trained: Trained) -> None:
    _, diary = trained
    losses = [float(r.loss) for r in diary.steps[12:] if r.task_name == "emd"]
    told = diary.epochs[1].training["emd"]["loss"]
    assert told == pytest.approx(sum(losses) / max(len(losses), 1))


def test_step_tells_the_mean_of_its_tasks_losses_in_the_epoch(trained: Trained) -> None:
    _, diary = trained
    for first in (0, 12):
        losses: dict[str, list[float]] = {}
        for report, mean in zip(diary.steps[first : first + 12], diary.mean_losses[first:]):
            of_task = losses.setdefault(report.task_name, [])
            of_task.append(float(report.loss))
            assert mean == pytest.approx(sum(of_task) / len(of_task))


def test_all_tasks_are_validated_after_each_epoch(trained: Trained) -> None:
    trainer, diary = trained
    epoch = ["validation of 5", *["batch"] * 5, "end of epoch"]
    assert diary.events == ["start", "epoch 0", *epoch, "epoch 1", *epoch, "end"]
    for report in diary.epochs:
        assert list(report.validation) == list(TASKS)
    assert set(diary.epochs[0].best.values()) == {True}
    assert {
        name: len(task.progress.history) for name, task in trainer.tasks.items()
    } == dict.fromkeys(TASKS, 2)


def test_each_task_has_an_optimizer_and_scheduler_over_all_parameters(
    config: Config, tmp_path: Path
) -> None:
    config["multi_task_trainer"]["scheduler"] = {"type": "reduce_on_plateau", "patience": 0}
    trainer, _ = trainer_of(config, tmp_path)
    optimizers = [task.optimizer for task in trainer.tasks.values()]
    schedulers = [task.scheduler for task in trainer.tasks.values()]
    assert len(set(map(id, optimizers))) == len(set(map(id, schedulers))) == len(TASKS)
    for optimizer in optimizers:
        (group,) = optimizer.param_groups
        assert set(map(id, group["params"])) == set(map(id, trainer.model.parameters()))


def test_step_moves_the_parameters_of_its_task_only(corpus: Path, tmp_path: Path) -> None:
    config = tiny_config(corpus, tasks=("ner", "emd"))
    trainer, diary = trainer_of(config, tmp_path)
    before = {name: value.clone() for name, value in trainer.model.named_parameters()}

    class MovedByNer(Callback):
        def on_step(self, report: StepReport) -> None:
            if report.task_name == "ner":
                for name, value in trainer.model.named_parameters():
                    if name.startswith(("heads.emd", "encoders.encoders.emd")):
                        assert torch.equal(value, before[name]), name
            for name, value in trainer.model.named_parameters():
                before[name] = value.detach().clone()

    trainer.callbacks.append(MovedByNer())
    trainer.train()
    assert {report.task_name for report in diary.steps} == {"ner", "emd"}


class Votes(Callback):
    """Lets chosen tasks run out of patience after the first epoch."""

    def __init__(self, trainer: MultiTaskTrainer, tasks: tuple[str, ...]) -> None:
        self.trainer, self.tasks = trainer, tasks

    def on_epoch(self, report: EpochReport) -> None:
        for name in self.tasks:
            self.trainer.tasks[name].progress.min_lr = 1.0


def test_training_stops_once_all_tasks_vote(config: Config, tmp_path: Path) -> None:
    trainer, diary = trainer_of(config, tmp_path)
    trainer.callbacks.append(Votes(trainer, TASKS))
    trainer.train()
    assert trainer.epoch == len(diary.epochs) == 1


def test_why_a_training_is_over_names_each_tasks_reason(config: Config, tmp_path: Path) -> None:
    trainer, _ = trainer_of(config, tmp_path)
    assert trainer.why_over() == ""
    trainer.epoch = trainer.settings.num_epochs
    assert trainer.why_over() == f"multi_task_trainer.num_epochs is {trainer.settings.num_epochs}"
    for training in trainer.tasks.values():
        task = training.task
        training.progress.record({task.name: {task.validation_metric: 0.5}}, 0.0)
    reasons = "; ".join(f"{name}: learning rate 0 (min_lr 0)" for name in trainer.tasks)
    assert trainer.why_over() == f"all tasks vote to stop ({reasons})"


def test_task_that_voted_goes_on_being_trained_until_all_have(
    config: Config, tmp_path: Path
) -> None:
    # SPEC 8.10: the published behaviour.
    trainer, diary = trainer_of(config, tmp_path)
    trainer.callbacks.append(Votes(trainer, TASKS[1:]))
    trainer.train()
    assert trainer.epoch == 2
    assert {report.task_name for report in diary.steps[12:]} == set(TASKS)


def test_training_steps_neither_decode_nor_count(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # SPEC 8.13: the reference did at every step.
    trainer, diary = trainer_of(config, tmp_path)
    decoded: list[int] = []

    def noting(decode: Any) -> Any:
        def note_and_decode(output_dict: Any) -> Any:
            decoded.append(len(diary.steps))
            return decode(output_dict)

        return note_and_decode

    for head in trainer.model.heads.values():
        monkeypatch.setattr(head, "decode", noting(head.decode))
    trainer.train()
    # In validation only, after the last step of an epoch.
    assert set(decoded) == {12, 24}
    assert all(report.metrics is None for report in diary.steps)


def test_training_metrics_come_at_their_interval(config: Config, tmp_path: Path) -> None:
    config["multi_task_trainer"]["training_metrics_interval"] = 5
    trainer, diary = trainer_of(config, tmp_path)
    trainer.train()
    assert [r.step for r in diary.steps if r.metrics is not None] == [5, 10, 15, 20]
    assert "f1-measure-overall" in diary.epochs[0].training["ner"]


def test_validation_metric_must_be_one_that_the_head_computes(
    config: Config, tmp_path: Path
) -> None:
    config["task_coref"]["task_description"]["validation_metric_name"] = "f1-measure-overall"
    with pytest.raises(
        ConfigurationError,
        match=r"task_coref\.task_description\.validation_metric_name is 'f1-measure-overall'.*coref_f1",
    ):
        trainer_of(config, tmp_path)


def test_loss_may_be_the_validation_metric(corpus: Path, tmp_path: Path) -> None:
    config = tiny_config(corpus, tasks=("ner",))
    config["task_ner"]["task_description"].update(
        validation_metric_name="loss", validation_metric_decreases=True
    )
    config["multi_task_trainer"].update(num_epochs=3)
    trainer, diary = trainer_of(config, tmp_path)
    trainer.train()
    losses = [report.validation["ner"]["loss"] for report in diary.epochs]
    assert trainer.tasks["ner"].progress.best_epoch == losses.index(min(losses))


def test_loss_that_is_no_number_ends_the_run(corpus: Path, tmp_path: Path) -> None:
    trainer, diary = trainer_of(tiny_config(corpus, tasks=("ner",)), tmp_path)
    trainer.model.heads["ner"].tag_projection.bias.data.fill_(float("nan"))  # type: ignore[union-attr, operator]
    with pytest.raises(DataError, match="loss of task 'ner' is not a finite number at step 1"):
        trainer.train()
    assert diary.events[-1] == "end"


@pytest.mark.parametrize("is_sparse", [False, True])
@pytest.mark.parametrize(
    "norm, value, expected",
    [
        (None, None, [3.0, -4.0]),
        (None, 3.5, [3.0, -3.5]),
        (1.0, None, [0.6, -0.8]),
        (10.0, None, [3.0, -4.0]),
        (5.0, 3.0, [3.0, -3.0]),
        (3.0, 3.0, [3 / 2**0.5, -3 / 2**0.5]),
    ],
)
def test_gradients_are_clipped_by_value_then_by_norm(
    norm: "float | None", value: "float | None", expected: list[float], is_sparse: bool
) -> None:
    weight, unused = torch.nn.Parameter(torch.zeros(2)), torch.nn.Parameter(torch.zeros(1))
    weight.grad = torch.tensor([3.0, -4.0])
    if is_sparse:
        # As of words of which one occurs twice.
        places = torch.tensor([[1, 0, 1]])
        weight.grad = torch.sparse_coo_tensor(
            places, torch.tensor([-1.0, 3.0, -3.0]), (2,), check_invariants=False
        )
    clip_gradients([weight, unused], norm, value)
    assert weight.grad.is_sparse == is_sparse
    torch.testing.assert_close(weight.grad.to_dense(), torch.tensor(expected))


def test_regularizer_is_minimised_with_the_loss(corpus: Path, tmp_path: Path) -> None:
    config = tiny_config(corpus, tasks=("ner",))
    config["multi_task_trainer"]["optimizer"] = {"type": "sgd", "lr": 0.1}
    config["regularizer"] = {"regexes": [["crf.start", {"type": "l2", "alpha": 1.0}]]}
    trainer, _ = trainer_of(config, tmp_path)
    penalty = trainer.model.get_regularization_penalty()
    assert penalty is not None and penalty > 0
    trainer.train()
    after = trainer.model.get_regularization_penalty()
    assert after is not None and after < penalty
