"""
Training on a streamed corpus by its size: seconds a step and the memory of the process, which are to stay
as they are, beside the same corpus held in memory. Each measurement is a process of its own.
"""

import argparse
import random
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.reporting import largest_memory_in_mib, report, run_apart
from hmtl.runs.assembly import parse_config

SIZES = (1_000, 10_000, 100_000, 1_000_000)
# Beyond this the corpus takes several GB when it is held in memory.
LARGEST_FOR_BASELINE = 100_000
NUM_WORDS = 5000
NUM_EVALUATION_SENTENCES = 200
SHORTEST, LONGEST = 3, 8
NAME_SHARE = 0.15
INSTANCES_IN_MEMORY = 20_000
BATCH_SIZE = 100


def write_corpus(path: Path, num_sentences: int, rng: random.Random) -> None:
    """Sentences of random words with names of one word, in CoNLL-2003 columns."""
    with open(path, "w", encoding="utf-8") as file:
        for _ in range(num_sentences):
            for _ in range(rng.randint(SHORTEST, LONGEST)):
                tag = "B-PER" if rng.random() < NAME_SHARE else "O"
                file.write(f"w{rng.randrange(NUM_WORDS)} {tag}\n")
            file.write("\n")


def config_for(directory: Path, in_memory: int | None) -> dict[str, Any]:
    """A tagger as small as one can be: the corpus is what is large."""
    reader = {
        "type": "conll2003",
        "coding_scheme": "BIOUL",
        "token_indexers": {"tokens": {"type": "single_id"}},
    }
    return {
        "data_root": str(directory),
        "task_ner": {
            "task_description": {"task_name": "ner", "evaluate_on_test": False},
            "data_params": {
                "dataset_reader": reader,
                "train_data_path": "train",
                "validation_data_path": "dev",
                "max_instances_in_memory": in_memory,
            },
        },
        "model": {
            "type": "ner",
            "text_field_embedder": {
                "token_embedders": {"tokens": {"type": "embedding", "embedding_dim": 8}}
            },
            "ner": {
                "encoder": {"type": "lstm", "hidden_size": 8},
                "tagger": {"type": "crf_tagger", "label_namespace": "labels"},
            },
        },
        "iterators": {"iterator": {"type": "bucket", "batch_size": BATCH_SIZE}},
        "multi_task_trainer": {
            "type": "sampler_multi_task_trainer",
            "num_epochs": 1,
            "cuda_device": -1,
            "no_tqdm": True,
            "optimizer": {"type": "adam"},
            "log_parameter_statistics": False,
        },
    }


def measure(num_sentences: int, streamed: bool) -> dict[str, Any]:
    """Trains an epoch."""
    from benchmarks.epoch_clock import EpochClock
    from hmtl.config.loading import complete
    from hmtl.runs.assembly import assemble
    from hmtl.runs.training import build_trainer

    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        write_corpus(directory / "train", num_sentences, random.Random(1))
        write_corpus(directory / "dev", NUM_EVALUATION_SENTENCES, random.Random(2))
        config = complete(config_for(directory, INSTANCES_IN_MEMORY if streamed else None))
        config["cache"] = {"corpora": False}
        started = time.perf_counter()
        trainer = build_trainer(
            assemble(parse_config(config), directory / "run", ("train", "validation"))
        )
        ready = time.perf_counter()
        clock = EpochClock()
        trainer.callbacks.append(clock)
        trainer.train()
    return {
        "seconds_to_ready": ready - started,
        "seconds_per_step": sum(clock.seconds) / trainer.step,
        "largest_memory_in_mib": largest_memory_in_mib(),
    }


def compare(num_sentences: int, baseline: bool) -> None:
    """A line: streamed and, if asked, in memory."""
    ours = run_apart(["corpus_size", "--once", str(num_sentences)])
    figures = {
        key: ours[key] for key in ("seconds_to_ready", "seconds_per_step", "largest_memory_in_mib")
    }
    if baseline:
        held = run_apart(["corpus_size", "--once", str(num_sentences), "--held"])
        figures.update({f"baseline_{key}": held[key] for key in figures})
        figures["ratio"] = held["seconds_per_step"] / ours["seconds_per_step"]
    report("corpus_size", sentences=num_sentences, **figures)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, metavar="SENTENCES")
    parser.add_argument(
        "--once", type=int, metavar="SENTENCES", help="one measurement, in this process"
    )
    parser.add_argument("--held", action="store_true", help="with --once: held in memory")
    arguments = parser.parse_args()
    if arguments.once:
        report("corpus_size", **measure(arguments.once, not arguments.held))
        return
    for size in arguments.sizes:
        compare(size, size <= LARGEST_FOR_BASELINE)


if __name__ == "__main__":
    main()
