"""
The door for configs in the reference's own form (AllenNLP 0.7 of 2018): here, and only here, they are
translated to the present form. A config in the present form passes through unchanged.
"""

import copy
import logging
from typing import Any, Callable, Dict, List, Tuple

from allennlp.common.checks import ConfigurationError

from hmtl.hierarchy import DEFAULT_HEAD

logger = logging.getLogger(__name__)

Config = Dict[str, Any]
# Names of keys (or of types), with what is to be said of each.
Remarks = Dict[str, str]

# What AllenNLP 0.7 took where an iterator did not say.
DEFAULT_ITERATOR = "bucket"
DEFAULT_BATCH_SIZE = 32
SECONDS_PER_MINUTE = 60
IN_MEMORY = "max_instances_in_memory"

# What the reference's initializer patterns name, as it is called here. A pattern of the coreference head
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
# An "initializer" of this name kept parameters from being initialised.
PREVENT = "prevent"

SEEDS = ("random_seed", "numpy_seed", "pytorch_seed")

SINGLE_TASK = (
    "such a config trains one task with AllenNLP's own trainer. Write a section task_<name> with "
    "task_description and data_params, as in configs/ner.json"
)
REFUSED_AT_TOP_LEVEL: Remarks = {
    "trainer": "its section is called multi_task_trainer here; see configs/ner.json",
    "dataset_reader": SINGLE_TASK,
    "validation_dataset_reader": SINGLE_TASK,
    "train_data_path": SINGLE_TASK,
    "validation_data_path": SINGLE_TASK,
    "test_data_path": SINGLE_TASK,
    "datasets_for_vocab_creation": SINGLE_TASK,
    "evaluate_on_test": "write it in each task_<name>.task_description",
    "iterator": "write iterators.iterator",
    "validation_iterator": "write iterators.iterator, which serves all splits",
}
IGNORED_IN_READERS: Remarks = {
    "lazy": "data_params.max_instances_in_memory says how much of the data is kept in memory",
}
REFUSED_IN_CONLL2003: Remarks = {"feature_labels": "words are the only features here; remove it"}
IGNORED_IN_ITERATORS: Remarks = {
    "biggest_batch_first": "training batches come in random order",
    "cache_instances": "batches are made in the background",
    "track_epoch": "no head asks for it",
}
REFUSED_IN_ITERATORS: Remarks = {
    "instances_per_epoch": (
        "an epoch has as many steps as all tasks have batches. To read fewer instances, write "
        "max_instances in the dataset_reader"
    ),
    "maximum_samples_per_batch": "write a batch_size that fits into memory",
}
TRAINER_RENAMINGS = {
    "sumarry_interval": "summary_interval",
    "learning_rate_scheduler": "scheduler",
    "should_log_parameter_statistics": "log_parameter_statistics",
}
IGNORED_IN_TRAINER: Remarks = {
    "histogram_interval": "means and standard deviations are logged: log_parameter_statistics",
    "keep_serialized_model_every_num_seconds": "the last state and the best weights are kept",
    "log_batch_size_period": "batch sizes are not logged",
    "num_serialized_models_to_keep": "keep_last says how many checkpoints are kept",
    "should_log_learning_rate": "learning rates are always logged",
}
REFUSED_IN_TRAINER: Remarks = {
    "momentum_scheduler": "remove it",
    "moving_average": "remove it",
    "validation_metric": (
        "write validation_metric_name (and validation_metric_decreases) in each "
        "task_<name>.task_description"
    ),
}
REFUSED_IN_EMBEDDER: Remarks = {
    "allow_unmatched_keys": "give the readers only those token_indexers that have an embedder",
}
REFUSED_IN_TOKEN_EMBEDDERS: Remarks = {
    "namespace_to_cache": "remove it, and vocab_to_cache",
    "vocab_to_cache": "remove it",
}
IGNORED_IN_CRF_TAGGERS: Remarks = {
    "verbose_metrics": "final reports show the metrics of each label",
}
REFUSED_IN_TAGGERS: Remarks = {
    "feedforward": "give the level's encoder another layer",
    "regularizer": "write it at the top level of the config",
}

