"""Which weights of a run answer which task, and how well they scored."""

import copy
import json
import logging
import re
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import torch
from allennlp.common.checks import ConfigurationError

from hmtl.common.files import sha256_of
from hmtl.common.reporting import headline, percent
from hmtl.common.tensors import check_are_numbers, give_weights, load_tensors
from hmtl.errors import DataError
from hmtl.models.hmtl import Hmtl
from hmtl.runs.directory import METRICS_FILE
from hmtl.training.checkpoints import Checkpointer, best_weights_name
from hmtl.training.history import HISTORY_FILE

logger = logging.getLogger(__name__)

BEST_WEIGHTS = re.compile(re.escape(best_weights_name("TASK")).replace("TASK", "(?P<task>.+)"))


def weight_names(directory: Path, tasks: List[str], name: Optional[str] = None) -> Dict[str, str]:
    """
    By task, what the run calls the file of the weights that answer it.

    # Parameters

    directory : `Path`
        A run of hmtl train, or an exported one.
    tasks : `List[str]`
        From the bottom up.
    name : `str`, optional (default = `None`)
        One file in the directory for all tasks. `None` takes each task's own best weights; those of the
        topmost task for one whose file was not copied along, with a warning.

    # Raises

    DataError
        When the name leads elsewhere.
    """
    if name is not None:
        if Path(name).name != name:
            raise DataError(
                f"the weights {name!r} are to be a file in the serialization directory: give its name alone",
                directory,
            )
        return dict.fromkeys(tasks, name)
    checkpointer = Checkpointer(directory)
    top = tasks[-1]
    names = {}
    for task in tasks:
        is_there = checkpointer.has(best_weights_name(task))
        if not is_there and task != top:
            logger.warning(
                "%s is not in %s: %s is predicted with %s",
                *(best_weights_name(task), directory, task, best_weights_name(top)),
            )
        names[task] = best_weights_name(task if is_there else top)
    return names


def weight_files(directory: Path, names: Dict[str, str]) -> Dict[str, Path]:
    """
    By task, the file of its weights. Where a copy of a checkpoint is whole and the file in the directory is
    not, it is that copy; in an exported run it is the file that stands for it.

    # Parameters

    directory : `Path`
    names : `Dict[str, str]`
        From `weight_names`.

    # Raises

    DataError
        When no copy of a file is whole.
    """
    whole = {
        name: Checkpointer(directory).whole_copy(name) for name in dict.fromkeys(names.values())
    }
    return {task: whole[name] for task, name in names.items()}


def load_models(model: Hmtl, files: Dict[str, Path], device: torch.device) -> Dict[str, Hmtl]:
    """
    By task, a model with its weights, in evaluation mode. Tasks whose files have the same content share one,
    and tensors that are the same in all files, as those of a frozen transformer, are in memory once.

    # Parameters

    model : `Hmtl`
        With any weights. It becomes one of the models.
    files : `Dict[str, Path]`
        By task.
    device : `torch.device`

    # Raises

    DataError
        When a file cannot be read, or does not fit the model.
    ConfigurationError
        When the models do not fit on the device.
    """
    by_content: Dict[str, Hmtl] = {}
    digests = {path: sha256_of(path) for path in set(files.values()) if path.is_file()}
    models: Dict[str, Hmtl] = {}
    try:
        for task, path in files.items():
            content = digests.get(path, str(path))
            if content not in by_content:
                weights = load_tensors(path)
                check_are_numbers(weights, path)
                # The vocabulary and equal tensors are shared.
                shared: Dict[int, Any] = {id(model.vocab): model.vocab}
                for name, tensor in model.named_parameters():
                    if by_content and name in weights and torch.equal(tensor.cpu(), weights[name]):
                        shared[id(tensor)] = tensor
                own = copy.deepcopy(model, shared) if by_content else model
                give_weights(own, weights, path)
                by_content[content] = own.to(device).eval()
            models[task] = by_content[content]
    except torch.OutOfMemoryError as error:
        raise ConfigurationError(
            f"the weights of {len(set(digests.values()))} models do not fit on {device}. Name one file for "
            f"all tasks (--weights {best_weights_name(list(files)[-1])}), or another device."
        ) from error
    return models


def log_weights(directory: Path, names: Dict[str, str], files: Dict[str, Path]) -> None:
    """Says of each task which weights answer it, and what the run has reported of them."""
    metrics = reported_metrics(directory)
    for task, path in files.items():
        match = BEST_WEIGHTS.fullmatch(names[task])
        found = reported_headline(metrics, match["task"] if match else "", task)
        score = "" if found is None else f" ({found[0]} on the test data: {percent(*found)})"
        logger.info("%s is predicted with the weights %s%s", task, path, score)


def reported_headline(metrics: Any, owner: str, task: str) -> Optional[Tuple[str, float]]:
    """Return a task's headline metric, with the best weights of another or its own: title and value."""
    try:
        return list(headline(metrics, task, owner).items())[-1]
    except (LookupError, TypeError, ValueError):
        return None


def reported_metrics(directory: Path) -> Any:
    """Return what `metrics.json` holds; nothing if the run has gone on since it was written."""
    try:
        metrics = json.loads((directory / METRICS_FILE).read_text(encoding="utf-8"))
        history = directory / HISTORY_FILE
        if history.is_file():
            epochs = json.loads(history.read_text(encoding="utf-8"))["epochs"]
            if len(epochs) != metrics["nb_epoch_trained"]:
                return {}
        return metrics
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return {}
