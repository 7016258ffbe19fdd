"""
Training on a GPU: steps a second in single precision and in bf16 beside the plain form of the same model, how
busy the GPU is, memory, kernels a step, and the largest batch.
"""

import argparse
import itertools
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.baseline.training import PlainTraining
from benchmarks.reporting import BYTES_PER_MIB, median, report
from benchmarks.throughput import TASKS, Batch, Contestants, contestants
from hmtl.common.devices import to_device
from hmtl.common.precision import BF16, FULL
from hmtl.data.batch_stream import collate

MIXED = "mixed"
BATCHES_IN_MEMORY = 16
# Seconds of each measurement; with set-up, all of them stay below eight minutes.
SECONDS, WARM_UP_STEPS = 8.0, 4
UTILIZATION = [
    "nvidia-smi",
    "--query-gpu=utilization.gpu",
    "--format=csv,noheader,nounits",
    "-i",
    "0",
]
LARGEST_TRIED = 2**16
KERNELS_SHOWN = 15

Step = Callable[[str], Any]


@contextmanager
def watched(busy: list[float]) -> Iterator[None]:
    """Note each half second in how many percent of the time the GPU had work, as far as its driver tells."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.5):
            try:
                told = subprocess.run(UTILIZATION, capture_output=True, text=True, check=True)
                busy.append(float(told.stdout))
            except (OSError, ValueError, subprocess.CalledProcessError):
                return

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def figures(
    step: Step, names: Iterator[str], device: torch.device, seconds: float
) -> dict[str, Any]:
    """Steps a second, over some seconds, and what they took."""
    for _ in range(WARM_UP_STEPS):
        step(next(names))
    wait_for(device)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    busy: list[float] = []
    steps, started = 0, time.perf_counter()
    with watched(busy):
        while time.perf_counter() - started < seconds:
            step(next(names))
            steps += 1
        wait_for(device)
        took = time.perf_counter() - started
    found: dict[str, Any] = {"steps_per_second": steps / took}
    if busy:
        found["gpu_busy_percent"] = median(busy)
    if device.type == "cuda":
        found["largest_memory_in_mib"] = torch.cuda.max_memory_allocated(device) / BYTES_PER_MIB
    return found


def orders(both: Contestants) -> dict[str, Callable[[], Iterator[str]]]:
    """In which order tasks take steps: one alone, or all as training draws them."""
    sizes = [len(both.trainer.tasks[name].stream) for name in TASKS]

    def alone(name: str) -> Callable[[], Iterator[str]]:
        return lambda: itertools.repeat(name)

    def mixed() -> Iterator[str]:
        rng = random.Random(1)
        while True:
            yield rng.choices(TASKS, sizes)[0]

    return {**{name: alone(name) for name in TASKS}, MIXED: mixed}


def plain_step(plain: PlainTraining, batches: dict[str, list[Batch]], device: torch.device) -> Step:
    endless = {name: itertools.cycle(each) for name, each in batches.items()}
    return lambda name: plain.step(name, to_device(next(endless[name]), device))


def kernels_of(step: Step, name: str, show: bool) -> int | None:
    """How many kernels a step launches, as torch's profiler sees them."""
    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as profiler:
        step(name)
        torch.cuda.synchronize()
    if show:
        table = profiler.key_averages().table(
            sort_by="self_cuda_time_total", row_limit=KERNELS_SHOWN
        )
        print(f"{name}\n{table}", file=sys.stderr)
    return sum(
        each.device_type is torch.autograd.DeviceType.CUDA for each in profiler.events() or ()
    )


def largest_batch(both: Contestants, device: torch.device) -> int:
    """How many sentences of NER a step can learn from: the largest power of two."""
    stream = both.trainer.tasks["ner"].stream
    instances = list(itertools.islice(itertools.cycle(stream.instances), LARGEST_TRIED))
    fits = 0
    size = both.training["ner"][0]["tags"].size(0)
    while size <= LARGEST_TRIED:
        try:
            batch = to_device(collate(instances[:size]), device)
            both.trainer.model("ner", batch, compute_metrics=False)["loss"].backward()
            wait_for(device)
        except torch.OutOfMemoryError:
            break
        finally:
            both.trainer.model.zero_grad(set_to_none=True)
        fits, size = size, 2 * size
    return fits


def measure(device: torch.device, seconds: float) -> None:
    """A line for each task, and for all of them mixed."""
    lines: dict[str, dict[str, Any]] = {}
    for precision in (FULL, BF16) if device.type == "cuda" else (FULL,):
        with contestants(BATCHES_IN_MEMORY, device=device, precision=precision) as both:
            for name, order in orders(both).items():
                line = lines.setdefault(name, {})
                line[precision] = figures(both.trainer.train_step, order(), device, seconds)
                if device.type == "cuda" and name != MIXED:
                    step = both.trainer.train_step
                    line[precision]["kernels"] = kernels_of(step, name, precision == FULL)
                if precision == FULL:
                    plain = plain_step(both.baseline, both.training, device)
                    line["plain"] = figures(plain, order(), device, seconds)
            if device.type == "cuda":
                lines["ner"][precision]["largest_batch"] = largest_batch(both, device)
    for name, line in lines.items():
        for precision in line.keys() - {"plain"}:
            line[precision]["ratio"] = (
                line[precision]["steps_per_second"] / line["plain"]["steps_per_second"]
            )
        report("gpu", task=name, **line)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS, help=f"({SECONDS:g}) each")
    arguments = parser.parse_args()
    if not torch.cuda.is_available():
        raise SystemExit("no GPU here that this torch can use (torch.cuda.is_available() is false)")
    measure(torch.device("cuda", 0), arguments.seconds)


if __name__ == "__main__":
    main()