# Types that are gone, with what to write instead.
TRANSFORMER = "write pretrained_transformer_mismatched, with its model_name"
WORDS_ONLY = "the readers here give words only; remove it"
GONE_EMBEDDERS: Remarks = {
    "bert-pretrained": TRANSFORMER,
    "openai_transformer_embedder": TRANSFORMER,
}
GONE_INDEXERS: Remarks = {
    "bert-pretrained": TRANSFORMER,
    "wordpiece": TRANSFORMER,
    "openai_transformer_byte_pair": TRANSFORMER,
    "pos_tag": WORDS_ONLY,
    "dep_label": WORDS_ONLY,
    "ner_tag": WORDS_ONLY,
}
GONE_ENCODERS: Remarks = {
    "stacked_gru": "it ignored padding; write gru, with input_size, hidden_size and num_layers",
    "stacked_self_attention": "write pytorch_transformer",
    "multi_head_self_attention": "write pytorch_transformer",
    "intra_sentence_attention": "write pytorch_transformer",
}

# Encoders whose output is `hidden_size` wide in each direction.
RECURRENT = ("lstm", "gru", "rnn")


def translate(config: Config) -> Config:
    """
    # Parameters

    config : `Config`
        In the reference's form, the present one, or between the two.

    # Returns

    config : `Config`
        A copy in the present form.

    # Raises

    ConfigurationError
        When something has no counterpart; the message says what to write instead.
    """
    config = copy.deepcopy(config)
    for step in _STEPS:
        step(config)
    return config


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


def _levels(config: Config) -> List[Tuple[str, Config]]:
    """The levels that have a tagger, by name."""
    return [
        (name, level)
        for name, level in _object(config, "model").items()
        if isinstance(level, dict) and isinstance(level.get("tagger"), dict)
    ]


def _ignore(block: Config, path: str, remarks: Remarks) -> None:
    """Drops keys that have no effect here, with a warning where they asked for something."""
    for key, remark in remarks.items():
        if block.pop(key, None):
            logger.warning("%s.%s is ignored: %s", path, key, remark)


def _refuse(block: Config, path: str, remarks: Remarks) -> None:
    """Drops keys that ask for nothing (null, false, 0, an empty list), and refuses those that do."""
    for key, remark in remarks.items():
        value = block.pop(key, None)
        if value:
            where = f"{path}.{key}" if path else key
            raise ConfigurationError(f"{where} has no counterpart here: {remark}.")


def _refuse_types(block: Config, path: str, remarks: Remarks) -> None:
    kind = block.get("type")
    if isinstance(kind, str) and kind in remarks:
        raise ConfigurationError(f"{path}.type {kind!r} is gone: {remarks[kind]}.")


def _top_level(config: Config) -> None:
    """Sections that are called otherwise, and three seeds where one is enough."""
    _refuse(config, "", REFUSED_AT_TOP_LEVEL)
    for key in ("vocabulary", "regularizer"):
        if key in config and config[key] is None:
            del config[key]
    seeds = [seed for seed in (config.pop(key, None) for key in SEEDS) if seed is not None]
    if seeds:
        config.setdefault("seed", seeds[0])


def _names(config: Config) -> None:
    """Blocks that hold nothing but a type could be written as its name alone."""
    for task in _tasks(config):
        for key in ("dataset_reader", "validation_dataset_reader"):
            _spell_out(_object(config, task, "data_params"), key)
    for key in list(_object(config, "iterators")):
        _spell_out(config["iterators"], key)
    for level in _object(config, "model").values():
        _spell_out(_object(level), "tagger")
    _spell_out(_object(config, "multi_task_trainer"), "scheduler")
    _spell_out(config, "vocabulary")


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


def _text_field_embedder(config: Config) -> None:
    """Embedders by name, once written without `token_embedders` around them, or with other names."""
    path = "model.text_field_embedder"
    embedder = _object(config, "model", "text_field_embedder")
    _refuse(embedder, path, REFUSED_IN_EMBEDDER)
    indexers = embedder.pop("embedder_to_indexer_map", None)
    if embedder and "token_embedders" not in embedder:
        kind = {"type": embedder.pop("type")} if isinstance(embedder.get("type"), str) else {}
        embedder = config["model"]["text_field_embedder"] = {**kind, "token_embedders": embedder}
    if _object(indexers):
        renamed = {
            _only_indexer(indexers.get(name, name), f"{path}.embedder_to_indexer_map.{name}"): value
            for name, value in _object(embedder, "token_embedders").items()
        }
        embedder["token_embedders"] = renamed


def _only_indexer(indexers: Any, path: str) -> str:
    if isinstance(indexers, list) and len(indexers) == 1:
        return str(indexers[0])
    if not isinstance(indexers, str):
        raise ConfigurationError(
            f"{path} is {indexers}, but an embedder has one indexer here: the one of its own name. Give "
            "both the same name, and remove the map."
        )
    return indexers


