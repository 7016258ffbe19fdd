"""
How long it takes from the start of the process to the end of the first training step, the first time on
some corpora and the second. The baseline is the first start, which reads, indexes, and fills the cache. The
assembly (corpora, vocabulary, model) is told by itself: the rest is mostly the import of libraries. What it
takes of the processor, user and system time, is told too: it says more than the clock on a busy machine.
Beside it stands what `import torch` takes of the processor, by itself: less than that it cannot be.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.reporting import REPOSITORY, median, report
from hmtl.runs.assembly import parse_config

REPEATS = 3
PATHS = ("train_data_path", "validation_data_path", "test_data_path")


class FirstStepDone(Exception):
    """Ends the training."""


def start_once(config_path: Path, cache: Path, directory: Path) -> None:
    """Prints when the process reached what, in seconds since the epoch."""
    from hmtl.config.checking import check_config
    from hmtl.config.loading import load_config
    from hmtl.config.schema import SPLITS
    from hmtl.runs.assembly import assemble
    from hmtl.runs.training import build_trainer
    from hmtl.training.callbacks import Callback, StepReport

    class Stop(Callback):
        def on_step(self, report: StepReport) -> None:
            raise FirstStepDone

    imported = time.time()
    config = load_config(config_path)
    config["cache"] = {"directory": str(cache)}
    check_config(config)
    directory.mkdir()
    experiment = assemble(parse_config(config), directory, SPLITS)
    assembled = time.time()
    trainer = build_trainer(experiment)
    trainer.callbacks.append(Stop())
    try:
        trainer.train()
    except FirstStepDone:
        reached = {"imported": imported, "assembled": assembled, "done": time.time()}
        print(json.dumps({**reached, "cpu": time.process_time()}))


def timed_start(config_path: Path, cache: Path, directory: Path) -> dict[str, float]:
    """Seconds of a start in a process of its own: in all, of the processor, and of its assembly."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.startup",
        "--once",
        *map(str, (config_path, cache, directory)),
    ]
    started = time.time()
    finished = subprocess.run(
        command,
        cwd=REPOSITORY,
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    reached = json.loads(finished.stdout.splitlines()[-1])
    return {
        "process_start_to_first_step": reached["done"] - started,
        "processor": reached["cpu"],
        "assembly": reached["assembled"] - reached["imported"],
    }


def processor_time_of_torch() -> float:
    """Seconds of the processor from the start of a process until torch is imported."""
    script = "import time, torch; print(time.process_time())"
    finished = subprocess.run(
        [sys.executable, "-c", script], check=True, stdout=subprocess.PIPE, text=True
    )
    return float(finished.stdout)


def enlarged(config: dict[str, Any], times: int, directory: Path) -> dict[str, Any]:
    """The config over the same data so many times over; its new `data_root` is the directory."""
    root = Path(config["data_root"])
    for name, section in config.items():
        if not name.startswith("task_"):
            continue
        for key in PATHS:
            path = section["data_params"].get(key)
            if path and not (directory / path).exists():
                _repeat(root / path, directory / path, times)
    return {**config, "data_root": str(directory)}


def _repeat(source: Path, target: Path, times: int) -> None:
    files = [file for file in source.rglob("*") if file.is_file()] if source.is_dir() else [source]
    for file in files:
        copy = target / file.relative_to(source) if source.is_dir() else target
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes((file.read_bytes().rstrip(b"\n") + b"\n\n") * times)


def measure(config: dict[str, Any], repeats: int, directory: Path) -> dict[str, Any]:
    """Medians of the first and the second start, one after the other and over again."""
    config_path = directory / "config.json"
    config_path.write_text(json.dumps(config))
    seconds: dict[str, list[dict[str, float]]] = {"first": [], "second": []}
    of_torch = []
    for repeat in range(repeats):
        of_torch.append(processor_time_of_torch())
        cache = directory / f"cache{repeat}"
        for number, name in enumerate(seconds):
            run = directory / f"run{repeat}-{number}"
            seconds[name].append(timed_start(config_path, cache, run))
            shutil.rmtree(run)
        shutil.rmtree(cache)
    figures: dict[str, Any] = {"processor_seconds_of_import_torch": round(median(of_torch), 2)}
    for part in seconds["first"][0]:
        first, second = (median([run[part] for run in seconds[name]]) for name in seconds)
        figures[part] = {
            "first_seconds": round(first, 2),
            "second_seconds": round(second, 2),
            "ratio": round(first / second, 1),
        }
    return figures


def size_of(directory: Path, config: dict[str, Any]) -> float:
    """Of the corpora, in MB; what several tasks read counts once."""
    root = Path(config["data_root"] or directory)
    paths = {
        root / section["data_params"][key]
        for name, section in config.items()
        if name.startswith("task_")
        for key in PATHS
        if section["data_params"].get(key)
    }
    files = {file for path in paths for file in ([path] if path.is_file() else path.rglob("*"))}
    return sum(file.stat().st_size for file in files if file.is_file()) / 10**6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, metavar="FILE", help="(corpora made for it)")
    parser.add_argument(
        "--times", type=int, default=1, metavar="N", help="the config's data so many times over (1)"
    )
    parser.add_argument("--repeats", type=int, default=REPEATS, metavar="N", help=f"({REPEATS})")
    parser.add_argument("--once", nargs=3, type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.once:
        start_once(*arguments.once)
        return
    from benchmarks.workload import config_for, write_corpora
    from hmtl.config.loading import load_config

    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        if arguments.config is None:
            write_corpora(directory / "data")
            config = config_for(directory / "data")
        else:
            config = load_config(arguments.config)
            config["multi_task_trainer"].update({"cuda_device": -1, "no_tqdm": True})
            config["data_root"] = os.path.abspath(config["data_root"])
        if arguments.times > 1:
            config = enlarged(config, arguments.times, directory / "enlarged")
        report(
            "startup",
            corpora_mb=round(size_of(directory, config), 1),
            config=None if arguments.config is None else arguments.config.name,
            baseline="the first start, in the same run",
            repeats=arguments.repeats,
            **measure(config, arguments.repeats, directory),
        )


if __name__ == "__main__":
    main()
