"""
The door for configs in the form of 2018 (AllenNLP 0.7): here, and only here, they are translated to the
present form. A config in the present form passes through unchanged.
"""

import copy
import logging
from typing import Any, Callable, Dict, Iterator, List, Tuple

from allennlp.common.checks import ConfigurationError

from hmtl.config.hierarchy import DEFAULT_HEAD

logger = logging.getLogger(__name__)

Config = Dict[str, Any]

# What AllenNLP 0.7 took where an iterator did not say.
DEFAULT_ITERATOR = "bucket"
DEFAULT_BATCH_SIZE = 32

# What the 2018 code took where its config did not say, and this code takes otherwise.
SPLITS = ("train", "validation", "test")
TRAINER_DEFAULTS = {
    "patience": 2,
    "min_lr": 1e-5,
    "summary_interval": 50,
    "log_parameter_statistics": False,
}

# The text was called `tokens` by the readers of names and mentions, `text` by the others; all say `text` now.
FIELDS = {"tokens": "text"}

# What the initializer patterns of 2018 name, as it is called here. A pattern of the coreference head
# could reach the encoder, which was part of that head.
PARAMETER_PATTERNS = {
    ".*scorer._module.weight": r"antecedent_scorer\.output\.weight",
    "_distance_embedding.weight": ".*distance_embedding.weight",
    "_span_width_embedding.weight": ".*width_embedding.weight",
}
ENCODER_PATTERNS = {
    "_context_layer._module.weight_ih.*": "weight_ih.*",
    "_context_layer._module.weight_hh.*": "weight_hh.*",
    "_context_layer._module.bias.*": "bias.*",
}

# Encoders whose output is `hidden_size` wide in each direction.
RECURRENT = ("lstm", "gru", "rnn")


def translate(config: Config) -> Config:
    """
    # Parameters

    config : `Config`
        In the form of 2018, the present one, or between the two.

    # Returns

    config : `Config`
        A copy in the present form. If anything in it was in the form of 2018 alone, what it leaves out is
        written out as it was then.

    # Raises

    ConfigurationError
        When something has no counterpart; the message says what to write instead.
    """
    config = copy.deepcopy(config)
    mark = next(_marks_of_2018(config), None)
    for step in _STEPS:
        step(config)
    if mark is not None:
        logger.info(
            "%s is in the form of 2018: what this config leaves out is as it was then "
            "(docs/DEPARTURES.md)",
            mark,
        )
        _write_out_defaults(config)
    return config


def _marks_of_2018(config: Config) -> Iterator[str]:
    """The paths of what is written as in 2018 and in no later form."""
    trainer = _object(config, "multi_task_trainer")
    if "sumarry_interval" in trainer:
        yield "multi_task_trainer.sumarry_interval"
    if isinstance(trainer.get("min_lr"), str):
        yield "multi_task_trainer.min_lr"
    for path, iterator in _objects(config, "iterators"):
        if _has_paired_keys(iterator):
            yield f"{path}.sorting_keys"
    for path, reader in _readers_of(config):
        if "lazy" in reader:
            yield f"{path}.lazy"
    for name, level in _levels(config):
        tagger = level["tagger"]
        # "n_classes" and "lexical_dropout" may be another head's own.
        keys = {"relation_extractor": "n_classes", "coreference_resolver": "lexical_dropout"}
        key = keys.get(_head(name, level))
        if key in tagger:
            yield f"model.{name}.tagger.{key}"
        if _are_pairs(tagger.get("initializer")):
            yield f"model.{name}.tagger.initializer"
    if _are_pairs(_object(config, "model").get("initializer")):
        yield "model.initializer"
    if _are_pairs(config.get("regularizer")):
        yield "regularizer"


def _write_out_defaults(config: Config) -> None:
    """As the 2018 code had them. `config` is in the present form already."""
    for task in _tasks(config):
        data_params = _object(config, task, "data_params")
        there = [split for split in SPLITS if data_params.get(f"{split}_data_path")]
        if there:
            data_params.setdefault("datasets_for_vocab_creation", there)
    trainer = _object(config, "multi_task_trainer")
    for key, value in TRAINER_DEFAULTS.items():
        trainer.setdefault(key, value)
    for name, level in _levels(config):
        if _head(name, level) != "crf_tagger":
            continue
        tagger = level["tagger"]
        tagger.setdefault("constraint_type", None)
        if tagger.get("dropout") and level.get("encoder") and "input_dropout" not in level:
            # AllenNLP 0.7 applied it to the text as well, which the tagger embedded by itself.
            level["input_dropout"] = tagger["dropout"]
            level["input_dropout_in_own_batches_only"] = True


