"""A config is data, whoever wrote it: it runs no code of its own and names no file outside the run."""

import re
from collections.abc import Iterable
from typing import Any

from allennlp.common.checks import ConfigurationError

# What may be part of a file's name on every system; a leading dot would hide the file.
PLAIN_NAME = re.compile(r"[^./\\\0][^/\\\0]*")

REMOTE_CODE = "trust_remote_code"


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
        for key, value in config.items():
            check_is_data(value, f"{path}.{key}" if path else str(key))
    elif isinstance(config, list):
        for index, value in enumerate(config):
            check_is_data(value, f"{path}.{index}")


def check_plain_names(names: Iterable[str], what: str) -> None:
    """
    # Parameters

    names : `Iterable[str]`
        Names from which names of files are made.
    what : `str`
        What they name.

    # Raises

    ConfigurationError
        When a file by that name would stand in another directory, or be hidden.
    """
    for name in names:
        if not PLAIN_NAME.fullmatch(name):
            raise ConfigurationError(
                f"{what} {name!r} cannot be part of a file's name: write it without '/', '\\' and a "
                "leading '.'"
            )
