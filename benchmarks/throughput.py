"""What the throughput benchmarks have in common: the two contestants, ready to go."""

import copy
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from benchmarks import workload
from benchmarks.baseline.plain import make_plain
from benchmarks.baseline.training import PlainTraining
from hmtl.common.precision import FULL
from hmtl.runs.assembly import Experiment, assemble, parse_config
from hmtl.runs.training import build_trainer
from hmtl.training.trainer import MultiTaskTrainer

TASKS = ("ner", "emd", "relation", "coref")
# On corpora and in a model of their own.
OTHER_TASKS = ("pos", "dep", "kind")
Batch = dict[str, Any]


@dataclass
class Contestants:
    """
    The project as it is (`experiment`, `trainer`), the plain form of the same model (`baseline`), and
    batches of each task in memory, of training and of validation data.
    """

    experiment: Experiment
    trainer: MultiTaskTrainer
    baseline: PlainTraining
    training: dict[str, list[Batch]]
    validation: dict[str, list[Batch]]


@contextmanager
def contestants(
    num_batches: int,
    tasks: tuple[str, ...] = TASKS,
    device: torch.device | None = None,
    precision: str = FULL,
) -> Iterator[Contestants]:
    """
    Over the whole workload; `num_batches` of training data of each task are in memory.

    # Parameters

    num_batches : `int`
    tasks : `tuple[str, ...]`, optional (default = `TASKS`)
        `TASKS` or `OTHER_TASKS`.
    device : `torch.device`, optional (default = `None`)
        Where to train; `None` is the CPU.
    precision : `str`, optional (default = `"fp32"`)
        That of the config. The plain form computes in single precision.
    """
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        corpora = directory / "corpora"
        if tasks == TASKS:
            workload.write_corpora(corpora)
            config = workload.config_for(corpora)
        else:
            workload.write_other_corpora(corpora)
            config = workload.other_config_for(corpora)
        config["multi_task_trainer"]["precision"] = precision
        experiment = assemble(parse_config(config), directory / "run", ("train", "validation"))
        if device is not None:
            experiment = replace(experiment, model=experiment.model.to(device), device=device)
        plain = copy.deepcopy(experiment.model).train()
        make_plain(plain)
        plain.precision = FULL
        trainer = build_trainer(experiment)
        trainer.model.train()
        streams = {name: trainer.tasks[name].stream for name in tasks}
        yield Contestants(
            experiment,
            trainer,
            PlainTraining(plain, list(tasks)),
            {
                name: [stream.next_batch() for _ in range(num_batches)]
                for name, stream in streams.items()
            },
            {name: list(trainer.tasks[name].validation) for name in tasks},
        )