def _token_embedders(config: Config) -> None:
    """Characters were looked up in the namespace of their indexer without a word."""
    embedders = _objects(config, "model", "text_field_embedder", "token_embedders")
    for path, embedder in embedders:
        _refuse_types(embedder, path, GONE_EMBEDDERS)
        _refuse(embedder, path, REFUSED_IN_TOKEN_EMBEDDERS)
        embedding = embedder.get("embedding")
        if embedder.get("type") == "character_encoding" and isinstance(embedding, dict):
            if "num_embeddings" not in embedding:
                embedding.setdefault("vocab_namespace", "token_characters")


def _readers(config: Config) -> None:
    """Instances are kept in memory, and text is words."""
    for task in _tasks(config):
        for key in ("dataset_reader", "validation_dataset_reader"):
            path = f"{task}.data_params.{key}"
            reader = _object(config, task, "data_params", key)
            _ignore(reader, path, IGNORED_IN_READERS)
            if reader.get("type") == "conll2003":
                _refuse(reader, path, REFUSED_IN_CONLL2003)
                if reader.pop("tag_label", "ner") != "ner":
                    raise ConfigurationError(f"{path}.tag_label: only names are read; remove it.")
            for indexer_path, indexer in _objects(reader, "token_indexers"):
                _refuse_types(indexer, f"{path}.{indexer_path}", GONE_INDEXERS)
                if indexer.get("type") == "characters":
                    # The encoder pads as far as its filters need; 1 silences a warning about that.
                    indexer.setdefault("min_padding_length", 1)


def _iterators(config: Config) -> None:
    """Sorting keys were pairs of a field and the name of one of its lengths."""
    iterators = _object(config, "iterators")
    for path, iterator in _objects(config, "iterators"):
        if iterator.get("type") == "multiprocess":
            base = _object(iterator, "base_iterator")
            iterators[path.removeprefix("iterators.")] = iterator = base
        if iterator.setdefault("type", DEFAULT_ITERATOR) == "epoch_tracking_bucket":
            iterator["type"] = "bucket"
        if iterator["type"] in ("basic", "bucket"):
            iterator.setdefault("batch_size", DEFAULT_BATCH_SIZE)
        _ignore(iterator, path, IGNORED_IN_ITERATORS)
        _refuse(iterator, path, REFUSED_IN_ITERATORS)
        keys = iterator.get("sorting_keys")
        if isinstance(keys, list) and all(isinstance(key, list) and key for key in keys):
            iterator["sorting_keys"] = list(dict.fromkeys(key[0] for key in keys))


def _instances_in_memory(config: Config) -> None:
    """How many instances to hold at a time was the iterator's business; it is that of a task's data."""
    iterators = _object(config, "iterators")
    for task in _tasks(config):
        name = f"iterator_{task.removeprefix('task_')}"
        most = _object(iterators, name if name in iterators else "iterator").get(IN_MEMORY)
        data_params = _object(config, task, "data_params")
        if most is not None and data_params:
            data_params.setdefault(IN_MEMORY, most)
    for _, iterator in _objects(config, "iterators"):
        iterator.pop(IN_MEMORY, None)


def _trainer(config: Config) -> None:
    """Other names, a number written as a string, a list of one device."""
    path, trainer = "multi_task_trainer", _object(config, "multi_task_trainer")
    for old, new in TRAINER_RENAMINGS.items():
        if old in trainer:
            value = trainer.pop(old)
            trainer.setdefault(new, value)
    _ignore(trainer, path, IGNORED_IN_TRAINER)
    _refuse(trainer, path, REFUSED_IN_TRAINER)
    seconds = trainer.pop("model_save_interval", None)
    if isinstance(seconds, (int, float)):
        trainer.setdefault("checkpoint_every_minutes", seconds / SECONDS_PER_MINUTE)
    if not trainer.pop("shuffle", True):
        raise ConfigurationError(f"{path}.shuffle: training data are always shuffled; remove it.")
    if isinstance(trainer.get("min_lr"), str):
        try:
            trainer["min_lr"] = float(trainer["min_lr"])
        except ValueError as error:
            raise ConfigurationError(
                f"{path}.min_lr is {trainer['min_lr']!r}; write a number, as 1e-7"
            ) from error
    devices = trainer.get("cuda_device")
    if isinstance(devices, list):
        if len(devices) != 1:
            raise ConfigurationError(
                f"{path}.cuda_device is {devices}: one process trains on one device; write its number"
            )
        trainer["cuda_device"] = devices[0]


