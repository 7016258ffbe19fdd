"""Trainings that take a second, for tests of what surrounds the training."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from hmtl.config.loading import Config, load_config
from hmtl.runs.assembly import assemble, parse_config
from hmtl.runs.training import build_trainer
from hmtl.training.callbacks import Callback, StepReport
from hmtl.training.trainer import MultiTaskTrainer

REPOSITORY = Path(__file__).resolve().parents[2]

# Two tasks, one above the other; three epochs of four steps, a checkpoint after every third step.
NUM_EPOCHS, STEPS_PER_EPOCH, CHECKPOINT_EVERY = 3, 4, 3
OVERRIDES: dict[str, Any] = {
    "tasks": ["ner", "relation"],
    "data_root": str(REPOSITORY / "data" / "sample"),
    "unseen_labels": "miss",
    "task_ner.data_params.dataset_reader.max_instances": 8,
    "task_relation.data_params.dataset_reader.max_instances": 4,
    "iterators.iterator.batch_size": 4,
    "iterators.iterator_relation.batch_size": 2,
    "model.ner.encoder.hidden_size": 4,
    "model.relation.encoder.hidden_size": 4,
    "multi_task_trainer.num_epochs": NUM_EPOCHS,
    "multi_task_trainer.checkpoint_every_n_steps": CHECKPOINT_EVERY,
    "multi_task_trainer.scheduler.patience": 0,
    "multi_task_trainer.training_metrics_interval": 1,
    "multi_task_trainer.summary_interval": 1,
    "multi_task_trainer.log_parameter_statistics": False,
    "multi_task_trainer.cuda_device": -1,
    "multi_task_trainer.no_tqdm": True,
}


def small_config(**overrides: Any) -> Config:
    """
    # Parameters

    overrides : `Any`
        By dotted path with `__` for the dots.
    """
    changed = {name.replace("__", "."): value for name, value in overrides.items()}
    return load_config(
        REPOSITORY / "configs" / "hmtl_sample.json", json.dumps({**OVERRIDES, **changed})
    )


def small_trainer(directory: Path, **overrides: Any) -> MultiTaskTrainer:
    """A trainer whose directory holds its vocabulary and nothing else."""
    config = small_config(**overrides)
    directory.mkdir(parents=True, exist_ok=True)
    return build_trainer(assemble(parse_config(config), directory, ("train", "validation", "test")))


@contextmanager
def one_thread() -> Iterator[None]:
    """Tensors this small are not worth sharing."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Crash(RuntimeError):
    """What ends a run in these tests."""


class CrashAtStep(Callback):
    """Ends a run after a step, before anything else happens."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_step(self, report: StepReport) -> None:
        if report.step == self.step:
            raise Crash
