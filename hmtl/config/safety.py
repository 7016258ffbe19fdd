"""A config is data, whoever wrote it: it runs no code of its own and names no file outside the run."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from allennlp.common.checks import ConfigurationError

from hmtl.errors import DataError

# What may be part of a file's name on every system; a leading dot would hide the file.
PLAIN_NAME = re.compile(r"[^./\\\0][^/\\\0]*")

REMOTE_CODE = "trust_remote_code"

# What training begins with, or reports to, and a model that is given a run's weights has no use for.
BEGINNINGS = (
    *("pretrained_file", "override_weights_file", "override_weights_strip_prefix"),
    *("initializer", "regularizer", "callbacks", "trackers"),
)
# Ways to a vocabulary that is not the run's own.
VOCABULARY_SOURCES = ("type", "pretrained_files")
# What AllenNLP takes weights or modules from.
WEIGHTS_ELSEWHERE = ("_pretrained", "weights_file_path", "archive_file", "pretrained_model")
# Classes of AllenNLP that look for a package or a model by its name, and download what they do not find.
DOWNLOADING = ("spacy", "pretrained_transformer", "bert_pooler")
# A reader that does so for its tokenizer, unless it is given one, and for its sentences.
DOWNLOADING_READER = "text_classification_json"
MODEL_NAME = "model_name"
# Options of a transformer or its tokenizer that lead to files.
OPTIONS = "_kwargs"
NAMES_A_FILE = re.compile(r"(.*_)?(file|files|dir|folder|subfolder|path)")
ADDRESS = "://"


def entries(value: Any) -> Iterable[tuple[str, Any]]:
    """Return what an object or a list holds, by key or number."""
    if isinstance(value, dict):
        return value.items()
    return (
        ((str(index), each) for index, each in enumerate(value)) if isinstance(value, list) else ()
    )


def joined(path: str, key: str) -> str:
    """Return the dotted path of a key in the object at a path."""
    return f"{path}.{key}" if path else key


def check_is_data(config: Any, path: str = "") -> None:
    """
    Registered names are all that a `type` may be. AllenNLP takes a dotted one for a path to any class of
    any package, imports it, and calls it with the rest of the block: `subprocess.Popen`, for instance.
    Likewise `trust_remote_code` lets transformers run code that comes with a model.

    # Raises

    ConfigurationError
        When a `type` anywhere in the config is such a path, or such code is trusted.
    """
    if isinstance(config, dict):
        kind = config.get("type")
        if isinstance(kind, str) and "." in kind:
            raise ConfigurationError(
                f"{path}.type is {kind!r}: a config names classes as they are registered, never by their "
                "place in a package. Register a class of your own, and import it with --include-package."
            )
        if config.get(REMOTE_CODE):
            raise ConfigurationError(
                f"{path}.{REMOTE_CODE} is {config[REMOTE_CODE]!r}: a config runs no code. Use a model that "
                "transformers itself has the code for."
            )
    for key, value in entries(config):
        check_is_data(value, joined(path, key))


def within_the_run(config: Any, own: Path, path: str = "") -> Any:
    """
    A copy of a run's config for a model that is to be given the run's weights: nothing in it leads to a file
    outside the run, or to the network.

    What training began with is left out, wherever it stands: files of word vectors and of other weights,
    initializers, where the vocabulary came from; and the regularizer, the callbacks and the trackers. ELMo's
    two files stay, as they are not kept in the run, and so does where the corpora lie; but neither may be an
    address.

    # Parameters

    config : `Any`
        The config, or a part of it.
    own : `Path`
        Where the run keeps the files of its transformers: the only place where a `model_name` may lead.
    path : `str`, optional (default = `""`)
        The part's dotted path in the config.

    # Raises

    ConfigurationError
        When there is anything else that leads elsewhere.
    """
    within = without_beginnings(config)
    _check_all_is_within(within, own, path)
    return within


def without_beginnings(config: Any) -> Any:
    """A copy of a run's config, or of a part of it, without what training began with or reported to."""
    if isinstance(config, dict):
        return {
            key: without_beginnings(value)
            for key, value in config.items()
            if not _is_beginning(key, value)
        }
    return [without_beginnings(each) for each in config] if isinstance(config, list) else config


def _check_all_is_within(config: Any, own: Path, path: str) -> None:
    _check_is_within(config, own, path)
    for key, value in entries(config):
        _check_all_is_within(value, own, joined(path, key))


def _is_beginning(key: str, value: Any) -> bool:
    if key == "vocabulary" and isinstance(value, dict):
        return any(source in value for source in VOCABULARY_SOURCES)
    # A task or an embedder may be called as one of these.
    return key in BEGINNINGS and not (isinstance(value, dict) and "type" in value)


def _check_is_within(value: Any, own: Path, path: str) -> None:
    key = path.rpartition(".")[2]
    of_a_run = "that of a run may name nothing outside the run."
    if isinstance(value, str) and ADDRESS in value:
        raise ConfigurationError(
            f"{path} is the address {value!r}: {of_a_run} Download what is there, and write its path."
        )
    if key == MODEL_NAME and (not isinstance(value, str) or Path(value).parent != own):
        raise ConfigurationError(
            f"{path} is {value!r}: {of_a_run} Put back the run's folder {own.name}, which training wrote."
        )
    if isinstance(value, str) and value in DOWNLOADING or key in WEIGHTS_ELSEWHERE:
        raise ConfigurationError(f"{path} is {value!r}: {of_a_run} Take it out of the config.")
    block = value if isinstance(value, dict) else {"type": value if key != "type" else None}
    if block.get("type") == DOWNLOADING_READER and (
        not block.get("tokenizer") or block.get("segment_sentences")
    ):
        raise ConfigurationError(
            f"{path} is a {DOWNLOADING_READER} that would download a tokenizer: {of_a_run} Give it one, as "
            '"tokenizer": "just_spaces", and no segment_sentences.'
        )
    if key.endswith(OPTIONS):
        for option in value if isinstance(value, dict) else ():
            if NAMES_A_FILE.fullmatch(option):
                raise ConfigurationError(f"{path}.{option}: {of_a_run} Take it out of the config.")


def check_plain_names(names: Iterable[Any], what: str, file: "Path | None" = None) -> None:
    """
    # Parameters

    names : `Iterable[Any]`
        Names from which names of files are made.
    what : `str`
        What they name.
    file : `Path`, optional (default = `None`)
        Where they were read; `None` is a config.

    # Raises

    ConfigurationError, DataError
        When a file by that name would stand in another directory, or be hidden; the latter if they were read
        from a file.
    """
    for name in names:
        if not isinstance(name, str) or not PLAIN_NAME.fullmatch(name):
            message = (
                f"{what} {name!r} cannot be part of a file's name: write it without '/', '\\' and a "
                "leading '.'"
            )
            if file is None:
                raise ConfigurationError(message)
            raise DataError(f"{message}. Whoever wrote this may mean to harm other files.", file)
