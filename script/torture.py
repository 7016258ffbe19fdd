#!/usr/bin/env python
"""
Kills trainings with SIGKILL at random moments, recovers them until they are done, and compares each with
one that was never interrupted: the weights bit for bit, metrics.json, and the TensorBoard log.
"""

import argparse
import hashlib
import json
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from multiprocessing.context import ForkProcess
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

import hmtl.compat  # noqa: E402, F401
from hmtl.common.environment import set_thread_policy  # noqa: E402

# Small enough that a run takes seconds; everything that has a state is in it.
OVERRIDES: dict[str, Any] = {
    "data_root": str(REPOSITORY / "data" / "sample"),
    "unseen_labels": "miss",
    "task_ner.data_params.dataset_reader.max_instances": 64,
    "task_emd.data_params.dataset_reader.max_instances": 64,
    "task_relation.data_params.dataset_reader.max_instances": 24,
    "task_coref.data_params.dataset_reader.max_instances": 2,
    "model.ner.encoder.hidden_size": 8,
    "model.emd.encoder.hidden_size": 8,
    "model.relation.encoder.hidden_size": 8,
    "model.coref.encoder.hidden_size": 8,
    "multi_task_trainer.num_epochs": 3,
    "multi_task_trainer.cuda_device": -1,
    "multi_task_trainer.no_tqdm": True,
    "multi_task_trainer.training_metrics_interval": 3,
    "multi_task_trainer.checkpoint_every_n_steps": 4,
    "multi_task_trainer.scheduler.patience": 0,
    "multi_task_trainer.summary_interval": 1,
    "multi_task_trainer.log_parameter_statistics": True,
    "multi_task_trainer.log_gradient_statistics": True,
}
FORK = multiprocessing.get_context("fork")
CONFIG = REPOSITORY / "configs" / "hmtl_sample.json"
# So many runs in a hundred are killed while a checkpoint is being written, the others at any moment.
PERCENT_IN_CHECKPOINTS = 40
# And so many are killed again while they recover.
PERCENT_KILLED_AGAIN = 30
POLL_SECONDS = 0.0005
# Writing a checkpoint of this size takes about so long.
CHECKPOINT_SECONDS = 0.03


@dataclass
class Result:
    """What a run comes to: digests of its weights by file, its metrics, and its curves."""

    weights: dict[str, str]
    metrics: dict[str, Any]
    curves: dict[str, list[tuple[int, float]]]

    def differences(self, other: "Result") -> list[str]:
        """What is not the same in another run."""
        return [
            f"{kind} {name}: {mine.get(name)} and {theirs.get(name)}"
            for kind, mine, theirs in (
                ("weights", self.weights, other.weights),
                ("metric", self.metrics, other.metrics),
                ("curve", self.curves, other.curves),
            )
            for name in sorted({*mine, *theirs})
            if mine.get(name) != theirs.get(name)
        ]


def result_of(directory: Path) -> Result:
    """What a run that is over came to."""
    from hmtl.common.tensors import load_tensors

    metrics = json.loads((directory / "metrics.json").read_text(encoding="utf-8"))
    del metrics["training_duration"]
    weights = {path.name: digest(load_tensors(path)) for path in directory.glob("best_*.th")}
    weights["model_state.th"] = digest(load_tensors(directory / "model_state.th"))
    return Result(weights, metrics, curves_of(directory / "log"))


def digest(state: dict[str, Any]) -> str:
    """Of the names and the bits of all tensors."""
    total = hashlib.sha256()
    for name, tensor in state.items():
        total.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        total.update(tensor.contiguous().numpy().tobytes())
    return total.hexdigest()


def curves_of(log_dir: Path) -> dict[str, list[tuple[int, float]]]:
    """All points of every curve, in the order in which TensorBoard finds them."""
    from tensorboard.backend.event_processing.event_accumulator import SCALARS, EventAccumulator

    curves = {}
    for directory in sorted(log_dir.iterdir()):
        events = EventAccumulator(str(directory), size_guidance={SCALARS: 0})
        events.Reload()
        for tag in events.Tags()["scalars"]:
            points = [(event.step, event.value) for event in events.Scalars(tag)]
            curves[f"{directory.name}/{tag}"] = points
    return curves


def _train_in_process(train: Callable[[], Any], log: Path) -> None:
    with open(log, "ab", buffering=0) as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    train()


