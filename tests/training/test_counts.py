"""What heads count can be kept and taken up again."""

import json

import pytest

from hmtl.training.trainer import MultiTaskTrainer
from tests.training.small_runs import small_trainer

TASKS = ["ner", "relation", "coref"]


@pytest.fixture(scope="module")
def trainer(tmp_path_factory: pytest.TempPathFactory) -> MultiTaskTrainer:
    overrides = {"task_coref__data_params__dataset_reader__max_instances": 1}
    return small_trainer(tmp_path_factory.mktemp("run"), tasks=TASKS, **overrides)


@pytest.mark.parametrize("task_name", TASKS)
def test_head_goes_on_from_its_counts(trainer: MultiTaskTrainer, task_name: str) -> None:
    model, batch = trainer.model, trainer.tasks[task_name].stream.next_batch()
    model.get_metrics(task_name, reset=True)
    nothing = model.counts(task_name)
    model(task_name, batch, full=True)
    counts, metrics = model.counts(task_name), model.get_metrics(task_name, full=True)
    assert counts != nothing
    model.get_metrics(task_name, reset=True)
    assert model.counts(task_name) == nothing
    # As a file would hold them.
    model.restore_counts(task_name, json.loads(json.dumps(counts)))
    assert model.get_metrics(task_name, full=True) == metrics
    assert model.counts(task_name) == counts


@pytest.mark.parametrize("task_name", TASKS)
def test_every_built_in_head_has_counters(trainer: MultiTaskTrainer, task_name: str) -> None:
    assert trainer.model.counts(task_name)
