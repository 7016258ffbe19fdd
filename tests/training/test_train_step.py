"""What a step learns: the weighted losses of its batches, their gradients, and the step they make."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from allennlp.common.checks import ConfigurationError

from hmtl.config.schema import TrainerConfig
from hmtl.config.task import Task
from hmtl.errors import DataError
from hmtl.training.balancing import FixedLossWeighting, LossWeighting
from hmtl.training.checkpoints import Checkpointer
from hmtl.training.invalid_loss import InvalidLossGuard
from hmtl.training.samplers import UniformSampler
from hmtl.training.tasks import RunningLoss, TaskData, TaskProgress, TaskTraining
from hmtl.training.trainer import MultiTaskTrainer
from script.torture import digest
from tests.training.small_runs import NUM_EPOCHS, STEPS_PER_EPOCH, small_trainer

CPU = torch.device("cpu")
INPUTS = torch.randn(8, 3, generator=torch.Generator().manual_seed(1))
TARGETS = torch.randn(8, generator=torch.Generator().manual_seed(2))


class Toy(torch.nn.Module):
    """A linear model, its loss a mean over the batch, with a penalty if so wished."""

    def __init__(self, penalty: float = 0.0) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor([0.5, -1.0, 2.0]))
        self.unused = torch.nn.Parameter(torch.ones(2))
        self.penalty = penalty

    def forward(self, task_name: str, batch: Any, compute_metrics: bool) -> dict[str, torch.Tensor]:
        return {"loss": ((batch["inputs"] @ self.weight - batch["targets"]) ** 2).mean()}

    def get_metrics(self, task_name: str) -> dict[str, float]:
        return {}

    def get_regularization_penalty(self) -> Any:
        return self.penalty * (self.weight**2).sum() if self.penalty else None


class Batches:
    """Those of the examples with these numbers, in this order."""

    def __init__(self, batches: Sequence[Sequence[int]]) -> None:
        self.batches = [{"inputs": INPUTS[each], "targets": TARGETS[each]} for each in batches]

    def next_batch(self) -> dict[str, torch.Tensor]:
        return self.batches.pop(0)


def toy_trainer(
    model: Any, batches: Any, weighting: "LossWeighting | None" = None, **settings: Any
) -> MultiTaskTrainer:
    """Plain gradient descent on one task."""
    optimizer: Any = torch.optim.SGD(model.parameters(), lr=0.1)
    ner, nowhere = Task("ner", "loss"), Path()
    data = TaskData(ner, Batches(batches))  # type: ignore[arg-type]
    training = TaskTraining(data, optimizer, None, TaskProgress(ner), RunningLoss())
    return MultiTaskTrainer(
        model,
        {"ner": training},
        UniformSampler({"ner": 1}, seed=1),
        CPU,
        Checkpointer(nowhere),
        [],
        InvalidLossGuard(nowhere, CPU),
        TrainerConfig(**settings),
        weighting,
    )


def learn(model: Toy, batches: Sequence[Sequence[int]], **settings: Any) -> RunningLoss:
    """One step."""
    trainer = toy_trainer(model, batches, gradient_accumulation_steps=len(batches), **settings)
    trainer.train_step("ner")
    return trainer.tasks["ner"].running_loss


PARTS = [[0, 1], [2, 3], [4, 5], [6, 7]]


@pytest.mark.parametrize("clipping", [{}, {"grad_norm": 0.5}, {"grad_clipping": 0.2}])
@pytest.mark.parametrize("penalty", [0.0, 0.3])
def test_batches_of_a_step_are_the_joint_batch(clipping: Any, penalty: float) -> None:
    """Clipped once: clipping the gradient of each part would give another step."""
    joint, split = Toy(penalty), Toy(penalty)
    of_joint = learn(joint, [list(range(8))], **clipping)
    of_split = learn(split, PARTS, **clipping)
    assert not torch.equal(joint.weight, Toy().weight)
    torch.testing.assert_close(split.weight, joint.weight)
    assert of_split.count == of_joint.count == 1
    assert of_split.mean() == pytest.approx(of_joint.mean())


def test_weight_of_a_loss_is_none_of_the_penaltys() -> None:
    model = Toy(penalty=0.3)
    weight = model.weight.detach().clone().requires_grad_()
    loss = ((INPUTS @ weight - TARGETS) ** 2).mean()
    (0.25 * loss + 0.3 * (weight**2).sum()).backward()
    assert weight.grad is not None
    running_loss = learn(
        model, [list(range(8))], weighting=FixedLossWeighting(["ner"], CPU, {"ner": 0.25})
    )
    torch.testing.assert_close(model.weight.detach(), (weight - 0.1 * weight.grad).detach())
    # What is told is the loss itself, which can be compared from run to run.
    assert running_loss.mean() == pytest.approx(float(loss.detach()))


def test_gradients_do_not_reach_into_the_next_step() -> None:
    once, twice = Toy(), Toy()
    learn(once, [[0, 1]])
    twice.weight.grad = torch.ones(3)
    learn(twice, [[0, 1]])
    assert torch.equal(once.weight, twice.weight)


def accumulating(directory: Path, **options: Any) -> MultiTaskTrainer:
    return small_trainer(directory, multi_task_trainer__gradient_accumulation_steps=2, **options)


def test_step_takes_the_next_batches_of_its_task(tmp_path: Path) -> None:
    trainer = accumulating(tmp_path)
    before = {name: training.stream.state_dict() for name, training in trainer.tasks.items()}
    report = trainer.train_step("ner")
    assert (report.step, report.task_name) == (1, "ner")
    # Of two batches a pass.
    assert trainer.tasks["ner"].stream.state_dict() == {"passes": 1, "position": 0}
    assert trainer.tasks["relation"].stream.state_dict() == before["relation"]


def test_epoch_takes_as_many_batches_with_larger_steps(tmp_path: Path) -> None:
    trainer = accumulating(tmp_path)
    assert trainer.steps_per_epoch == STEPS_PER_EPOCH // 2
    trainer.train()
    assert trainer.step == NUM_EPOCHS * STEPS_PER_EPOCH // 2
    assert sum(each.running_loss.count for each in trainer.tasks.values()) == 0


def test_reported_loss_is_the_mean_of_the_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = accumulating(tmp_path)
    losses: list[float] = []
    accepts = InvalidLossGuard.accepts

    def noting(guard: InvalidLossGuard, *arguments: Any) -> bool:
        losses.append(arguments[3].item())
        return accepts(guard, *arguments)

    monkeypatch.setattr(InvalidLossGuard, "accepts", noting)
    report = trainer.train_step("ner")
    assert len(losses) == 2 and losses[0] != losses[1]
    assert float(report.loss) == pytest.approx(sum(losses) / 2)


class Scaled:
    """A model whose losses are multiplied by numbers, one after the other."""

    def __init__(self, trainer: MultiTaskTrainer, factors: Sequence[float]) -> None:
        self.forward, self.factors = trainer.model.forward, list(factors)

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        output = self.forward(*arguments, **options)
        return {**output, "loss": output["loss"] * self.factors.pop(0)}


def test_batch_that_is_skipped_counts_as_a_gradient_of_zero(tmp_path: Path) -> None:
    skipping = accumulating(tmp_path / "a", multi_task_trainer__on_invalid_loss="skip")
    zero = accumulating(tmp_path / "b", multi_task_trainer__on_invalid_loss="skip")
    for trainer, factor in ((skipping, float("nan")), (zero, 0.0)):
        torch.manual_seed(1)
        trainer.model.forward = Scaled(trainer, [1.0, factor])  # type: ignore[method-assign]
        trainer.train_step("relation")
    assert skipping.loss_guard.num_skipped == 1 and zero.loss_guard.num_skipped == 0
    for mine, theirs in zip(skipping.model.parameters(), zero.model.parameters()):
        torch.testing.assert_close(mine, theirs)


def test_step_whose_batches_are_all_skipped_is_not_made(tmp_path: Path) -> None:
    trainer = accumulating(tmp_path, multi_task_trainer__on_invalid_loss="skip")
    before = digest(trainer.model.state_dict())
    trainer.model.forward = Scaled(trainer, [float("nan")] * 2)  # type: ignore[method-assign]
    trainer.train_step("ner")
    assert trainer.loss_guard.num_skipped == 2 and trainer.step == 1
    assert digest(trainer.model.state_dict()) == before
    assert not trainer.tasks["ner"].optimizer.state


def test_invalid_loss_in_the_second_batch_stops_the_run_before_anything_is_learned(
    tmp_path: Path,
) -> None:
    trainer = accumulating(tmp_path)
    before = digest(trainer.model.state_dict())
    trainer.model.forward = Scaled(trainer, [1.0, float("inf")])  # type: ignore[method-assign]
    with pytest.raises(DataError, match="task 'ner' is not a finite number at step 1"):
        trainer.train_step("ner")
    assert digest(trainer.model.state_dict()) == before


@pytest.mark.parametrize("steps", [0, -1])
def test_less_than_one_batch_a_step_is_refused(tmp_path: Path, steps: int) -> None:
    with pytest.raises(
        ConfigurationError, match=rf"^multi_task_trainer\.gradient_accumulation_steps is {steps};"
    ):
        small_trainer(tmp_path, multi_task_trainer__gradient_accumulation_steps=steps)
