"""Predicting a corpus that outgrows a machine, on a Ray cluster: Ray Data hands out the shards."""

from __future__ import annotations

import json
import logging
import os
import signal
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from allennlp.common.checks import ConfigurationError
from allennlp.common.util import import_module_and_submodules
from tqdm import tqdm

from hmtl.common.interruption import SIGNALS, put_back
from hmtl.errors import DataError
from hmtl.prediction.predictor import Predictor
from hmtl.prediction.shards import Job, Piece, Shard, predict_shard


@dataclass(frozen=True)
class Model:
    """
    What each worker answers with; see `Predictor.from_serialization_dir`.

    # Parameters

    directory : `str`
        On a file system that all machines share.
    packages : `list[str]`, optional (default = `[]`)
        What to import first.
    """

    directory: str
    weights: str | None = None
    device: str | None = None
    pipeline: str | None = None
    scores: bool = False
    packages: list[str] = field(default_factory=list)

    def load(self) -> Predictor:
        """Return the predictor."""
        for package in self.packages:
            import_module_and_submodules(package)
        return Predictor.from_serialization_dir(
            self.directory, self.weights, self.device, self.pipeline, scores=self.scores
        )


class Worker:
    """
    An actor: a process somewhere that has a predictor.

    # Parameters

    model : `Model`
    job : `Job`
    """

    def __init__(self, model: Model, job: Job) -> None:
        self._model, self._job = model, job
        self._predictor: Predictor | None = None

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[Any]]:
        """Predict the one shard of a batch. What is the user's to mend goes to the driver as a message."""
        done, problem = 0, ""
        shard = [Piece(*each) for each in json.loads(batch["shard"][0])]
        try:
            if self._predictor is None:
                self._predictor = self._model.load()
            done = predict_shard(self._predictor, shard, int(batch["number"][0]), self._job)
        except (ConfigurationError, DataError) as error:
            problem = error.message if isinstance(error, ConfigurationError) else str(error)
        return {"texts": [done], "problem": [problem]}


def predict_on_ray(
    model: Model, job: Job, shards: Sequence[Shard], numbers: Sequence[int], workers: int | None
) -> int:
    """
    Predict shards on the Ray cluster that `RAY_ADDRESS` names, else on this machine. A worker that dies is
    replaced, and its shard predicted again.

    # Parameters

    model : `Model`
    job : `Job`
    shards : `Sequence[Shard]`
    numbers : `Sequence[int]`
        Which of them.
    workers : `int`, optional
        How many at most; `None` is one for each GPU, or for each CPU where there are none.

    # Returns

    num_predicted : `int`

    # Raises

    DataError
        When Ray is not installed, or the first worker says what is wrong. The shards that are done stay.
    """
    ray = load_ray()
    with ExitStack() as stack:
        if not ray.is_initialized():
            # Ray answers signals in its own way, and with an abort.
            handlers: dict[int, Any] = {each: signal.getsignal(each) for each in SIGNALS}
            ray.init(logging_level="ERROR", log_to_driver=False)
            stack.callback(ray.shutdown)
            put_back(handlers)
        ray.data.DataContext.get_current().enable_progress_bars = False
        logging.getLogger("ray").setLevel(logging.ERROR)
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        resources = ray.cluster_resources()
        gpus = 0 if model.device == "cpu" else int(resources.get("GPU", 0))
        most = workers or gpus or int(resources.get("CPU", 1))
        rows = [{"number": number, "shard": json.dumps(shards[number])} for number in numbers]
        results = ray.data.from_items(rows, override_num_blocks=len(rows)).map_batches(
            Worker,
            fn_constructor_args=(model, job),
            batch_size=1,
            compute=ray.data.ActorPoolStrategy(
                min_size=1,
                max_size=most,
                initial_size=min(most, len(rows)),
                max_tasks_in_flight_per_actor=2,
            ),
            num_cpus=1,
            num_gpus=1 if gpus else 0,
        )
        done = 0
        bar = stack.enter_context(
            tqdm(total=len(rows), desc="predicting", unit="shard", disable=None)
        )
        for row in results.iter_rows():
            if row["problem"]:
                raise DataError(row["problem"])
            done += int(row["texts"])
            bar.update()
    return done


def load_ray() -> Any:
    """
    Return the package.

    # Raises

    DataError
        When it is not installed.
    """
    # Ray would tell its makers how it is used, and its users what they cannot mend.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise DataError(
            "--on ray needs the package ray; install it on all machines with: pip install 'hmtl[ray]'"
        ) from error
    return ray
