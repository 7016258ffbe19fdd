"""Fine-tunings that take a second."""

import json
from pathlib import Path
from typing import Any

from hmtl.fine_tuning.fine_tune import fine_tune
from tests.fixtures import completed, tiny_config, write_corpus

Config = dict[str, Any]

# In the corpus of the fixtures, and what stands there in the new one: words, a label of mentions and names,
# a type of relations.
CHANGES = {"Oslo": "Lima", "rained": "snowed", "GPE": "CITY", "PHYS": "PART"}


def write_new_corpus(root: Path) -> Path:
    write_corpus(root)
    for path in root.rglob("*conll"):
        text = path.read_text(encoding="utf-8")
        for old, new in CHANGES.items():
            text = text.replace(old, new)
        path.write_text(text, encoding="utf-8")
    return root


def config_on(data_root: Path, tasks: tuple[str, ...], **overrides: Any) -> Config:
    """`overrides` are by dotted path with `__` for the dots."""
    config = tiny_config(data_root, tasks=tasks)
    config["unseen_labels"] = "miss"
    for path, value in overrides.items():
        *parents, last = path.split("__")
        block = config
        for key in parents:
            block = block.setdefault(key, {})
        block[last] = value
    return config


def completed_config(data_root: Path, **overrides: Any) -> Config:
    tasks = overrides.pop("tasks", ("ner", "emd", "relation", "coref"))
    return completed(config_on(data_root, tasks, **overrides))


def run(
    config: Config,
    directory: Path,
    pretrained: Path,
    weights: str = "best_emd.th",
    **options: Any,
) -> dict[str, Any]:
    """Writes the config to a file beside the directory, and fine-tunes."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    path = directory.with_suffix(".json")
    path.write_text(json.dumps(config), encoding="utf-8")
    return fine_tune(path, "", directory, pretrained, weights, **options)