class Torturer:
    """
    # Parameters

    directory : `Path`
        For the runs; those that come out right are removed.
    config_file : `Path`
    overrides : `Dict[str, Any]`
        Entries to replace in it.
    rng : `random.Random`
        Chooses the moments.
    """

    def __init__(
        self, directory: Path, config_file: Path, overrides: dict[str, Any], rng: random.Random
    ) -> None:
        from hmtl.config.loading import load_config

        self.directory = directory
        self.rng = rng
        self.config_file = config_file
        self.overrides = json.dumps(overrides)
        self.config = load_config(config_file, self.overrides)
        self.kills = 0

    def run_uninterrupted(self) -> tuple[Result, float]:
        """What should come out, and the seconds that it takes."""
        directory = self.directory / "uninterrupted"
        import hmtl.runs.training  # noqa: F401

        started = time.monotonic()
        self._finish(self._start(directory))
        return result_of(directory), time.monotonic() - started

    def run_from_command_line(self) -> Result:
        """The same from a process of its own, with other hashes of strings and its own imports."""
        directory = self.directory / "command-line"
        command = [sys.executable, str(REPOSITORY / "train.py"), "-s", str(directory)]
        command += ["-c", str(self.config_file), "-o", self.overrides]
        environment = {**os.environ, "PYTHONHASHSEED": str(self.rng.randrange(2**32))}
        subprocess.run(command, check=True, env=environment, capture_output=True)
        return result_of(directory)

    def run_killed(self, name: str, seconds: float) -> tuple[Result, list[str]]:
        """A run that is killed at least once, and where it was killed."""
        directory = self.directory / name
        moments: list[str] = []
        while not moments or self.rng.randrange(100) < PERCENT_KILLED_AGAIN:
            attempt = self._start(directory)
            moment = self._let_run(attempt, directory, seconds)
            attempt.kill()
            attempt.join()
            if attempt.exitcode == -signal.SIGKILL:
                self.kills += 1
                moments.append(moment)
            elif attempt.exitcode:
                self._finish(attempt)
            elif not moments:
                shutil.rmtree(directory)
        self._finish(self._start(directory))
        return result_of(directory), moments

    def _start(self, directory: Path) -> ForkProcess:
        """Train in a process of its own, which has nothing left to import."""
        from hmtl.runs.training import train

        recover = directory.exists()
        training = partial(train, self.config, directory, recover=recover, force=False)
        attempt = FORK.Process(
            target=_train_in_process, args=(training, self.directory / "log.txt")
        )
        attempt.start()
        return attempt

    def _let_run(self, attempt: ForkProcess, directory: Path, seconds: float) -> str:
        started = time.monotonic()
        end = started + self.rng.uniform(0, seconds)
        in_checkpoint = self.rng.randrange(100) < PERCENT_IN_CHECKPOINTS
        while time.monotonic() < end and attempt.is_alive():
            time.sleep(POLL_SECONDS)
        while in_checkpoint and attempt.is_alive() and not _checkpoint_in_the_making(directory):
            time.sleep(POLL_SECONDS)
        if in_checkpoint:
            time.sleep(self.rng.uniform(0, CHECKPOINT_SECONDS))
        place = "in a checkpoint" if _checkpoint_in_the_making(directory) else "elsewhere"
        return f"{time.monotonic() - started:.2f} s {place}"

    def _finish(self, attempt: ForkProcess) -> None:
        attempt.join()
        if attempt.exitcode != 0:
            log = (self.directory / "log.txt").read_text(encoding="utf-8")
            sys.exit(f"a training failed ({self.directory}):\n{log[-4000:]}")


def _checkpoint_in_the_making(directory: Path) -> bool:
    return any((directory / "checkpoints").glob(".*.partial"))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50, metavar="N", help="runs to kill (50)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments (0)")
    parser.add_argument(
        "--config_file_path", type=Path, default=CONFIG, metavar="FILE", help="what to train"
    )
    parser.add_argument(
        "--overrides", type=json.loads, default={}, metavar="JSON", help="entries to replace in it"
    )
    parser.add_argument(
        "--command-line", action="store_true", help="compare also with a run of train.py"
    )
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    # One thread: the processes are forked, and threads are not.
    os.environ["OMP_NUM_THREADS"] = "1"
    set_thread_policy()
    directory = Path(tempfile.mkdtemp(prefix="torture-"))
    overrides = {**OVERRIDES, **arguments.overrides}
    rng = random.Random(arguments.seed)
    torturer = Torturer(directory, arguments.config_file_path, overrides, rng)
    expected, seconds = torturer.run_uninterrupted()
    print(f"never interrupted: {seconds:.1f} s, weights {expected.weights['model_state.th'][:16]}")
    if arguments.command_line:
        problems = expected.differences(torturer.run_from_command_line())
        print(f"the same from the command line: {'equal' if not problems else problems}")
    equal = 0
    for number in range(1, arguments.kills + 1):
        result, moments = torturer.run_killed(f"run-{number}", seconds)
        problems = expected.differences(result)
        equal += not problems
        print(
            f"{number:3}: killed at {', '.join(moments)}: {'equal' if not problems else 'DIFFERENT'}"
        )
        if problems:
            print("\n".join(problem[:500] for problem in problems[:10]))
        else:
            shutil.rmtree(directory / f"run-{number}")
    print(
        f"killed {torturer.kills} times; equal to the run that was never interrupted: {equal} of "
        f"{arguments.kills}"
    )
    if equal < arguments.kills:
        sys.exit(f"the others lie in {directory}")
    shutil.rmtree(directory)


if __name__ == "__main__":
    main()
