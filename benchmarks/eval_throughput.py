"""
Batches scored a second (encoded, decoded and counted), of the published model without ELMo, beside a plain
implementation of the same model (`benchmarks/baseline`).
"""

import argparse

from benchmarks.reporting import interleaved, median, report
from benchmarks.throughput import TASKS, Contestants, contestants
from hmtl.training.evaluation import evaluate


def measure(both: Contestants, name: str, repeats: int) -> None:
    """A line for a task."""
    batches = both.trainer.tasks[name].validation
    seconds = interleaved(
        {
            "ours": lambda: evaluate(both.experiment.model, name, batches, both.experiment.device),
            "baseline": lambda: both.baseline.evaluate(name, both.validation[name]),
        },
        repeats,
    )
    rates = {who: len(batches) / median(each) for who, each in seconds.items()}
    report(
        "eval_throughput",
        task=name,
        batches_per_second=rates["ours"],
        baseline_batches_per_second=rates["baseline"],
        ratio=rates["ours"] / rates["baseline"],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3, metavar="N", help="(3)")
    arguments = parser.parse_args()
    with contestants(num_batches=1) as both:
        for name in TASKS:
            measure(both, name, arguments.repeats)


if __name__ == "__main__":
    main()
