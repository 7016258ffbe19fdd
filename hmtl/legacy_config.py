"""
The door for configs in the reference's own form (AllenNLP 0.7 of 2018): here, and only here, they are
translated to the present form. A config in the present form passes through unchanged.
"""

import copy
import logging
from typing import Any, Callable, Dict, List

from allennlp.common.checks import ConfigurationError

logger = logging.getLogger(__name__)

Config = Dict[str, Any]

# Lee et al. (2017); what the reference's resolver used where its config did not say.
DEFAULT_LEXICAL_DROPOUT = 0.2

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


def _blocks(config: Config, prefix: str) -> List[str]:
    return [key for key in config if key.startswith(prefix) and isinstance(config[key], dict)]


def _levels(config: Config) -> List[Config]:
    model = config.get("model", {})
    return [level for level in model.values() if isinstance(level, dict) and "tagger" in level]


def _text_field_embedder(config: Config) -> None:
    """Embedders by name, once written without `token_embedders` around them."""
    embedder = config.get("model", {}).get("text_field_embedder")
    if isinstance(embedder, dict) and "token_embedders" not in embedder:
        kind = {"type": embedder.pop("type")} if isinstance(embedder.get("type"), str) else {}
        config["model"]["text_field_embedder"] = {**kind, "token_embedders": dict(embedder)}


def _character_embedders(config: Config) -> None:
    """Characters were looked up in the namespace of their indexer without a word."""
    embedders = config.get("model", {}).get("text_field_embedder", {}).get("token_embedders", {})
    for embedder in embedders.values():
        if isinstance(embedder, dict) and embedder.get("type") == "character_encoding":
            embedding = embedder.get("embedding", {})
            if "num_embeddings" not in embedding:
                embedding.setdefault("vocab_namespace", "token_characters")


def _readers(config: Config) -> None:
    """`lazy` is gone: instances are kept in memory."""
    for key in _blocks(config, "task_"):
        for name in ("dataset_reader", "validation_dataset_reader"):
            reader = config[key].get("data_params", {}).get(name)
            if not isinstance(reader, dict):
                continue
            if reader.pop("lazy", False):
                logger.warning("%s.data_params.%s.lazy is ignored", key, name)
            for indexer in reader.get("token_indexers", {}).values():
                if indexer.get("type") == "characters":
                    # The encoder pads as far as its filters need; 1 silences a warning about that.
                    indexer.setdefault("min_padding_length", 1)


def _iterators(config: Config) -> None:
    """Sorting keys were pairs of a field and the name of one of its lengths."""
    for name, iterator in config.get("iterators", {}).items():
        if not isinstance(iterator, dict):
            continue
        keys = iterator.get("sorting_keys", [])
        iterator_keys = [key[0] if isinstance(key, list) else key for key in keys]
        if keys:
            iterator["sorting_keys"] = list(dict.fromkeys(iterator_keys))
        for ignored in ("biggest_batch_first", "track_epoch", "cache_instances"):
            if ignored in iterator:
                logger.warning("iterators.%s.%s is ignored", name, ignored)
                del iterator[ignored]


def _trainer(config: Config) -> None:
    """A misspelt key, a number written as a string, a list of one device."""
    trainer = config.get("multi_task_trainer", {})
    if "sumarry_interval" in trainer:
        trainer.setdefault("summary_interval", trainer.pop("sumarry_interval"))
    if isinstance(trainer.get("min_lr"), str):
        try:
            trainer["min_lr"] = float(trainer["min_lr"])
        except ValueError as error:
            raise ConfigurationError(
                f"multi_task_trainer.min_lr is {trainer['min_lr']!r}; write a number, as 1e-7"
            ) from error
    devices = trainer.get("cuda_device")
    if isinstance(devices, list):
        if len(devices) != 1:
            raise ConfigurationError(
                f"multi_task_trainer.cuda_device is {devices}: one process trains on one device; write "
                "its number"
            )
        trainer["cuda_device"] = devices[0]
    scheduler = trainer.get("scheduler")
    if isinstance(scheduler, dict):
        scheduler.pop("verbose", None)
        _follow_metric_direction(config, scheduler)


def _follow_metric_direction(config: Config, scheduler: Config) -> None:
    """
    The reference's configs let the plateau scheduler wait for F1 to FALL (mode "min"). The direction is
    said once, with the task's metric.
    """
    if scheduler.get("type") != "reduce_on_plateau":
        return
    # The default of the scheduler that the reference used.
    mode = scheduler.pop("mode", None)
    if mode is None:
        return
    contradicted = [
        key
        for key in _blocks(config, "task_")
        if (mode == "min")
        != bool(config[key].get("task_description", {}).get("validation_metric_decreases", False))
    ]
    if contradicted:
        logger.warning(
            "multi_task_trainer.scheduler.mode %r contradicts validation_metric_decreases of %s; the "
            "learning rate follows each task's metric in its own direction",
            mode,
            ", ".join(contradicted),
        )


def _relation_taggers(config: Config) -> None:
    """Sizes that follow from the parts or the data, and the one that does not by its new name."""
    for level in _levels(config):
        tagger = level["tagger"]
        if "l" in tagger:
            tagger["hidden_dim"] = tagger.pop("l")
        # Half the width of the level's encoding, and the number of types in a table of the code.
        tagger.pop("d", None)
        tagger.pop("n_classes", None)


def _coreference_taggers(config: Config) -> None:
    """Lexical dropout acts on what the level's encoder reads, so it belongs to the level."""
    for level in _levels(config):
        if "mention_feedforward" not in level["tagger"]:
            continue
        dropout = level["tagger"].pop("lexical_dropout", DEFAULT_LEXICAL_DROPOUT)
        level.setdefault("input_dropout", dropout)


def _initializers(config: Config) -> None:
    """Lists of pairs of a pattern and an initializer; some patterns reach into a level's encoder."""
    model = config.get("model", {})
    if isinstance(model.get("initializer"), list):
        model["initializer"] = {"regexes": model["initializer"]}
    for name, level in list(model.items()):
        if not isinstance(level, dict) or not isinstance(level.get("tagger"), dict):
            continue
        pairs = level["tagger"].get("initializer")
        if not isinstance(pairs, list):
            continue
        regexes = []
        for pattern, initializer in pairs:
            if pattern in ENCODER_PATTERNS:
                reached = rf"encoders\.encoders\.{name}\..*{ENCODER_PATTERNS[pattern]}"
                whole = model.setdefault("initializer", {"regexes": []})
                whole["regexes"].append([reached, initializer])
            else:
                regexes.append([PARAMETER_PATTERNS.get(pattern, pattern), initializer])
        level["tagger"]["initializer"] = {"regexes": regexes}


def _regularizer(config: Config) -> None:
    """A list of pairs of a pattern and a penalty."""
    if isinstance(config.get("regularizer"), list):
        config["regularizer"] = {"regexes": config["regularizer"]}


_STEPS: List[Callable[[Config], None]] = [
    _text_field_embedder,
    _character_embedders,
    _readers,
    _iterators,
    _trainer,
    _relation_taggers,
    _coreference_taggers,
    _initializers,
    _regularizer,
]
