"""One JSON line a benchmark: what was measured, on what, by which commit."""

import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
BYTES_PER_MIB = 2**20
# Linux counts the largest resident set in KiB.
BYTES_PER_RSS_UNIT = 1024


def report(benchmark: str, **figures: Any) -> None:
    """Prints the line. Figures of a thing and of its baseline are of one run of the benchmark."""
    print(json.dumps({"benchmark": benchmark, **figures, "machine": machine_facts()}), flush=True)


def ratios(line: Mapping[str, Any]) -> list[tuple[str, float]]:
    """What a line is about, and how many times as fast as its baseline that was; for each of its ratios."""
    keys = [key for key in ("task", "what", "tokens", "sentences", "corpora_mb") if key in line]
    about = " ".join([line["benchmark"], *(str(line[key]) for key in keys)])
    found = []
    if "ratio" in line:
        found.append((about, line["ratio"]))
    for key, value in line.items():
        if isinstance(value, Mapping) and "ratio" in value:
            found.append((f"{about} {key.replace('_', ' ')}", value["ratio"]))
    return found


def machine_facts() -> dict[str, Any]:
    """What a figure depends on beside the code. Names no machine."""
    import torch

    return {
        "date": date.today().isoformat(),
        "commit": _commit(),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "torch_threads": torch.get_num_threads(),
    }


def interleaved(
    contestants: Mapping[str, Callable[[], Any]], repeats: int, warm_up: int = 1
) -> dict[str, list[float]]:
    """
    Seconds that each takes, one after the other and over again, so that all see the same weather: machines
    are noisy.
    """
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for repeat in range(-warm_up, repeats):
        for name, contestant in contestants.items():
            started = time.perf_counter()
            contestant()
            if repeat >= 0:
                seconds[name].append(time.perf_counter() - started)
    return seconds


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def largest_memory_in_mib() -> float:
    """Of the process, so far."""
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * BYTES_PER_RSS_UNIT
    return rss / BYTES_PER_MIB


def run_apart(arguments: Sequence[str]) -> dict[str, Any]:
    """Runs a benchmark of this folder in a process of its own, and returns what it reports."""
    command = [sys.executable, "-m", f"benchmarks.{arguments[0]}", *arguments[1:]]
    finished = subprocess.run(
        command, cwd=REPOSITORY, check=True, stdout=subprocess.PIPE, text=True
    )
    result: dict[str, Any] = json.loads(finished.stdout.splitlines()[-1])
    return result


def _commit() -> str | None:
    command = ["git", "-C", str(REPOSITORY), "describe", "--always", "--dirty", "--exclude=*"]
    finished = subprocess.run(command, capture_output=True, text=True)
    return finished.stdout.strip() or None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
