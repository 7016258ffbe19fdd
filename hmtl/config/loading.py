"""Reading a configuration file: from JSON on disk to the complete form that the experiment is built from."""

import copy
import importlib.util
import inspect
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Tuple

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.common.params import with_overrides
from allennlp.data import DatasetReader

from hmtl.config.hierarchy import (
    DEFAULT_CLUSTERS_FROM,
    DEFAULT_HEAD,
    DEFAULT_INPUT_DROPOUT,
    DEFAULT_MENTIONS_FROM,
    DEFAULT_STACKS_ON,
    LEVELS_BY_MODEL_TYPE,
    bottom_up,
)
from hmtl.config.legacy import translate
from hmtl.config.schema import (
    FOLDER_OF_SPLIT,
    ITERATOR,
    MODEL_KEYS_THAT_ARE_NO_LEVELS,
    SECTIONS,
    SPLIT_IN_PATH,
    TASK_PREFIX,
    Config,
    DataParams,
    RunConfig,
    TaskDescription,
    level_names,
    task_names,
)

# No config is nested as deeply: what walks through one calls itself for each level.
MOST_LEVELS = 64
# Jsonnet can go on for ever, and does not answer a signal. Variables of the environment are `std.extVar`.
JSONNET_SECONDS = 10.0
EVALUATE_JSONNET = """
import os, sys
sys.path.append(sys.argv[1])
import _jsonnet
variables = {
    key: value
    for key, value in os.environ.items()
    if value == value.encode("utf-8", "ignore").decode()
}
try:
    sys.stdout.buffer.write(_jsonnet.evaluate_file(sys.argv[2], ext_vars=variables).encode())
except RuntimeError as error:
    sys.exit(str(error))
"""

# The key of an editor's, which completes keys from the JSON Schema that it names.
EDITORS_SCHEMA = "$schema"
# Stands for the three paths, with the name of each split in place of `{split}`.
DATA_PATH = "data_path"
READERS = ("dataset_reader", "validation_dataset_reader")
# Objects at the top that a config may leave out, beside the sections.
LEFT_OUT = ("iterators", "vocabulary", "regularizer", "token_indexers")
DEFAULT_ITERATOR = {"type": "bucket", "batch_size": 32}

# What a level that has an encoder of its own says about it.
SHARED_WITH_AN_ENCODER = (
    *("encoder", "shortcut", "label_embedding_dim"),
    *("input_dropout", "input_dropout_in_own_batches_only"),
)

# What an encoder of characters calls the width of its input, by its type.
CHARACTER_ENCODER_SIZES = {
    **dict.fromkeys(("cnn", "cnn-highway", "boe", "bag_of_embeddings"), "embedding_dim"),
    **dict.fromkeys(("lstm", "gru", "rnn", "alternating_lstm"), "input_size"),
}


def load_config(
    path: Path,
    overrides: Optional[str] = None,
    prepare: Optional[Callable[[Config], Config]] = None,
    jsonnet: bool = True,
) -> Config:
    """
    # Parameters

    path : `Path`
        A JSON or Jsonnet file, in the present form or in the reference's own.
    overrides : `str`, optional (default = `None`)
        JSON whose entries replace those of the file; a key may be a dotted path.
    prepare : `Callable[[Config], Config]`, optional (default = `None`)
        What is to be done with it before it is completed.
    jsonnet : `bool`, optional (default = `True`)
        `False` for the config of a run, which may be a stranger's: Jsonnet can read any file and every
        variable of the environment.

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
    config = read_object(path, jsonnet)
    _make_room(config, replacements)
    try:
        config = with_overrides(config, replacements)
    except ValueError as error:
        raise ConfigurationError(f"--overrides does not fit {path}: {error}") from error
    config = translate(config)
    return complete(config if prepare is None else prepare(config))


def read_object(path: Path, jsonnet: bool = True) -> Config:
    """
    Read a file that holds a JSON object. Plain JSON keeps its order, which in a config is the order of the
    tasks; Jsonnet sorts its keys.

    # Parameters

    path : `Path`
    jsonnet : `bool`, optional (default = `True`)
        Evaluate what is no plain JSON as Jsonnet.

    # Raises

    ConfigurationError
        When it cannot be read, or holds something else.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f"{path} is no text in UTF-8 ({error.reason} at byte {error.start}). Save it as UTF-8."
        ) from error
    try:
        config = _parse(text, str(path), object_pairs_hook=_keys_once)
    except json.JSONDecodeError as error:
        if not jsonnet:
            raise ConfigurationError(
                f"{path} is no plain JSON ({error}). Put back what training wrote there; the file of a run "
                "is never evaluated as Jsonnet."
            ) from error
        config = _parse(_evaluated(path), str(path))
    if not isinstance(config, dict):
        raise ConfigurationError(f"{path} must hold a JSON object, not {type(config).__name__}")
    return config


