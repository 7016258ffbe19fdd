"""Reading a configuration file: from JSON on disk to the complete form that the experiment is built from."""

import copy
import json
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional

from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.common.params import with_overrides

from hmtl.hierarchy import DEFAULT_HEAD, DEFAULT_STACKS_ON, LEVELS_BY_MODEL_TYPE
from hmtl.legacy_config import translate

Config = Dict[str, Any]

TASK_PREFIX = "task_"

MODEL_KEYS_THAT_ARE_NO_LEVELS = ("type", "text_field_embedder", "initializer")


def load_config(path: Path, overrides: Optional[str] = None) -> Config:
    """
    # Parameters

    path : `Path`
        A JSON or Jsonnet file, in the present form or in the reference's own.
    overrides : `str`, optional (default = `None`)
        JSON whose entries replace those of the file; a key may be a dotted path.

    # Returns

    config : `Config`
        In the present form, complete: every level says its head and what it stacks on.

    # Raises

    ConfigurationError
        When the file is missing or no JSON, or says what cannot be.
    """
    if not path.is_file():
        kind = "is a directory" if path.is_dir() else "does not exist"
        raise ConfigurationError(
            f"the configuration file {path} {kind}. Give the path of a .json file, for instance "
            "configs/hmtl_sample.json."
        )
    replacements = _parse_overrides(overrides)
    config = _read(path)
    try:
        config = with_overrides(config, replacements)
    except ValueError as error:
        raise ConfigurationError(f"--overrides does not fit {path}: {error}") from error
    return complete(translate(config))


def _read(path: Path) -> Config:
    """Plain JSON keeps its order, which is the order of the tasks; Jsonnet sorts its keys."""
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError):
        try:
            config = Params.from_file(str(path)).as_dict(quiet=True)
        except (RuntimeError, ValueError) as error:
            # Jsonnet's message holds the line and the column.
            reason = str(error).strip()
            raise ConfigurationError(f"{path} cannot be read as JSON: {reason}") from error
    if not isinstance(config, dict):
        raise ConfigurationError(f"{path} must hold a JSON object, not {type(config).__name__}")
    return config


def _parse_overrides(overrides: Optional[str]) -> Config:
    if not overrides:
        return {}
    try:
        parsed = json.loads(overrides)
    except json.JSONDecodeError as error:
        raise ConfigurationError(
            f"--overrides is no JSON ({error}): {overrides!r}. Write for instance "
            "-o '{\"multi_task_trainer.num_epochs\": 3}'."
        ) from error
    if not isinstance(parsed, dict):
        raise ConfigurationError(f"--overrides must be a JSON object, not {overrides!r}")
    return parsed


def task_names(config: Mapping[str, Any]) -> List[str]:
    """The names of the tasks, in the order of the file."""
    return [key[len(TASK_PREFIX) :] for key in config if key.startswith(TASK_PREFIX)]


def level_names(config: Mapping[str, Any]) -> List[str]:
    """The names of the levels, in the order of the file."""
    return [key for key in config["model"] if key not in MODEL_KEYS_THAT_ARE_NO_LEVELS]


def complete(config: Config) -> Config:
    """
    Writes out what a config in the present form leaves to be understood, and checks that tasks and
    levels belong together. Completing twice changes nothing.
    """
    config = copy.deepcopy(config)
    _check_sections(config)
    config = _select_tasks(config)
    _complete_task_descriptions(config)
    _check_levels(config)
    levels = level_names(config)
    for name in levels:
        level = config["model"][name]
        if not isinstance(level, dict) or "tagger" not in level:
            raise ConfigurationError(
                f"model.{name} must be an object with the keys tagger and (usually) encoder"
            )
        level["tagger"].setdefault("type", _default_head(name))
        level.setdefault("stacks_on", _default_below(name, levels))
    return config


def _check_sections(config: Config) -> None:
    for section in ("model", "iterators", "multi_task_trainer"):
        if not isinstance(config.get(section), dict):
            raise ConfigurationError(f"the configuration lacks the section {section!r}")
    if not task_names(config):
        raise ConfigurationError(
            f"the configuration names no task: write a section {TASK_PREFIX}<name> for each"
        )
    if "text_field_embedder" not in config["model"]:
        raise ConfigurationError("the configuration lacks model.text_field_embedder")


