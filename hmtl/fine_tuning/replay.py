"""Tasks of a trained model that come along, with their data, when it is trained on."""

import copy
import os
from typing import Dict, Mapping, Optional

from allennlp.common.checks import ConfigurationError

from hmtl.common.reporting import did_you_mean
from hmtl.config.loading import TASK_PREFIX, Config, task_names
from hmtl.config.transformers import read_with_transformers_of_embedders

DATA_PATHS = ("train_data_path", "validation_data_path", "test_data_path")
DEFAULT_SAMPLING = "proportional"


def with_replayed_tasks(config: Config, trained: Config) -> Config:
    """
    Writes out what `fine_tuning.replay` asks for: the sections of those tasks, and how often they are
    drawn.

    # Parameters

    config : `Config`
        As it was read; it may lack what can be left to be understood.
    trained : `Config`
        The trained model's, complete.

    # Returns

    config : `Config`
        A copy, with the tasks after its own.

    # Raises

    ConfigurationError
        When the trained model has no such task.
    """
    options = config.get("fine_tuning")
    replay = options.get("replay") if isinstance(options, dict) else None
    if not isinstance(replay, dict) or not replay:
        return config
    config = copy.deepcopy(config)
    for name in replay:
        if TASK_PREFIX + name not in config:
            _add_task(name, config, trained)
        if isinstance(config.get("tasks"), list) and name not in config["tasks"]:
            config["tasks"].append(name)
    _set_factors(config, replay)
    return config


def _add_task(name: str, config: Config, trained: Config) -> None:
    known = task_names(trained)
    if name not in known:
        raise ConfigurationError(
            f"fine_tuning.replay names {name!r}, a task that neither this config nor the trained model "
            f"has: {did_you_mean(name, known)}The trained model's are {', '.join(known)}."
        )
    section = copy.deepcopy(trained[TASK_PREFIX + name])
    for key in DATA_PATHS:
        path = section["data_params"].get(key)
        if path:
            section["data_params"][key] = _from_root(
                os.path.join(trained.get("data_root", ""), path), config.get("data_root", "")
            )
    config[TASK_PREFIX + name] = section
    config.setdefault("model", {}).setdefault(name, copy.deepcopy(trained["model"][name]))
    # Where the trained model had its transformer there may be nothing any more.
    read_with_transformers_of_embedders(config, name)
    iterator = _iterator(trained, name)
    if iterator is not None:
        config.setdefault("iterators", {}).setdefault(f"iterator_{name}", iterator)


def _iterator(trained: Config, name: str) -> Optional[Config]:
    iterators = trained["iterators"]
    return copy.deepcopy(iterators.get(f"iterator_{name}", iterators.get("iterator")))


def _from_root(path: str, root: str) -> str:
    """The path as it is written where paths start from that folder."""
    if os.path.isabs(path) or not root:
        return path
    return os.path.relpath(path, root)


def _set_factors(config: Config, replay: Mapping[str, float]) -> None:
    trainer: Dict = config.setdefault("multi_task_trainer", {})
    sampling = trainer.get("sampling_method", DEFAULT_SAMPLING)
    if not isinstance(sampling, dict):
        sampling = {"type": sampling}
    trainer["sampling_method"] = {**sampling, "factors": {**sampling.get("factors", {}), **replay}}
