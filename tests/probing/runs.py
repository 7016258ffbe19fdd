"""A tiny trained run, and probing data that its sentences are made of."""

import random
from pathlib import Path

from hmtl.probing.tasks import PROBING_FILES
from hmtl.runs.training import train
from tests.fixtures import TASKS, Config, completed, tiny_config, write_corpus

WORDS = ["Ann", "Lee", "met", "Bob", "in", "Oslo", "She", "likes", "him", "there", "left", "rained"]


def train_tiny_run(directory: Path, tasks: tuple[str, ...] = TASKS) -> Path:
    """Trains for one epoch on the corpus of a few sentences; returns the serialization directory."""
    config = with_characters(tiny_config(write_corpus(directory / "corpus"), tasks))
    train(completed(config), directory / "run", recover=False, force=False)
    return directory / "run"


def with_characters(config: Config) -> Config:
    """The config with a character encoder, whose padding is another than that of tokens."""
    indexer = {"type": "characters"}
    for key, section in config.items():
        if key.startswith("task_"):
            reader = section["data_params"]["dataset_reader"]
            reader["token_indexers"]["token_characters"] = indexer
    config["model"]["text_field_embedder"]["token_embedders"]["token_characters"] = {
        "type": "character_encoding",
        "embedding": {"embedding_dim": 3},
        "encoder": {
            "type": "cnn",
            "embedding_dim": 3,
            "num_filters": 4,
            "ngram_filter_sizes": [3],
        },
    }
    return config


def write_probing_data(
    directory: Path, tasks: tuple[str, ...] = ("Length", "Tense"), train_size: int = 40
) -> Path:
    """
    Sentences of the tiny corpus's words; `Length` asks for short or long, the other tasks whether a word
    is in them. There are a sentence of one token in each partition, and one without any in `te`.
    """
    directory.mkdir(parents=True, exist_ok=True)
    dice = random.Random(1)
    for task in tasks:
        lines = []
        for partition, size in (("tr", train_size), ("va", 12), ("te", 12)):
            for _ in range(size):
                words = dice.choices(WORDS, k=dice.choice([2, 3, 4, 9, 10, 12]))
                lines.append((partition, words))
            lines.append((partition, [dice.choice(WORDS)]))
        lines.append(("te", []))
        text = "".join(
            f"{partition}\t{_label(task, words)}\t{' '.join(words)}\n" for partition, words in lines
        )
        (directory / PROBING_FILES[task]).write_text(text, encoding="utf-8")
    return directory


def _label(task: str, words: list[str]) -> str:
    if task == "Length":
        return "long" if len(words) > 6 else "short"
    return "with" if "Oslo" in words else "without"
