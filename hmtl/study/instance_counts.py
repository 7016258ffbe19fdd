"""What a run gets right in each sentence or document of the test data: what a bootstrap draws from."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy
import torch

from hmtl.common.devices import to_device
from hmtl.common.files import sha256_of, write_json
from hmtl.config.loading import Config
from hmtl.metrics.fractions import Fractions
from hmtl.models.heads.head import Head
from hmtl.runs.assembly import Experiment
from hmtl.runs.evaluation import load
from hmtl.training.checkpoints import best_weights_name
from hmtl.training.tasks import TaskData

logger = logging.getLogger(__name__)

COUNTS_FILE = "test_counts.json"
ONE_AT_A_TIME = {"iterator": {"type": "basic", "batch_size": 1}}


@runtime_checkable
class CountsFractions(Protocol):
    """A head's counter whose figures can be computed from sums over instances."""

    def fractions(self) -> dict[str, Fractions]:
        """By scorer, the sums since the last reset."""
        ...


@dataclass
class InstanceCounts:
    """
    A task's counts on the test data, with its own best weights.

    `data` is the digest of that data. `counts` has the shape `(num_instances, num_scorers, 4)`, the last
    being the parts of `Fractions`, in the order of the data.
    """

    data: str
    counts: numpy.ndarray


def instance_counts(serialization_dir: Path) -> dict[str, InstanceCounts]:
    """
    Reads `test_counts.json` of a finished run; makes it first, if it is not there or the weights are others
    since.

    # Parameters

    serialization_dir : `Path`
        The run.

    # Returns

    counts : `Dict[str, InstanceCounts]`
        By task, of those that are tested and whose head counts so.
    """
    path = serialization_dir / COUNTS_FILE
    weights = _digests_of_weights(serialization_dir)
    content = _read(path)
    if content is None or content["weights"] != weights:
        logger.info("%s: counting what it gets right in each test instance", serialization_dir)
        content = {
            "weights": weights,
            "tasks": _count_tasks(load(serialization_dir, _one_at_a_time)),
        }
        write_json(path, content)
    return {
        name: InstanceCounts(entry["data"], numpy.array(entry["counts"], dtype=float))
        for name, entry in content["tasks"].items()
    }


def _read(path: Path) -> dict[str, Any] | None:
    """What the file holds; nothing where there is none, or one that is damaged: it can be made anew."""
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (ValueError, RecursionError):
        logger.warning("%s is damaged: it is made anew", path)
        return None
    return content


def _digests_of_weights(serialization_dir: Path) -> dict[str, str]:
    paths = sorted(serialization_dir.glob(best_weights_name("*")))
    return {path.name: sha256_of(path) for path in paths}


def _one_at_a_time(config: Config) -> Config:
    return {**config, "iterators": ONE_AT_A_TIME}


def _count_tasks(experiment: Experiment) -> dict[str, Any]:
    tasks: dict[str, Any] = {}
    for data in experiment.tasks:
        name = data.task.name
        head = experiment.model.heads[name]
        assert isinstance(head, Head)
        counters = [each for each in head.counters().values() if isinstance(each, CountsFractions)]
        if data.test is not None and counters:
            experiment.load_best(name)
            counts = _count(experiment, data, counters[0])
            tasks[name] = {"data": data.digests["test"], "counts": counts}
    return tasks


def _count(
    experiment: Experiment, data: TaskData, counter: CountsFractions
) -> list[list[Fractions]]:
    assert data.test is not None
    model, name = experiment.model, data.task.name
    model.eval()
    counts = []
    with torch.inference_mode():
        for batch in experiment.progress_bar(data.test, name, len(data.test)):
            assert batch is not None, "one process takes all batches"
            model.get_metrics(name, reset=True)
            model(name, to_device(batch, experiment.device))
            counts.append(list(counter.fractions().values()))
    return counts