def _object(config: Any, *keys: str) -> Config:
    """
    The object at a path; an empty one where there is none, or something else, of which the checks of the
    present form will tell.
    """
    for key in keys:
        config = config.get(key) if isinstance(config, dict) else None
    return config if isinstance(config, dict) else {}


def _objects(config: Config, *path: str) -> List[Tuple[str, Config]]:
    """The objects in the object at a path, each with its own dotted path."""
    return [
        (".".join([*path, key]), value)
        for key, value in _object(config, *path).items()
        if isinstance(value, dict)
    ]


def _tasks(config: Config) -> List[str]:
    return [key for key in config if key.startswith("task_")]


def _readers_of(config: Config) -> List[Tuple[str, Config]]:
    """The blocks of all readers, each with its dotted path."""
    return [
        (path, reader)
        for task in _tasks(config)
        for path, reader in _objects(config, task, "data_params")
        if path.endswith("dataset_reader")
    ]


def _levels(config: Config) -> List[Tuple[str, Config]]:
    """The levels that have a tagger, by name."""
    return [
        (name, level)
        for name, level in _object(config, "model").items()
        if isinstance(level, dict) and isinstance(level.get("tagger"), dict)
    ]


def _head(name: str, level: Config) -> Any:
    """What type of head a level has, or is to have."""
    return level["tagger"].get("type", DEFAULT_HEAD.get(name))


def _names(config: Config) -> None:
    """Blocks that hold nothing but a type may be written as its name alone; null is as if left out."""
    for task in _tasks(config):
        for key in ("dataset_reader", "validation_dataset_reader"):
            _spell_out(_object(config, task, "data_params"), key)
    for key in list(_object(config, "iterators")):
        _spell_out(config["iterators"], key)
    for level in _object(config, "model").values():
        _spell_out(_object(level), "tagger")
    _spell_out(_object(config, "multi_task_trainer"), "scheduler")
    _spell_out(config, "vocabulary")
    for key in ("vocabulary", "regularizer"):
        if key in config and config[key] is None:
            del config[key]


def _spell_out(parent: Config, key: str) -> None:
    if isinstance(parent.get(key), str):
        parent[key] = {"type": parent[key]}


def _vocabulary(config: Config) -> None:
    """A directory to read or extend is the business of types of their own."""
    vocabulary = _object(config, "vocabulary")
    directory, extend = vocabulary.pop("directory_path", None), vocabulary.pop("extend", False)
    if extend and not directory:
        raise ConfigurationError("vocabulary.extend needs a directory_path to extend; remove it.")
    if directory:
        vocabulary.update(type="extend" if extend else "from_files", directory=directory)


def _characters(config: Config) -> None:
    """Characters were looked up in the namespace of their indexer without a word."""
    for _, embedder in _objects(config, "model", "text_field_embedder", "token_embedders"):
        embedding = embedder.get("embedding")
        if embedder.get("type") == "character_encoding" and isinstance(embedding, dict):
            if "num_embeddings" not in embedding:
                embedding.setdefault("vocab_namespace", "token_characters")


def _readers(config: Config) -> None:
    for path, reader in _readers_of(config):
        if reader.pop("lazy", False):
            logger.warning(
                "%s.lazy is ignored: data_params.max_instances_in_memory says how much of the data is "
                "kept in memory",
                path,
            )


def _iterators(config: Config) -> None:
    """Sorting keys were pairs of a field and the name of one of its lengths."""
    for _, iterator in _objects(config, "iterators"):
        if iterator.setdefault("type", DEFAULT_ITERATOR) in ("basic", "bucket"):
            iterator.setdefault("batch_size", DEFAULT_BATCH_SIZE)
        if _has_paired_keys(iterator):
            fields = [FIELDS.get(field, field) for field, _ in iterator["sorting_keys"]]
            iterator["sorting_keys"] = list(dict.fromkeys(fields))


def _has_paired_keys(iterator: Config) -> bool:
    keys = iterator.get("sorting_keys")
    return (
        isinstance(keys, list)
        and bool(keys)
        and all(isinstance(key, list) and len(key) == 2 for key in keys)
    )


def _trainer(config: Config) -> None:
    """A misspelt name, and a number written as a string."""
    trainer = _object(config, "multi_task_trainer")
    if "sumarry_interval" in trainer:
        trainer.setdefault("summary_interval", trainer.pop("sumarry_interval"))
    if isinstance(trainer.get("min_lr"), str):
        try:
            trainer["min_lr"] = float(trainer["min_lr"])
        except ValueError as error:
            raise ConfigurationError(
                f"multi_task_trainer.min_lr is {trainer['min_lr']!r}; write a number, as 1e-7"
            ) from error


