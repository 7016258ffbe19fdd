"""
How near the training loop comes to its limit: a bare forward pass, backward pass and optimizer step on the
same batches, collated in memory beforehand, with the same model.
"""

import argparse
import itertools
import random
from collections.abc import Callable

from benchmarks.reporting import interleaved, median, report
from benchmarks.throughput import OTHER_TASKS, TASKS, Batch, Contestants, contestants
from hmtl.common.devices import to_device

STEPS = {"ner": 10, "emd": 10, "relation": 20, "coref": 3, "pos": 10, "dep": 10, "kind": 10}
MIXED = "mixed"
MIXED_STEPS = 20


def bare_step(both: Contestants, name: str, batch: Batch) -> None:
    """Nothing but the arithmetic."""
    optimizer = both.trainer.tasks[name].optimizer
    optimizer.zero_grad(set_to_none=True)
    batch = to_device(batch, both.trainer.device)
    both.trainer.model(name, batch, compute_metrics=False)["loss"].backward()
    optimizer.step()


def pair(both: Contestants, names: list[str]) -> dict[str, Callable[[], None]]:
    """The loop and the bare steps, over as many batches of the tasks named, in that order."""
    batches = {name: itertools.cycle(both.training[name]) for name in names}

    def loop() -> None:
        for name in names:
            both.trainer.train_step(name)

    def bare() -> None:
        for name in names:
            bare_step(both, name, next(batches[name]))

    return {"loop": loop, "bare": bare}


def measure(both: Contestants, tasks: tuple[str, ...], repeats: int) -> None:
    """A line for each task; and for the four of the hierarchy, drawn as training draws them."""
    work = {name: [name] * STEPS[name] for name in tasks}
    if tasks == TASKS:
        sizes = [len(both.trainer.tasks[name].stream) for name in TASKS]
        work[MIXED] = random.Random(1).choices(TASKS, sizes, k=MIXED_STEPS)
    for title, names in work.items():
        seconds = interleaved(pair(both, names), repeats)
        rates = {who: len(names) / median(each) for who, each in seconds.items()}
        report(
            "limit",
            task=title,
            steps_per_second=rates["loop"],
            bare_steps_per_second=rates["bare"],
            ratio=rates["loop"] / rates["bare"],
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=15, metavar="N", help="(15)")
    arguments = parser.parse_args()
    for tasks in (TASKS, OTHER_TASKS):
        with contestants(num_batches=20, tasks=tasks) as both:
            measure(both, tasks, arguments.repeats)


if __name__ == "__main__":
    main()
