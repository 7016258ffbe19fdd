"""
The pretrained transformers that a config names: whether they are there and belong together, and what of
their files a run keeps, so that it can be loaded wherever they have gone.
"""

import copy
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from allennlp.common.checks import ConfigurationError
from allennlp.data.tokenizers import PretrainedTransformerTokenizer

from hmtl.common.files import making_directory
from hmtl.common.word_starts import loses_word_starts
from hmtl.config.hierarchy import DEFAULT_HEAD
from hmtl.config.loading import token_embedders
from hmtl.config.pretrained_models import PACKAGE, naming_model, resolve, without_code
from hmtl.config.safety import check_plain_names
from hmtl.config.schema import TASK_PREFIX, Config, task_names

# transformers is imported where a config names one, since that takes long.
logger = logging.getLogger(__name__)

# What embedders and indexers of a transformer are called.
TYPE = "pretrained_transformer_mismatched"
# In a run's directory, one folder for each such embedder.
FOLDER = "transformers"
EMBEDDERS = "model.text_field_embedder.token_embedders"
READERS = ("dataset_reader", "validation_dataset_reader")
# What they pass on to the tokenizer, and the one of these that gives a word by itself a space in front.
TOKENIZER, PREFIX_SPACE = "tokenizer_kwargs", "add_prefix_space"
# Embedders that tell capital letters from small ones.
READ_CASE = ("character_encoding", "elmo_token_embedder")
# Of what an embedder begins with, and a trained model has no use for.
WEIGHTS = ("override_weights_file", "override_weights_strip_prefix")


def check_transformers(config: Config) -> None:
    """
    # Parameters

    config : `Config`
        Whose keys and types have been checked.

    # Raises

    ConfigurationError
        When a transformer is not there, an indexer makes wordpieces for another one than the embedder that
        they are for, or a reader gives context where there is no transformer to read it.
    """
    embedders = _embedders(config)
    for name, embedder in embedders.items():
        _check_is_there(embedder, f"{EMBEDDERS}.{name}")
    for path, indexers in _indexers(config):
        for name, indexer in indexers.items():
            kind = indexer.get("type") if isinstance(indexer, dict) else indexer
            if (kind == TYPE) != (name in embedders):
                raise ConfigurationError(
                    f"{path}.{name} is of type {kind!r}, but {EMBEDDERS}.{name} is of type "
                    f"{token_embedders(config).get(name, {}).get('type')!r}: {TYPE} goes with itself only"
                )
            if kind == TYPE:
                _check_names_model(indexer, f"{path}.{name}")
                _check_goes_with(indexer, f"{path}.{name}", embedders[name], f"{EMBEDDERS}.{name}")
    for task in task_names(config):
        _check_context_is_read(config, task, embedders)


def with_word_starts(config: Config, earlier: Config | None = None) -> Config:
    """
    A copy in which no transformer loses where words begin. Byte-level tokenizers (RoBERTa's and its kin's)
    keep the space before a word in the word's first piece; a word by itself has none, unless
    `add_prefix_space` puts it there.

    # Parameters

    config : `Config`
        Checked.
    earlier : `Config`, optional (default = `None`)
        Of the run that is gone on with or taken up: its embedders keep the pieces that they were trained on.
    """
    config = copy.deepcopy(config)
    known = {} if earlier is None else _embedders(earlier)
    for name, embedder in _embedders(config).items():
        blocks = _blocks_of(config, name)
        if _told_prefix_space(blocks) is not None:
            continue
        if earlier is not None and name in known:
            value = _told_prefix_space(_blocks_of(earlier, name))
        else:
            value = _prefix_space_for(embedder, f"{EMBEDDERS}.{name}")
        if value is not None:
            for block in blocks:
                block[TOKENIZER] = {**(block.get(TOKENIZER) or {}), PREFIX_SPACE: value}
    return config


def _blocks_of(config: Config, name: str) -> list[Config]:
    """The embedder of a name, and its indexers."""
    indexers = [of_reader[name] for _, of_reader in _indexers(config) if name in of_reader]
    return [_embedders(config)[name], *indexers]


def _told_prefix_space(blocks: list[Config]) -> Any:
    told = ((block.get(TOKENIZER) or {}).get(PREFIX_SPACE) for block in blocks)
    return next((value for value in told if value is not None), None)


def _prefix_space_for(embedder: Config, path: str) -> bool | None:
    with _naming(embedder, path):
        if not loses_word_starts(_tokenizer(embedder)):
            return None
        asked = {**embedder, TOKENIZER: {**(embedder.get(TOKENIZER) or {}), PREFIX_SPACE: True}}
        if loses_word_starts(_tokenizer(asked)):
            logger.warning(
                "%s: the tokenizer of %r splits a word by itself otherwise than in running text, and "
                "%s does not change that",
                path,
                embedder["model_name"],
                PREFIX_SPACE,
            )
            return None
    logger.info(
        "%s: the tokenizer of %r knows a word by the space before it: %s.%s is true now",
        path,
        embedder["model_name"],
        TOKENIZER,
        PREFIX_SPACE,
    )
    return True


def warn_of_lost_case(config: Config) -> None:
    """Tells of tagging tasks that read nothing but a transformer to which `May` and `may` are the same."""
    embedders = token_embedders(config)
    if any(block.get("type") in READ_CASE for block in embedders.values()):
        return
    tagging = [
        task
        for task in task_names(config)
        if config["model"][task]["tagger"]["type"] == DEFAULT_HEAD["ner"]
    ]
    uncased = {
        name
        for name, block in _embedders(config).items()
        if PretrainedTransformerTokenizer.tokenizer_lowercases(_tokenizer(block))
    }
    if tagging and uncased and uncased == _embedders(config).keys():
        logger.warning(
            "%s.%s is uncased, and nothing beside it reads characters: capital letters, by which names are "
            "known, are lost to the task%s %s. Add a %s, or take a cased transformer.",
            EMBEDDERS,
            " and ".join(sorted(uncased)),
            "s" if len(tagging) > 1 else "",
            ", ".join(tagging),
            READ_CASE[0],
        )


