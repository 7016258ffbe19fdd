"""What the page says of a run: what kind of model it is, its card, texts to try."""

import json
from pathlib import Path

from hmtl.config.schema import RunConfig
from hmtl.runs.directory import METRICS_FILE
from hmtl.runs.evaluation import config_of_run
from hmtl.runs.model_card import MODEL_CARD_FILE
from hmtl.serving.app import Served
from hmtl.serving.examples import read_examples

# What every checkout has: invented text.
SAMPLE = Path("data/sample")
MOST_BYTES = 2**20


def about(run: Path, weights: str | None) -> Served:
    """
    # Parameters

    run : `Path`
        The directory.
    weights : `str`, optional
        The file of its weights, if it is not the usual one.

    # Raises

    DataError
        When the directory holds no run.
    """
    config = config_of_run(run)
    return Served(run.resolve().name, weights, _note(run, config), _card(run), read_examples(run))


def _note(run: Path, config: RunConfig) -> str | None:
    paths = [config.path(task.name, "train") for task in config.tasks]
    if not all(
        SAMPLE.parts == path.parts[: len(SAMPLE.parts)] for path in map(_from_checkout, paths)
    ):
        return None
    trained = f"trained for {duration} " if (duration := _duration(run)) else "trained "
    return (
        f"Toy model: {trained}on invented text (the sample corpora). It shows what the tasks are, and is "
        "often wrong on other text."
    )


def _from_checkout(path: Path) -> Path:
    """A path from `data/sample` on, if that is in it."""
    for place in range(len(path.parts) - 1):
        if path.parts[place : place + len(SAMPLE.parts)] == SAMPLE.parts:
            return Path(*path.parts[place:])
    return path


def _duration(run: Path) -> str | None:
    """How long it was trained, in words, where its metrics tell."""
    try:
        told = json.loads((run / METRICS_FILE).read_text(encoding="utf-8"))["training_duration"]
        days, hours, minutes, seconds = map(int, told.split(":"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    whole = round((days * 24 + hours) * 60 + minutes + seconds / 60)
    return "about a minute" if whole <= 1 else f"{whole} minutes"


def _card(run: Path) -> str | None:
    path = run / MODEL_CARD_FILE
    try:
        # What a link in a stranger's run leads to is nothing to show.
        if path.is_symlink() or path.stat().st_size > MOST_BYTES:
            return None
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None
