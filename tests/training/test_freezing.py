"""What is frozen is not trained, until it is unfrozen; groups of parameters have rates of their own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from allennlp.common.checks import ConfigurationError

from hmtl.config.checking import faults_in_section
from hmtl.config.schema import TrainerConfig
from hmtl.models.hmtl import Hmtl
from hmtl.runs.training import train
from hmtl.training.callbacks import Callback, EpochReport, RunReport
from hmtl.training.trainer import MultiTaskTrainer
from script.torture import result_of
from tests.training.small_runs import Crash, CrashAtStep, small_config, small_trainer

State = dict[str, torch.Tensor]

EMBEDDER, NER, HEADS = "text_field_embedder", "encoders[.]ner[.]", "^heads[.]"


class Weights(Callback):
    """Keeps the weights at the start and after each epoch."""

    def __init__(self) -> None:
        self.model: Hmtl
        self.states: list[State] = []

    def on_start(self, report: RunReport) -> None:
        assert isinstance(report.model, Hmtl)
        self.model = report.model
        self._keep()

    def on_epoch(self, report: EpochReport) -> None:
        self._keep()

    def _keep(self) -> None:
        state = self.model.state_dict()
        self.states.append({name: tensor.clone() for name, tensor in state.items()})

    def changed_in_epoch(self, epoch: int) -> set[str]:
        """Which parts of the model were trained."""
        before, after = self.states[epoch], self.states[epoch + 1]
        names = [name for name in before if not torch.equal(before[name], after[name])]
        return {
            ".".join(name.split(".")[: 3 if "encoders.encoders" in name else 2]) for name in names
        }


def frozen(freeze: list[str], unfreeze: list[Any] | None = None, **more: Any) -> dict[str, Any]:
    return {
        "multi_task_trainer__freeze": freeze,
        "multi_task_trainer__unfreeze": unfreeze or [],
        **more,
    }


PARTS = {
    EMBEDDER: "encoders.text_field_embedder",
    NER: "encoders.encoders.ner",
    "relation": "encoders.encoders.relation",
    "heads": "heads.ner",
}


def test_frozen_parameters_stay_and_the_others_are_trained(tmp_path: Path) -> None:
    trainer = small_trainer(tmp_path, **frozen([EMBEDDER, NER]))
    weights = Weights()
    trainer.callbacks.append(weights)
    trainer.train()
    for epoch in range(3):
        changed = weights.changed_in_epoch(epoch)
        assert not changed & {PARTS[EMBEDDER], PARTS[NER]}
        assert PARTS["heads"] in changed


def test_parameters_are_unfrozen_in_their_epochs(tmp_path: Path) -> None:
    unfreeze = [[1, [NER]], [2, [EMBEDDER]]]
    trainer = small_trainer(tmp_path, **frozen([EMBEDDER, NER], unfreeze))
    weights = Weights()
    trainer.callbacks.append(weights)
    trainer.train()
    trained = [weights.changed_in_epoch(epoch) for epoch in range(3)]
    assert [PARTS[NER] in each for each in trained] == [False, True, True]
    assert [PARTS[EMBEDDER] in each for each in trained] == [False, False, True]


def test_frozen_parameters_have_no_optimizer_state(tmp_path: Path) -> None:
    trainer = small_trainer(tmp_path, **frozen([EMBEDDER, NER], [[2, [NER]]]))
    trainer.settings.num_epochs = 1
    trainer.train()
    parameters = dict(trainer.model.named_parameters())
    still = [each for name, each in parameters.items() if not each.requires_grad]
    assert len(still) > 8
    for training in trainer.tasks.values():
        assert training.optimizer.state
        assert not any(each in training.optimizer.state for each in still)
    # What is never unfrozen is not even known to the optimizer.
    known = {id(each) for group in training.optimizer.param_groups for each in group["params"]}
    assert not any(id(each) in known for name, each in parameters.items() if EMBEDDER in name)


SCHEDULE = frozen(
    [EMBEDDER, NER],
    [[1, [NER]], [2, ["."]]],
    multi_task_trainer__lr_factor_below=0.5,
    multi_task_trainer__optimizer={
        "type": "adam",
        "lr": 0.01,
        "parameter_groups": [[[EMBEDDER, NER], {"lr": 0.001}], [["^heads"], {"lr": 0.02}]],
    },
)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Any:
    directory = tmp_path_factory.mktemp("runs") / "uninterrupted"
    train(small_config(**SCHEDULE), directory, recover=False, force=False)
    return result_of(directory)


@pytest.mark.parametrize("step", [3, 7, 10])
def test_run_with_a_schedule_is_recovered_exactly(
    tmp_path: Path, build_with: Callable, uninterrupted: Any, step: int
) -> None:
    build_with(CrashAtStep(step))
    with pytest.raises(Crash):
        train(small_config(**SCHEDULE), tmp_path / "run", recover=False, force=False)
    build_with()
    train(small_config(**SCHEDULE), tmp_path / "run", recover=True, force=False)
    assert uninterrupted.differences(result_of(tmp_path / "run")) == []


def rates(trainer: MultiTaskTrainer, task: str = "ner") -> dict[str, float]:
    names = {id(each): name for name, each in trainer.model.named_parameters()}
    return {
        names[id(each)]: group["lr"]
        for group in trainer.tasks[task].optimizer.param_groups
        for each in group["params"]
    }


@pytest.mark.parametrize("task", ["ner", "relation"])
def test_groups_have_rates_of_their_own_in_every_tasks_optimizer(tmp_path: Path, task: str) -> None:
    for name, rate in rates(small_trainer(tmp_path, **SCHEDULE), task).items():
        if "encoders.ner." in name:
            # It is below the level of relations.
            assert rate == (0.001 if task == "ner" else 0.0005), name
        else:
            shares = {EMBEDDER: 0.001, "heads": 0.02}
            assert rate == next((shares[each] for each in shares if each in name), 0.01), name


def test_group_without_gradient_is_frozen(tmp_path: Path) -> None:
    groups = [[[NER], {"requires_grad": False}]]
    trainer = small_trainer(tmp_path, multi_task_trainer__optimizer__parameter_groups=groups)
    assert not any("encoders.ner" in name for name in rates(trainer))


@pytest.mark.parametrize(
    "overrides, match",
    [
        (frozen(["encoders.nre"]), r"freeze\.0 .*matches no parameter.*encoders\.ner"),
        (frozen(["("]), r"freeze\.0 .*is no regular expression"),
        (frozen([NER], [[1, [EMBEDDER]]]), r"unfreeze\.0\.1\.0 .*matches no parameter"),
        (frozen([NER], [[0, [NER]]]), r"unfreeze\.0\.0 is 0"),
        (frozen(["."]), r"freeze leaves nothing to train for task 'ner' in the first epoch"),
        (frozen(["encoders", "heads[.]relation"]), "nothing to train for task 'relation'"),
        (
            {"multi_task_trainer__optimizer__parameter_groups": [[["encoders.nre"], {"lr": 1.0}]]},
            r"parameter_groups\.0\.0\.0 .*matches no parameter",
        ),
        (
            {"multi_task_trainer__optimizer__parameter_groups": [[[NER], {"rate": 1.0}]]},
            "parameter_groups sets rate, which this optimizer does not know.*lr",
        ),
        (
            {"multi_task_trainer__optimizer__parameter_groups": [[["."], {}], [[NER], {}]]},
            "two separate parameter groups",
        ),
    ],
)
def test_what_would_do_nothing_is_refused(
    tmp_path: Path, overrides: dict[str, Any], match: str
) -> None:
    with pytest.raises(ConfigurationError, match=match):
        small_trainer(tmp_path, **overrides)


@pytest.mark.parametrize(
    "key, value", [("freeze", "encoders"), ("unfreeze", [["1", ["."]]]), ("unfreeze", [[1, "."]])]
)
def test_value_of_the_wrong_kind_is_refused(key: str, value: Any) -> None:
    (fault,) = faults_in_section(TrainerConfig, {key: value}, "trainer")
    assert fault.startswith(f"trainer.{key}")


def test_task_that_is_never_drawn_may_be_frozen_as_a_whole(tmp_path: Path) -> None:
    trainer = small_trainer(
        tmp_path,
        **frozen(["text_field_embedder", "[.]ner[.]"]),
        multi_task_trainer__sampling_method={"type": "uniform", "factors": {"ner": 0}},
    )
    trainer.settings.num_epochs = 1
    trainer.train()
    assert trainer.tasks["ner"].progress.best_epoch == 0
    assert not trainer.tasks["ner"].optimizer.state