def _scheduler(config: Config) -> None:
    """
    The configs of 2018 let the plateau scheduler wait for F1 to FALL (mode "min"). The direction is said
    once, with the task's metric.
    """
    scheduler = _object(config, "multi_task_trainer", "scheduler")
    if scheduler.get("type") != "reduce_on_plateau":
        return
    scheduler.pop("verbose", None)
    mode = scheduler.pop("mode", None)
    contradicted = [task for task in _tasks(config) if mode not in (None, _direction(config, task))]
    if contradicted:
        logger.warning(
            "multi_task_trainer.scheduler.mode %r contradicts validation_metric_decreases of %s; the "
            "learning rate follows each task's metric in its own direction",
            mode,
            ", ".join(contradicted),
        )


def _direction(config: Config, task: str) -> str:
    description = _object(config, task, "task_description")
    return "min" if description.get("validation_metric_decreases") else "max"


def _encoders(config: Config) -> None:
    for path, encoder in (
        (f"model.{name}.encoder", _object(level, "encoder")) for name, level in _levels(config)
    ):
        if encoder.get("type") == "stacked_gru":
            raise ConfigurationError(
                f"{path}.type 'stacked_gru' is gone: it ignored padding; write gru, with input_size, "
                "hidden_size and num_layers."
            )


def _taggers(config: Config) -> None:
    """What heads could once be told, and can no longer."""
    for name, level in _levels(config):
        tagger, head = level["tagger"], _head(name, level)
        if head == "relation_extractor":
            _relation_tagger(level, f"model.{name}.tagger")
        elif head == "coreference_resolver" and "lexical_dropout" in tagger:
            # It acts on what the level's encoder reads.
            level["input_dropout"] = tagger.pop("lexical_dropout")


def _relation_tagger(level: Config, path: str) -> None:
    """Sizes that follow from the parts or the data, and the one that does not by its new name."""
    tagger, encoder = level["tagger"], _object(level, "encoder")
    if "l" in tagger:
        tagger["hidden_dim"] = tagger.pop("l")
    # The number of types in a table of the code; now it is that in the data.
    tagger.pop("n_classes", None)
    half, hidden_size = tagger.pop("d", None), encoder.get("hidden_size")
    if half is None or encoder.get("type") not in RECURRENT or not isinstance(hidden_size, int):
        return
    width = hidden_size * (2 if encoder.get("bidirectional") else 1)
    if 2 * half != width:
        raise ConfigurationError(
            f"{path}.d is written for encodings of size 2 x {half} = {2 * half}, but the level's encoder "
            f"writes {width}. Leave d out: it follows from the encoder."
        )


def _initializers(config: Config) -> None:
    """Lists of pairs of a pattern and an initializer; some patterns reach into a level's encoder."""
    model = _object(config, "model")
    if _are_pairs(model.get("initializer")):
        model["initializer"] = {"regexes": model["initializer"]}
    for name, level in _levels(config):
        pairs = level["tagger"].get("initializer")
        if not _are_pairs(pairs):
            continue
        own: List[Any] = []
        reaching: List[Any] = []
        for pattern, initializer in pairs:
            if pattern in ENCODER_PATTERNS:
                reached = rf"encoders\.encoders\.{name}\..*{ENCODER_PATTERNS[pattern]}"
                reaching.append([reached, initializer])
            else:
                own.append([PARAMETER_PATTERNS.get(pattern, pattern), initializer])
        level["tagger"]["initializer"] = {"regexes": own}
        if reaching:
            whole = model["initializer"] = model.get("initializer") or {}
            whole.setdefault("regexes", []).extend(reaching)


def _are_pairs(value: Any) -> bool:
    """Whether it is a list of patterns with something each; what else there is, the checks tell."""
    return isinstance(value, list) and all(
        isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str) for pair in value
    )


def _regularizer(config: Config) -> None:
    """A list of pairs of a pattern and a penalty."""
    if _are_pairs(config.get("regularizer")):
        config["regularizer"] = {"regexes": config["regularizer"]}


_STEPS: List[Callable[[Config], None]] = [
    _names,
    _vocabulary,
    _characters,
    _readers,
    _iterators,
    _trainer,
    _scheduler,
    _encoders,
    _taggers,
    _initializers,
    _regularizer,
]
