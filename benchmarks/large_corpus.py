"""
Trains an epoch on a synthetic corpus that is streamed, and tells the memory of the process along the way.
"""

import argparse
import random
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

NUM_WORDS = 5000
NUM_EVALUATION_SENTENCES = 200
SHORTEST, LONGEST = 3, 8
NAME_SHARE = 0.15
INSTANCES_IN_MEMORY = 20_000
BATCH_SIZE = 1000
SECONDS_BETWEEN_SAMPLES = 1.0
NUM_ROWS = 12
BYTES_PER_MIB = 2**20
BYTES_PER_PAGE = 4096


def write_corpus(path: Path, num_sentences: int, rng: random.Random) -> None:
    """Sentences of random words with names of one word, in CoNLL-2003 columns."""
    with open(path, "w", encoding="utf-8") as file:
        for _ in range(num_sentences):
            for _ in range(rng.randint(SHORTEST, LONGEST)):
                tag = "B-PER" if rng.random() < NAME_SHARE else "O"
                file.write(f"w{rng.randrange(NUM_WORDS)} {tag}\n")
            file.write("\n")


def config_for(directory: Path, in_memory: int) -> dict[str, Any]:
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


class MemoryWatch(threading.Thread):
    """Samples the resident memory of the process, with the seconds since the start, until told to stop."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.samples: list[tuple[float, float]] = []
        self._stopped = threading.Event()

    def run(self) -> None:
        started = time.monotonic()
        while not self._stopped.wait(SECONDS_BETWEEN_SAMPLES):
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            moment = time.monotonic() - started
            self.samples.append((moment, pages * BYTES_PER_PAGE / BYTES_PER_MIB))

    def stop(self) -> None:
        self._stopped.set()
        self.join()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sentences", type=int, default=5_000_000, metavar="N", help="(5000000)")
    parser.add_argument(
        "--in-memory", type=int, default=INSTANCES_IN_MEMORY, metavar="N", help="at a time (20000)"
    )
    arguments = parser.parse_args()
    from hmtl.config import complete
    from hmtl.experiment import train

    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        write_corpus(directory / "train", arguments.sentences, random.Random(1))
        write_corpus(directory / "dev", NUM_EVALUATION_SENTENCES, random.Random(2))
        size = (directory / "train").stat().st_size / BYTES_PER_MIB
        print(f"{arguments.sentences} sentences, {size:.0f} MiB", flush=True)
        watch = MemoryWatch()
        watch.start()
        config = complete(config_for(directory, arguments.in_memory))
        train(config, directory / "run", recover=False, force=False)
        watch.stop()
    step = max(1, len(watch.samples) // NUM_ROWS)
    for moment, mebibytes in watch.samples[::step]:
        print(f"{moment:7.0f} s {mebibytes:7.0f} MiB")
    largest = max(mebibytes for _, mebibytes in watch.samples)
    print(f"{watch.samples[-1][0]:7.0f} s in all; largest memory {largest:.0f} MiB")


if __name__ == "__main__":
    main()