def keep_transformers(config: Config, directory: Path) -> None:
    """
    Writes down, for each transformer of a config, its tokenizer and its configuration; weights are in the
    checkpoints.

    # Parameters

    config : `Config`
    directory : `Path`
        Of the run. What is there already stays.
    """
    from transformers import AutoConfig

    embedders = _embedders(config)
    check_plain_names(embedders, "the token embedder")
    for name, embedder in embedders.items():
        kept = directory / FOLDER / name
        if kept.is_dir():
            continue
        with making_directory(kept) as partial, _naming(embedder, f"{EMBEDDERS}.{name}"):
            _tokenizer(embedder).save_pretrained(str(partial))
            kept_config = AutoConfig.from_pretrained(
                resolve(embedder["model_name"]),
                **without_code(embedder.get("transformer_kwargs")),
            )
            kept_config.save_pretrained(str(partial))


def with_kept_transformers(config: Config, directory: Path) -> Config:
    """
    A copy for a model that is to be given the weights of a run: it takes the transformers' files from the
    run's directory, if they are there, and reads no pretrained weights.

    # Parameters

    config : `Config`
        The run's.
    directory : `Path`
        Of the run.
    """
    config = copy.deepcopy(config)
    check_plain_names(_embedders(config), "the token embedder")
    kept = {
        name: str(directory / FOLDER / name)
        for name in _embedders(config)
        if (directory / FOLDER / name).is_dir()
    }
    for _, indexers in _indexers(config):
        for name in kept.keys() & indexers.keys():
            indexers[name]["model_name"] = kept[name]
    for name, embedder in _embedders(config).items():
        if name in kept:
            embedder.update(model_name=kept[name], load_weights=False)
            for key in WEIGHTS:
                embedder.pop(key, None)
    return config


def read_with_transformers_of_embedders(config: Config, task: str) -> None:
    """
    Lets the readers of a task that comes from another config take their transformers from where this one's
    embedders have them.

    # Parameters

    config : `Config`
        Changed.
    task : `str`
    """
    for name, embedder in _embedders(config).items():
        for _, indexers in _indexers_of(config, task):
            if isinstance(indexers.get(name), dict):
                indexers[name].pop(TOKENIZER, None)
                taken = {key: embedder[key] for key in ("model_name", TOKENIZER) if key in embedder}
                indexers[name].update(taken)


def _embedders(config: Config) -> dict[str, Config]:
    blocks = token_embedders(config) if "text_field_embedder" in config["model"] else {}
    return {name: block for name, block in blocks.items() if block.get("type") == TYPE}


def _indexers(config: Config) -> Iterator[tuple[str, Config]]:
    """The token indexers of each reader, and where they stand in the config."""
    for task in task_names(config):
        yield from _indexers_of(config, task)


def _indexers_of(config: Config, task: str) -> Iterator[tuple[str, Config]]:
    for key in READERS:
        reader = config[TASK_PREFIX + task]["data_params"].get(key)
        indexers = reader.get("token_indexers") if isinstance(reader, dict) else None
        if isinstance(indexers, dict):
            yield f"{TASK_PREFIX}{task}.data_params.{key}.token_indexers", indexers


def _check_context_is_read(config: Config, task: str, embedders: Config) -> None:
    for key in READERS:
        reader = config[TASK_PREFIX + task]["data_params"].get(key)
        if not embedders and isinstance(reader, dict) and reader.get("context_words"):
            raise ConfigurationError(
                f"{TASK_PREFIX}{task}.data_params.{key}.context_words is {reader['context_words']}, but no "
                f"token indexer of the model reads context: that of a transformer does ({TYPE}). Add one, "
                "or leave context_words out."
            )


def _check_names_model(block: Any, path: str) -> None:
    if not isinstance(block, dict) or "model_name" not in block:
        raise ConfigurationError(
            f"{path}.model_name is missing: write a directory, a name on the Hugging Face hub, or "
            f"{PACKAGE}<package>/<folder>"
        )


def _check_is_there(block: Config, path: str) -> None:
    from transformers import AutoConfig

    _check_names_model(block, path)
    with _naming(block, path):
        AutoConfig.from_pretrained(resolve(block["model_name"]), **without_code(None))


def _check_goes_with(indexer: Config, path: str, embedder: Config, embedder_path: str) -> None:
    for key in ("model_name", TOKENIZER):
        if indexer.get(key) != embedder.get(key):
            with _naming(indexer, path):
                vocabulary = _tokenizer(indexer).get_vocab()
            if vocabulary != _tokenizer(embedder).get_vocab():
                raise ConfigurationError(
                    f"{path}.{key} is {indexer.get(key)!r}, but {embedder_path}.{key} is "
                    f"{embedder.get(key)!r}, whose wordpieces are others. Write the same in both places."
                )
    cut = indexer.get("max_length")
    if cut is not None and cut != embedder.get("max_length"):
        raise ConfigurationError(
            f"{path}.max_length is {cut}, but {embedder_path}.max_length is {embedder.get('max_length')}. "
            "Leave it out here: it is the embedder that cuts long texts."
        )


def _tokenizer(block: Config) -> Any:
    from transformers import AutoTokenizer

    name = resolve(block["model_name"])
    return AutoTokenizer.from_pretrained(name, **without_code(block.get(TOKENIZER)))


def _naming(block: Config, path: str) -> Any:
    return naming_model(f"{path}.model_name", block["model_name"])
