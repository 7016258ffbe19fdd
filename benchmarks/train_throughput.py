"""
Training steps a second, of the published model without ELMo, beside a plain implementation of the same model
on the same corpora (`benchmarks/baseline`).
"""

import argparse
import itertools
import time
from collections.abc import Iterator

from benchmarks.reporting import interleaved, largest_memory_in_mib, median, report
from benchmarks.throughput import OTHER_TASKS, TASKS, Batch, Contestants, contestants

# How many steps stand between two readings of the clock: coreference takes longest.
STEPS = {"ner": 8, "emd": 8, "relation": 16, "coref": 3, "pos": 8, "dep": 8, "kind": 8}


def measure_tasks(both: Contestants, repeats: int) -> None:
    """A line for each task."""
    for name in both.training:
        batches: Iterator[Batch] = itertools.cycle(both.training[name])

        def ours(name: str = name) -> None:
            for _ in range(STEPS[name]):
                both.trainer.train_step(name)

        def plain(name: str = name, batches: Iterator[Batch] = batches) -> None:
            for _ in range(STEPS[name]):
                both.baseline.step(name, next(batches))

        seconds = interleaved({"ours": ours, "baseline": plain}, repeats)
        rates = {who: STEPS[name] / median(each) for who, each in seconds.items()}
        report(
            "train_throughput",
            task=name,
            batches_per_second=rates["ours"],
            baseline_batches_per_second=rates["baseline"],
            ratio=rates["ours"] / rates["baseline"],
        )


def measure_epoch(both: Contestants) -> None:
    """An epoch, its tasks drawn in proportion to their batches, with validation: ours, then the plain one."""
    trainer, baseline = both.trainer, both.baseline
    trainer.settings.num_epochs = 1
    started = time.perf_counter()
    trainer.train()
    ours = time.perf_counter() - started
    memory = largest_memory_in_mib()
    started = time.perf_counter()
    for name in TASKS:
        stream = trainer.tasks[name].stream
        for _ in range(len(stream)):
            baseline.step(name, stream.next_batch())
        baseline.evaluate(name, both.validation[name])
    plain = time.perf_counter() - started
    report(
        "train_epoch",
        seconds=ours,
        baseline_seconds=plain,
        ratio=plain / ours,
        largest_memory_in_mib=memory,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5, metavar="N", help="(5)")
    parser.add_argument("--epoch", action="store_true", help="a whole epoch instead (10 minutes)")
    arguments = parser.parse_args()
    with contestants(num_batches=16) as both:
        if arguments.epoch:
            measure_epoch(both)
        else:
            measure_tasks(both, arguments.repeats)
    if not arguments.epoch:
        with contestants(num_batches=16, tasks=OTHER_TASKS) as both:
            measure_tasks(both, arguments.repeats)


if __name__ == "__main__":
    main()
