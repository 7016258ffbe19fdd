"""What the processes of `test_distributed.py` do, and what one process does to be compared with them."""

import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from hmtl.commands.cli import running
from hmtl.config.checking import check_config
from hmtl.config.loading import Config
from hmtl.runs import training
from hmtl.runs.assembly import Experiment, assemble, parse_config
from hmtl.runs.training import build_trainer
from hmtl.runs.training import train as train_in
from hmtl.training.callbacks import Callback, StepReport
from hmtl.training.distributed import DistributedProcessGroup, joining_process_group
from hmtl.training.evaluation import evaluate
from hmtl.training.trainer import MultiTaskTrainer
from tests.training.small_runs import small_config

TASKS = ["ner", "emd", "relation", "coref"]
BATCHES_PER_TASK = 3
# Of two processes, one has no coreference document left. The parts of the other batches differ in length.
COMPARED: dict[str, Any] = {
    "tasks": TASKS,
    "task_ner__data_params__dataset_reader__max_instances": 11,
    "task_emd__data_params__dataset_reader__max_instances": 7,
    "task_relation__data_params__dataset_reader__max_instances": 7,
    "task_coref__data_params__dataset_reader__max_instances": 3,
    "iterators__iterator_coref__batch_size": 1,
    "iterators__iterator_relation__batch_size": 3,
    "regularizer": {"regexes": [["heads", {"type": "l2", "alpha": 0.01}]]},
    "multi_task_trainer__loss_weighting": {"type": "uncertainty", "lr": 1e-6},
    "multi_task_trainer__gradient_surgery": "pcgrad",
}
DROPOUT = ("dropout", "input_dropout")


def compared_config() -> Config:
    """Without dropout, which is other in each process."""
    config = small_config(**COMPARED)
    _set_dropout_to_zero(config["model"])
    check_config(config)
    return config


def _set_dropout_to_zero(block: Any) -> None:
    for key, value in block.items():
        if key in DROPOUT:
            block[key] = 0.0
        elif isinstance(value, dict):
            _set_dropout_to_zero(value)


def compute(directory: Path) -> None:
    """What this process has after some steps and a validation, in `of-<number>.pt`."""
    with joining_process_group(-1) as processes:
        with processes.main_first():
            built = assemble(
                parse_config(compared_config()),
                directory,
                ("train", "validation"),
                processes=processes,
            )
        trainer = build_trainer(built)
        torch.save(figures(trainer), directory / f"of-{processes.part.rank}.pt")


def average_sparse(directory: Path, rows: Sequence[list[int]]) -> None:
    """What the mean of sparse gradients is to this process, in `sparse-<number>.pt`."""
    with joining_process_group(-1) as processes:
        rank = processes.part.rank
        tables = [torch.nn.Embedding(6, 2, sparse=True) for _ in range(2)]
        (tables[0](torch.tensor(rows[rank])).sum() * (rank + 1)).backward()
        if rank == 1:
            tables[1](torch.tensor([0])).sum().backward()
        processes.average_gradients(p for each in tables for p in each.parameters())
        found = {name: each.weight.grad for name, each in zip(("both", "one"), tables)}
        torch.save(found, directory / f"sparse-{rank}.pt")


def figures(trainer: MultiTaskTrainer) -> dict[str, Any]:
    """By task, of steps and of a validation; and what the surgery on the steps' gradients has to tell."""
    surgery = trainer.gradient_surgery
    assert surgery is not None
    return {
        "steps": {name: steps(trainer, name) for name in TASKS},
        "surgery": surgery.metrics(),
        "validation": {
            name: evaluate(
                *(trainer.model, name, trainer.tasks[name].validation, trainer.device),
                full=True,
                processes=trainer.processes,
            )
            for name in TASKS
        },
    }


def steps(trainer: MultiTaskTrainer, task_name: str) -> list[dict[str, Any]]:
    """What each of some steps comes to; the weights stay as they are."""
    training = trainer.tasks[task_name]
    training.optimizer.step = lambda: None  # type: ignore[method-assign, assignment]
    trainer.settings.grad_norm = trainer.settings.grad_clipping = None
    made = []
    for _ in range(BATCHES_PER_TASK):
        report = trainer.train_step(task_name)
        gradients = {
            name: each.grad.clone()
            for name, each in trainer.model.named_parameters()
            if each.grad is not None
        }
        made.append({"loss": float(report.loss), "metrics": report.metrics, "gradients": gradients})
    return made


def train(directory: Path, at_step: str = "", step: int = 0, process: int = 0, **how: Any) -> None:
    """
    A small training as train.py runs it, in which one of the processes does something after a step.

    # Parameters

    directory : `Path`
    at_step : `str`, optional
        One of `EVENTS`.
    step, process : `int`, optional
        When, and which process.
    how : `Any`
        `recover`, and overrides of the config.
    """
    recover = how.pop("recover", False)
    if at_step:
        _arrange(EVENTS[at_step], step, process)
    with running([], by_several=True):
        train_in(small_config(**how), directory, recover=recover, force=False)


class BadBatch(Exception):
    """What a callback of the user's may raise."""


def _fail() -> None:
    raise BadBatch


def _lose_a_loss() -> None:
    """The loss of the next batch is not a number."""
    reduce_loss = DistributedProcessGroup.reduce_loss

    def once(processes: Any, model: Any, task_name: str, batch: Any, output: Any) -> Any:
        setattr(DistributedProcessGroup, "reduce_loss", reduce_loss)  # noqa: B010
        lost = {**output, "loss": output["loss"] * float("nan")}
        return reduce_loss(processes, model, task_name, batch, lost)

    setattr(DistributedProcessGroup, "reduce_loss", once)  # noqa: B010


EVENTS: dict[str, Callable[[], None]] = {
    "fail": _fail,
    "SIGKILL": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "SIGTERM": lambda: os.kill(os.getpid(), signal.SIGTERM),
    "lose a loss": _lose_a_loss,
}


class AtStep(Callback):
    def __init__(self, event: Callable[[], None], step: int) -> None:
        self.event, self.step = event, step

    def on_step(self, report: StepReport) -> None:
        if report.step == self.step:
            self.event()


def _arrange(event: Callable[[], None], step: int, process: int) -> None:
    build = training.build_trainer

    def building(built: Experiment) -> MultiTaskTrainer:
        trainer = build(built)
        if built.processes.part.rank == process:
            trainer.callbacks.append(AtStep(event, step))
        return trainer

    setattr(training, "build_trainer", building)  # noqa: B010