def _select_tasks(config: Config) -> Config:
    """
    The config of the tasks that its key `tasks` lists, in that order. Levels of other tasks drop out of
    the chain: what stacked on one stacks on what was below it.
    """
    if "tasks" not in config:
        return config
    selected, known = config.pop("tasks"), task_names(config)
    if not isinstance(selected, list) or not selected or not set(selected) <= set(known):
        raise ConfigurationError(
            f"tasks is {selected!r}; write a list of one or more of this config's tasks: {known}"
        )
    model = config["model"]
    for name in selected:
        if isinstance(model.get(name), dict) and "stacks_on" in model[name]:
            model[name]["stacks_on"] = _nearest_below(name, selected, model)
    sections = {TASK_PREFIX + name: config[TASK_PREFIX + name] for name in selected}
    config = {key: value for key, value in config.items() if not key.startswith(TASK_PREFIX)}
    for name in set(known) - set(selected):
        model.pop(name, None)
        config["iterators"].pop(f"iterator_{name}", None)
    model["type"] = "hmtl"
    return {**sections, **config}


def _nearest_below(name: str, selected: List[str], model: Config) -> Optional[str]:
    below = model[name]["stacks_on"]
    passed = {name}
    while below is not None and below not in selected and below not in passed:
        passed.add(below)
        below = model.get(below, {}).get("stacks_on")
    return below


def _complete_task_descriptions(config: Config) -> None:
    for name in task_names(config):
        section = config[TASK_PREFIX + name]
        if not isinstance(section, dict) or not isinstance(section.get("data_params"), dict):
            raise ConfigurationError(f"{TASK_PREFIX}{name} lacks its section data_params")
        description = section.setdefault("task_description", {})
        if description.setdefault("task_name", name) != name:
            raise ConfigurationError(
                f"{TASK_PREFIX}{name}.task_description.task_name is {description['task_name']!r}; a task "
                f"has one name: write {name!r}, or call the section "
                f"{TASK_PREFIX}{description['task_name']}"
            )


def _check_levels(config: Config) -> None:
    tasks, levels = task_names(config), level_names(config)
    for name in levels:
        if name not in tasks:
            raise ConfigurationError(
                f"model.{name} is neither a key that the model knows "
                f"({', '.join(MODEL_KEYS_THAT_ARE_NO_LEVELS)}) nor a level of a task: the tasks are "
                f"{tasks}"
            )
    for name in tasks:
        if name not in levels:
            raise ConfigurationError(f"task {name!r} has no level: write model.{name}")
    model_type = config["model"].setdefault("type", "hmtl")
    expected = LEVELS_BY_MODEL_TYPE.get(model_type, levels)
    if sorted(expected) != sorted(levels):
        raise ConfigurationError(
            f"model.type {model_type!r} stands for the levels {expected}, but the config has {levels}. "
            "Write type 'hmtl', which takes any levels."
        )


def _default_head(name: str) -> str:
    if name not in DEFAULT_HEAD:
        raise ConfigurationError(
            f"model.{name}.tagger.type is missing; only the tasks {sorted(DEFAULT_HEAD)} have a head of "
            f"their own. Write one of {sorted(set(DEFAULT_HEAD.values()))}, or the name of your own head."
        )
    return DEFAULT_HEAD[name]


def _default_below(name: str, levels: List[str]) -> Optional[str]:
    if name not in DEFAULT_STACKS_ON:
        raise ConfigurationError(
            f"model.{name}.stacks_on is missing; only the tasks {sorted(DEFAULT_STACKS_ON)} have a "
            f"place of their own in the hierarchy. Write one of {levels}, or null for the base embedding."
        )
    return next((below for below in DEFAULT_STACKS_ON[name] if below in levels), None)


def differences(old: Any, new: Any, path: str = "") -> List[str]:
    """The dotted paths at which two configs differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        return [
            found
            for key in [*old, *(key for key in new if key not in old)]
            for found in differences(old.get(key), new.get(key), f"{path}.{key}" if path else key)
        ]
    return [] if old == new else [path]
