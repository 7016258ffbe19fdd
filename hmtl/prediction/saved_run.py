"""Taking a run to where only predictions are made: into a saved spaCy pipeline, and to other people."""

import logging
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch

from hmtl.common.files import (
    making_directory,
    refusals,
    remove_directory,
    sha256_of,
    write_json,
    writing,
)
from hmtl.common.shared_weights import SHARED_WEIGHTS, SUFFIX, stand_ins, write_shared_weights
from hmtl.common.tensors import check_are_numbers, load_tensors
from hmtl.config.elmo_files import FOLDER as ELMO
from hmtl.config.elmo_files import keep_elmo
from hmtl.config.loading import load_config
from hmtl.config.safety import entries, joined, without_beginnings
from hmtl.config.schema import RunConfig
from hmtl.config.transformers import FOLDER as TRANSFORMERS
from hmtl.errors import DataError
from hmtl.prediction.hub import CARD_FILE
from hmtl.prediction.weights import reported_headline, reported_metrics, weight_files, weight_names
from hmtl.runs.calibration import CALIBRATION_FILE
from hmtl.runs.directory import CONFIG_FILE, METRICS_FILE, VOCABULARY_DIR
from hmtl.runs.environment import ENVIRONMENT_FILE
from hmtl.runs.evaluation import config_of_run
from hmtl.runs.model_card import MODEL_CARD_FILE
from hmtl.training.checkpoints import CHECKPOINTS_DIR, best_weights_name

logger = logging.getLogger(__name__)

NEW = ".new"
# What may be there beside what prediction cannot do without.
SCORES = (METRICS_FILE, CALIBRATION_FILE)


def export_run(source: Path, target: Path, force: bool = False) -> None:
    """
    Write what prediction needs of a run, so that it can be given to others: what `save_for_prediction` writes
    with each task's own best weights, and a model card for the hub. Nothing in it is pickled.

    # Parameters

    source : `Path`
        A run of train.py, or what was exported of one.
    target : `Path`
        A directory that is to be made.
    force : `bool`, optional (default = `False`)
        Replace what was exported there before.

    # Raises

    DataError
        When something else is there, or the run lacks something, or it cannot be written.
    """
    if target.exists() and not target.is_dir():
        raise DataError("is there already, and no directory. Choose another name.", target)
    is_taken = target.exists() and any(target.iterdir())
    if is_taken and not force:
        raise DataError(
            "is not empty. Replace what was exported there with --force, or choose another directory.",
            target,
        )
    if is_taken and (
        not (target / SHARED_WEIGHTS).is_file()
        or (target / CHECKPOINTS_DIR).exists()
        or target.samefile(source)
    ):
        raise DataError(
            "holds something else than what was exported of another run, so --force will not replace it. "
            "Choose another directory.",
            target,
        )
    config = config_of_run(source)
    names = weight_names(source, list(config.model.levels))
    new = target.with_name(target.name + NEW)
    remove_directory(new)
    with making_directory(new) as partial:
        save_for_prediction(source, partial, weight_files(source, names))
        if (source / ENVIRONMENT_FILE).is_file():
            shutil.copyfile(source / ENVIRONMENT_FILE, partial / ENVIRONMENT_FILE)
        _write_card(partial / CARD_FILE, source, config)
    remove_directory(target)
    with refusals(target):
        os.replace(new, target)
    if paths := list(_absolute_paths(load_config(target / CONFIG_FILE, jsonnet=False))):
        logger.warning(
            "%s tells whoever reads it these paths of this machine: %s",
            target / CONFIG_FILE,
            ", ".join(paths),
        )


def save_for_prediction(source: Path, target: Path, weights: Mapping[str, Path]) -> None:
    """
    Write what prediction needs of a run, so that it can be loaded on another machine: its config without what
    training began with, its vocabulary and weights, the tokenizer and configuration of a transformer, the
    files of an ELMo; its scores, and its thresholds and temperatures.

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
        files = (CONFIG_FILE, *SCORES, f"*{SUFFIX}", best_weights_name("*"))
        for name in files:
            for path in target.glob(name):
                path.unlink()
        shutil.copytree(source / VOCABULARY_DIR, target / VOCABULARY_DIR)
        if (source / TRANSFORMERS).is_dir():
            shutil.copytree(source / TRANSFORMERS, target / TRANSFORMERS)
        keep_elmo(config.source, target)
        for name in SCORES:
            if (source / name).is_file():
                shutil.copyfile(source / name, target / name)
    _save_weights(source, target, weights)
    original = load_config(source / CONFIG_FILE, jsonnet=False)
    write_json(target / CONFIG_FILE, without_beginnings(original))


def _save_weights(source: Path, target: Path, weights: Mapping[str, Path]) -> None:
    contents: dict[str, str] = {}
    tensors: dict[str, dict[str, torch.Tensor]] = {}
    names: dict[str, str] = {}
    stand_for = stand_ins(source)
    for path in dict.fromkeys(weights.values()):
        called = [name for name, each in stand_for.items() if each == path.name] or [path.name]
        content = contents.setdefault(sha256_of(path), called[0])
        names.update(dict.fromkeys(called, content))
        if content not in tensors:
            tensors[content] = load_tensors(path)
            check_are_numbers(tensors[content], path)
    write_shared_weights(target, tensors, names)


def _absolute_paths(config: Any, path: str = "") -> Iterable[str]:
    if isinstance(config, str) and Path(config).is_absolute():
        yield f"{path} ({config})"
    for key, value in entries(config):
        yield from _absolute_paths(value, joined(path, key))


def _write_card(path: Path, source: Path, config: RunConfig) -> None:
    """The run's model card with what the hub reads, and how it is used."""
    from huggingface_hub import EvalResult, ModelCardData

    metrics = reported_metrics(source)
    tasks = list(config.model.levels)
    results = [
        EvalResult(
            task_type="token-classification",
            task_name=task,
            # The hub's word for a data set that is not on it.
            dataset_type="unknown",
            dataset_name=f"the test data of {task}",
            metric_type=found[0].lower(),
            metric_name=found[0],
            metric_value=round(found[1], 4),
        )
        for task in tasks
        if (found := reported_headline(metrics, task, task)) is not None
    ]
    head = ModelCardData(
        language="en",
        library_name="hmtl",
        pipeline_tag="token-classification",
        tags=["hmtl", "multi-task-learning", *tasks],
        model_name=", ".join(tasks),
        eval_results=results or None,
    )
    card = source / MODEL_CARD_FILE
    exported = source / CARD_FILE
    if card.is_file():
        try:
            body = card.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(
                f"cannot be read as a model card: {error}. Remove it, and a short one takes its place.",
                card,
            ) from error
    elif (source / SHARED_WEIGHTS).is_file() and exported.is_file():
        # It was exported before.
        shutil.copyfile(exported, path)
        return
    else:
        body = f"# Model card: {', '.join(tasks)}\n\n`config.json` describes it completely.\n"
    text = f"---\n{head.to_yaml()}\n---\n\n{body.rstrip()}\n\n{USE}"
    with writing(path) as file:
        file.write(text.encode("utf-8"))


USE = """## Use

```python
from hmtl.prediction.predictor import Predictor

predictor = Predictor.from_pretrained("...")  # this directory, or its name on the hub
(prediction,) = predictor.predict_texts(["Ann Lee met Bob in Oslo. She likes him."])
prediction.to_json()
```
"""
