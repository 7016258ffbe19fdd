"""Taking a run to where only predictions are made."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from hmtl.common.files import refusals, remove_directory, same_file, sha256_of
from hmtl.config.elmo_files import FOLDER as ELMO
from hmtl.config.elmo_files import keep_elmo
from hmtl.config.transformers import FOLDER as TRANSFORMERS
from hmtl.errors import DataError
from hmtl.runs.directory import CONFIG_FILE, METRICS_FILE, VOCABULARY_DIR
from hmtl.runs.evaluation import config_of_run
from hmtl.training.checkpointer import CHECKPOINTS_DIR, best_weights_name


def save_for_prediction(source: Path, target: Path, weights: Mapping[str, Path]) -> None:
    """
    Copies what prediction needs of a run, so that it can be loaded on another machine: its config, vocabulary
    and weights, the tokenizer and configuration of a transformer, the files of an ELMo; and its scores.

    # Parameters

    source : `Path`
        The run.
    target : `Path`
        What was saved there before is replaced.
    weights : `Mapping[str, Path]`
        By task, as `Predictor.weights`.

    # Raises

    DataError
        When it cannot be written, or a run that can be gone on with is there.
    """
    if (target / CHECKPOINTS_DIR).exists():
        raise DataError(
            "a run of hmtl train is here, with its checkpoints: save it elsewhere", target
        )
    config = config_of_run(source)
    with refusals(target):
        target.mkdir(parents=True, exist_ok=True)
        for folder in (VOCABULARY_DIR, TRANSFORMERS, ELMO):
            remove_directory(target / folder)
        for name in (CONFIG_FILE, METRICS_FILE, best_weights_name("*")):
            for path in target.glob(name):
                path.unlink()
        shutil.copytree(source / VOCABULARY_DIR, target / VOCABULARY_DIR)
        if (source / TRANSFORMERS).is_dir():
            shutil.copytree(source / TRANSFORMERS, target / TRANSFORMERS)
        keep_elmo(config.source, target)
        if (source / METRICS_FILE).is_file():
            shutil.copyfile(source / METRICS_FILE, target / METRICS_FILE)
        copies: dict[str, Path] = {}
        for path in dict.fromkeys(weights.values()):
            copy = target / path.name
            first = copies.setdefault(sha256_of(path), copy)
            if first == copy:
                shutil.copyfile(path, copy)
            else:
                same_file(first, copy)
        shutil.copyfile(source / CONFIG_FILE, target / CONFIG_FILE)