def _scheduler(config: Config) -> None:
    """
    The reference's configs let the plateau scheduler wait for F1 to FALL (mode "min"). The direction is
    said once, with the task's metric.
    """
    scheduler = _object(config, "multi_task_trainer", "scheduler")
    if scheduler.get("type") != "reduce_on_plateau":
        return
    scheduler.pop("verbose", None)
    mode = scheduler.pop("mode", None)
    if mode is None:
        return
    if mode not in ("min", "max"):
        raise ConfigurationError(
            f"multi_task_trainer.scheduler.mode is {mode!r}; remove it: the direction is that of each "
            "task's metric"
        )
    contradicted = [
        task
        for task in _tasks(config)
        if (mode == "min")
        != bool(_object(config, task, "task_description").get("validation_metric_decreases"))
    ]
    if contradicted:
        logger.warning(
            "multi_task_trainer.scheduler.mode %r contradicts validation_metric_decreases of %s; the "
            "learning rate follows each task's metric in its own direction",
            mode,
            ", ".join(contradicted),
        )


def _encoders(config: Config) -> None:
    """Batches always come first, and an encoder keeps no state from one batch to the next."""
    for name, _ in _levels(config):
        path, encoder = f"model.{name}.encoder", _object(config, "model", name, "encoder")
        _refuse_types(encoder, path, GONE_ENCODERS)
        if encoder.pop("stateful", False) or not encoder.pop("batch_first", True):
            raise ConfigurationError(
                f"{path}: stateful encoders, and those that are not batch_first, have no place in the "
                "hierarchy; remove the key."
            )


def _taggers(config: Config) -> None:
    """What heads could once be told, and can no longer."""
    for name, level in _levels(config):
        path, tagger = f"model.{name}.tagger", level["tagger"]
        head = tagger.get("type", DEFAULT_HEAD.get(name))
        if head in DEFAULT_HEAD.values():
            _refuse(tagger, path, REFUSED_IN_TAGGERS)
        if head == "crf_tagger":
            _crf_tagger(tagger, path)
        elif head == "relation_extractor":
            _relation_tagger(level, path)
        elif head == "coreference_resolver" and "lexical_dropout" in tagger:
            # It acts on what the level's encoder reads.
            level["input_dropout"] = tagger.pop("lexical_dropout")


def _crf_tagger(tagger: Config, path: str) -> None:
    _ignore(tagger, path, IGNORED_IN_CRF_TAGGERS)
    tagger.pop("calculate_span_f1", None)
    if "label_encoding" in tagger:
        tagger.setdefault("constraint_type", tagger.pop("label_encoding"))
    if "dropout" in tagger and tagger["dropout"] is None:
        del tagger["dropout"]
    if not tagger.pop("include_start_end_transitions", True):
        raise ConfigurationError(
            f"{path}.include_start_end_transitions: the CRF always scores first and last tags; remove it."
        )


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
        model["initializer"] = _applicator(model["initializer"])
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
        level["tagger"]["initializer"] = _applicator(own)
        if reaching:
            whole = model.setdefault("initializer", {})
            for key, entries in _applicator(reaching).items():
                whole.setdefault(key, []).extend(entries)


def _are_pairs(value: Any) -> bool:
    """Whether it is a list of patterns with something each; what else there is, the checks tell."""
    return isinstance(value, list) and all(
        isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str) for pair in value
    )


def _applicator(pairs: List[Any]) -> Config:
    """A pattern with the initializer "prevent" is a list of its own now."""
    prevented = [pattern for pattern, initializer in pairs if _prevents(initializer)]
    regexes = [[pattern, value] for pattern, value in pairs if not _prevents(value)]
    return {"regexes": regexes, **({"prevent_regexes": prevented} if prevented else {})}


def _prevents(initializer: Any) -> bool:
    return initializer == PREVENT or _object(initializer).get("type") == PREVENT


def _regularizer(config: Config) -> None:
    """A list of pairs of a pattern and a penalty."""
    if isinstance(config.get("regularizer"), list):
        config["regularizer"] = {"regexes": config["regularizer"]}


_STEPS: List[Callable[[Config], None]] = [
    _top_level,
    _names,
    _vocabulary,
    _text_field_embedder,
    _token_embedders,
    _readers,
    _iterators,
    _instances_in_memory,
    _trainer,
    _scheduler,
    _encoders,
    _taggers,
    _initializers,
    _regularizer,
]