def _parse(text: str, what: str, **options: Any) -> Any:
    """
    # Raises

    JSONDecodeError
        When a text is no JSON.
    ConfigurationError
        When it is nested too deeply, or holds a number that Python refuses to read.
    """
    too_deep = f"{what} is nested more than {MOST_LEVELS} levels deep, as no configuration is"
    try:
        value = json.loads(text, **options)
    except RecursionError as error:
        raise ConfigurationError(too_deep) from error
    except json.JSONDecodeError:
        raise
    except ValueError as error:
        raise ConfigurationError(f"{what} cannot be read as JSON: {error}") from error
    level: List[Any] = [[value]]
    for _ in range(MOST_LEVELS):
        lists = [each.values() if isinstance(each, dict) else each for each in level]
        level = [each for held in lists for each in held if isinstance(each, (dict, list))]
    if level:
        raise ConfigurationError(too_deep)
    return value


def _evaluated(path: Path) -> str:
    """The JSON that a Jsonnet file comes to, made in a process of its own, which can be stopped."""
    package = importlib.util.find_spec("_jsonnet")
    assert package is not None and package.origin is not None
    try:
        done = subprocess.run(
            [
                sys.executable,
                "-I",
                "-c",
                EVALUATE_JSONNET,
                str(Path(package.origin).parent),
                str(path),
            ],
            capture_output=True,
            encoding="utf-8",
            timeout=JSONNET_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise ConfigurationError(
            f"{path} is no plain JSON, and as Jsonnet it does not come to an end within "
            f"{JSONNET_SECONDS:g} seconds. Look for a function in it that calls itself."
        ) from error
    if done.returncode:
        # Jsonnet's message holds the line and the column.
        raise ConfigurationError(f"{path} cannot be read as JSON: {done.stderr.strip()}")
    return done.stdout


def _keys_once(pairs: List[Tuple[str, Any]]) -> Config:
    """Of two entries by one key JSON would keep the last, and a task would be lost without a word."""
    read: Config = {}
    for key, value in pairs:
        if key in read:
            raise ConfigurationError(
                f"the configuration has the key {key!r} twice in one object: give one of them another name"
            )
        read[key] = value
    return read


def _make_room(config: Config, replacements: Config) -> None:
    """Add the objects that dotted paths lead through and that the config leaves out, as defaults may be."""
    for path in replacements:
        at: Any = config
        keys = path.split(".")[:-1]
        if not keys or keys[0] not in {*config, *SECTIONS, *LEFT_OUT}:
            continue
        defaults = SECTIONS[keys[0]].defaults() if keys[0] in SECTIONS else {}
        for key in keys:
            if not isinstance(at, dict):
                break
            default = defaults.get(key) if at is config.get(keys[0]) else None
            at = at.setdefault(key, default if isinstance(default, dict) else {})


def _parse_overrides(overrides: Optional[str]) -> Config:
    if not overrides:
        return {}
    try:
        parsed = _parse(overrides, "--overrides")
    except json.JSONDecodeError as error:
        raise ConfigurationError(
            f"--overrides is no JSON ({error}): {overrides!r}. Write for instance "
            "-o '{\"multi_task_trainer.num_epochs\": 3}'."
        ) from error
    if not isinstance(parsed, dict):
        raise ConfigurationError(f"--overrides must be a JSON object, not {overrides!r}")
    return parsed


def complete(config: Config) -> Config:
    """
    Write out what a config in the present form leaves to be understood, and check that tasks and levels
    belong together. Completing twice changes nothing.
    """
    config = copy.deepcopy(config)
    config.pop(EDITORS_SCHEMA, None)
    _check_sections(config)
    _complete_task_descriptions(config)
    _spread_token_indexers(config)
    _pad_characters(config)
    _spell_out_data_paths(config)
    _check_levels(config)
    levels = level_names(config)
    for name in levels:
        _complete_level(name, levels, config["model"][name])
    _check_hierarchy(config)
    config = _select_tasks(config)
    _complete_character_encoders(config)
    _check_token_indexers(config)
    return _with_defaults(config)


def _with_defaults(config: Config) -> Config:
    """The config with every default that is not null."""
    for name in task_names(config):
        section = config[TASK_PREFIX + name]
        for key, kind in (("task_description", TaskDescription), ("data_params", DataParams)):
            section[key] = {**kind.defaults(), **section[key]}
    for path in ("multi_task_trainer", "cache"):
        if isinstance(config.setdefault(path, {}), dict):
            config[path] = {**SECTIONS[path].defaults(), **config[path]}
    return {**config, **{k: v for k, v in RunConfig.defaults().items() if k not in config}}


def _spread_token_indexers(config: Config) -> None:
    """Give the token indexers that stand at the top to every reader that takes some and names none."""
    indexers = config.pop("token_indexers", None)
    if indexers is None:
        return
    for name in task_names(config):
        data_params = config[TASK_PREFIX + name]["data_params"]
        for key in READERS:
            reader = data_params.get(key)
            if isinstance(reader, str):
                reader = data_params[key] = {"type": reader}
            if isinstance(reader, dict) and _takes_token_indexers(reader.get("type")):
                reader.setdefault("token_indexers", copy.deepcopy(indexers))


def _pad_characters(config: Config) -> None:
    """The encoder of characters pads as far as its filters need; 1 silences AllenNLP's warning about that."""
    for name in task_names(config):
        for key in READERS:
            reader = config[TASK_PREFIX + name]["data_params"].get(key)
            indexers = reader.get("token_indexers") if isinstance(reader, dict) else None
            for indexer in indexers.values() if isinstance(indexers, dict) else []:
                if isinstance(indexer, dict) and indexer.get("type") == "characters":
                    indexer.setdefault("min_padding_length", 1)


def _takes_token_indexers(reader_type: Any) -> bool:
    """False of a reader whose constructor is known not to."""
    if reader_type not in DatasetReader.list_available():
        return True
    reader, constructor = DatasetReader.resolve_class_name(reader_type)
    parameters = inspect.signature(getattr(reader, constructor or "__init__")).parameters
    takes_any = any(each.kind is each.VAR_KEYWORD for each in parameters.values())
    return "token_indexers" in parameters or takes_any


def _spell_out_data_paths(config: Config) -> None:
    """Write the three paths that `data_path` stands for; who gives all three is scored on the third."""
    for name in task_names(config):
        section = config[TASK_PREFIX + name]
        pattern = section["data_params"].pop(DATA_PATH, None)
        if pattern is None:
            continue
        if not isinstance(pattern, str) or SPLIT_IN_PATH not in pattern:
            raise ConfigurationError(
                f"{TASK_PREFIX}{name}.data_params.{DATA_PATH} is {pattern!r}; write a path with "
                f"{SPLIT_IN_PATH} in it, which stands for {', '.join(FOLDER_OF_SPLIT.values())}, or the "
                "three paths as train_data_path, validation_data_path and test_data_path"
            )
        for split, folder in FOLDER_OF_SPLIT.items():
            path = pattern.replace(SPLIT_IN_PATH, folder)
            section["data_params"].setdefault(f"{split}_data_path", path)
        section["task_description"].setdefault("evaluate_on_test", True)


def _complete_level(name: str, levels: List[str], level: Any) -> None:
    if not isinstance(level, dict) or not isinstance(level.setdefault("tagger", {}), dict):
        raise ConfigurationError(
            f"model.{name} must be an object with the keys encoder and (usually) tagger"
        )
    if "type" not in level["tagger"]:
        level["tagger"]["type"] = _default_head(name)
    if "stacks_on" not in level:
        level["stacks_on"] = _default_below(name, levels)
    if level.get("encoder") is not None:
        level.setdefault("input_dropout", DEFAULT_INPUT_DROPOUT.get(name, 0.0))
    for key, defaults in (
        ("mentions_from", DEFAULT_MENTIONS_FROM),
        ("clusters_from", DEFAULT_CLUSTERS_FROM),
    ):
        default = defaults.get(str(level["tagger"]["type"]))
        if default in levels:
            level.setdefault(key, default)


def _check_sections(config: Config) -> None:
    if not isinstance(config.get("model"), dict):
        raise ConfigurationError("the configuration lacks the section 'model'")
    config.setdefault("multi_task_trainer", {})
    iterators = config.setdefault("iterators", {})
    if isinstance(iterators, dict):
        iterators.setdefault(ITERATOR, dict(DEFAULT_ITERATOR))
    if not task_names(config):
        raise ConfigurationError(
            f"the configuration names no task: write a section {TASK_PREFIX}<name> for each"
        )
    if "text_field_embedder" not in config["model"]:
        raise ConfigurationError("the configuration lacks model.text_field_embedder")


def _check_hierarchy(config: Config) -> None:
    model = config["model"]
    for name in level_names(config):
        for key in ("stacks_on", "mentions_from", "clusters_from"):
            if not isinstance(model[name].get(key), (str, type(None))):
                raise ConfigurationError(
                    f"model.{name}.{key} is {model[name][key]!r}; write the name of a level, or null"
                )
    try:
        bottom_up({name: model[name]["stacks_on"] for name in level_names(config)})
    except ValueError as error:
        raise ConfigurationError(str(error)) from error


def _select_tasks(config: Config) -> Config:
    """
    The config of the tasks that its key `tasks` lists, in that order. Levels of other tasks drop out of
    the chain: what stacked on one stacks on what was below it.
    """
    if "tasks" not in config:
        return config
    selected, known = config.pop("tasks"), task_names(config)
    if (
        not isinstance(selected, list)
        or not selected
        or any(name not in known for name in selected)
    ):
        raise ConfigurationError(
            f"tasks is {selected!r}; write a list of one or more of this config's tasks: {known}"
        )
    model = config["model"]
    dropped = {name: model.pop(name) for name in known if name not in selected}
    for name in selected:
        _restack(model[name], dropped)
    for name in dropped:
        config["iterators"].pop(f"iterator_{name}", None)
    for block in (model.get("initializer"), config.get("regularizer")):
        if isinstance(block, dict) and isinstance(block.get("regexes"), list):
            block["regexes"] = [pair for pair in block["regexes"] if not _names_any(pair, dropped)]
    model["type"] = "hmtl"
    sections = {TASK_PREFIX + name: config[TASK_PREFIX + name] for name in selected}
    others = {key: value for key, value in config.items() if not key.startswith(TASK_PREFIX)}
    return {**sections, **others}


def _names_any(pair: Any, levels: Config) -> bool:
    """Whether a pair of a parameter pattern and something else is about one of these levels."""
    pattern = pair[0] if isinstance(pair, list) and pair else None
    return isinstance(pattern, str) and not levels.keys().isdisjoint(re.findall(r"\w+", pattern))


def _restack(level: Config, dropped: Config) -> None:
    """Puts a level on what is left below it; an encoder that it shared with a dropped one is its own."""
    while level["stacks_on"] in dropped:
        below = dropped[level["stacks_on"]]
        if level.get("encoder") is None:
            shared = {key: below[key] for key in SHARED_WITH_AN_ENCODER if key in below}
            level.update(copy.deepcopy(shared))
        level["stacks_on"] = below["stacks_on"]
    for key in ("mentions_from", "clusters_from"):
        if level.get(key) in dropped:
            del level[key]


def _complete_task_descriptions(config: Config) -> None:
    for name in task_names(config):
        section = config[TASK_PREFIX + name]
        if not isinstance(section, dict) or not isinstance(section.get("data_params"), dict):
            raise ConfigurationError(f"{TASK_PREFIX}{name} lacks its section data_params")
        if section["data_params"].get("dataset_reader") is None:
            raise ConfigurationError(
                f"{TASK_PREFIX}{name}.data_params.dataset_reader is missing: write what reads the data, "
                "for instance {'type': 'conll2003'}"
            )
        description = section.setdefault("task_description", {})
        if not isinstance(description, dict):
            raise ConfigurationError(f"{TASK_PREFIX}{name}.task_description must be an object")
        if description.setdefault("task_name", name) != name:
            raise ConfigurationError(
                f"{TASK_PREFIX}{name}.task_description.task_name is {description['task_name']!r}; a task "
                f"has one name: write {name!r}, or call the section "
                f"{TASK_PREFIX}{description['task_name']}"
            )


def _check_levels(config: Config) -> None:
    tasks, levels = task_names(config), level_names(config)
    # The model keeps its levels under their names, in a container that has attributes of its own.
    container = torch.nn.ModuleDict()
    for name in tasks:
        taken = hasattr(container, name) or name in MODEL_KEYS_THAT_ARE_NO_LEVELS
        if taken or not re.fullmatch(r"[\w-]+", name):
            raise ConfigurationError(
                f"{TASK_PREFIX}{name}: a task cannot be called {name!r}; take another name, of letters, "
                "digits, '_' and '-'"
            )
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
    expected = LEVELS_BY_MODEL_TYPE.get(str(model_type), levels)
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
    """The level that one of the 2018 names stacks on; the base embedding, `None`, for any other."""
    return next((below for below in DEFAULT_STACKS_ON.get(name, []) if below in levels), None)


def _complete_character_encoders(config: Config) -> None:
    """The width of a character encoder's input follows from the embedding of the characters."""
    embedders = token_embedders(config)
    for name, embedder in embedders.items():
        embedding, encoder = embedder.get("embedding"), embedder.get("encoder")
        if not isinstance(embedding, dict) or not isinstance(encoder, dict):
            continue
        size = CHARACTER_ENCODER_SIZES.get(str(encoder.get("type")))
        width = embedding.get("projection_dim") or embedding.get("embedding_dim")
        if size is None or width is None:
            continue
        if encoder.setdefault(size, width) != width:
            path = f"model.text_field_embedder.token_embedders.{name}"
            raise ConfigurationError(
                f"{path}.encoder.{size} is {encoder[size]}, but {path}.embedding gives {width}. Write "
                f"{width}, or leave the size out: it follows from the embedding."
            )


def _check_token_indexers(config: Config) -> None:
    embedders = token_embedders(config)
    for name in task_names(config):
        for key in READERS:
            reader = config[TASK_PREFIX + name]["data_params"].get(key)
            indexers = reader.get("token_indexers") if isinstance(reader, dict) else None
            if embedders and isinstance(indexers, dict) and set(indexers) != set(embedders):
                raise ConfigurationError(
                    f"{TASK_PREFIX}{name}.data_params.{key}.token_indexers has {sorted(indexers)}, but "
                    f"model.text_field_embedder.token_embedders has {sorted(embedders)}: each embedder "
                    "reads from the indexer of its name"
                )


def token_embedders(config: Config) -> Dict[str, Config]:
    """The blocks of the model's token embedders, by name, where they are objects."""
    embedder = config["model"]["text_field_embedder"]
    embedders = embedder.get("token_embedders") if isinstance(embedder, dict) else None
    if not isinstance(embedders, dict):
        return {}
    return {name: entry for name, entry in embedders.items() if isinstance(entry, dict)}


def differences(old: Config, new: Config) -> List[str]:
    """The dotted paths at which two configs differ, and whether their tasks stand in another order."""
    found = _differences(old, new, "")
    before, after = task_names(old), task_names(new)
    if before != after and sorted(before) == sorted(after):
        found.append("the order of the tasks")
    return found


def value_at(config: Config, path: str) -> Any:
    """What stands at a dotted path; `None` where there is nothing."""
    value: Any = config
    for key in path.split("."):
        if isinstance(value, dict):
            value = value.get(key)
        else:
            value = value[int(key)] if isinstance(value, list) else None
    return value


def _differences(old: Any, new: Any, path: str) -> List[str]:
    # A type alone is short for a block that says no more than that.
    if isinstance(old, str) and isinstance(new, dict):
        old = {"type": old}
    elif isinstance(old, dict) and isinstance(new, str):
        new = {"type": new}
    if isinstance(old, dict) and isinstance(new, dict):
        return [
            found
            for key in [*old, *(key for key in new if key not in old)]
            for found in _differences(old.get(key), new.get(key), f"{path}.{key}" if path else key)
        ]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [
            found
            for index, (before, after) in enumerate(zip(old, new))
            for found in _differences(before, after, f"{path}.{index}")
        ]
    return [] if old == new else [path]
