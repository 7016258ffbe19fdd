"""The files of an ELMo that a config names, as a run keeps them that is to be loaded where they are not."""

import copy
import shutil
from pathlib import Path

from hmtl.config.loading import Config, token_embedders
from hmtl.config.safety import check_plain_names

TYPE = "elmo_token_embedder"
# In a run's directory, one folder for each such embedder, in which the files bear the names of these keys.
FOLDER = "elmo"
FILES = ("options_file", "weight_file")


def keep_elmo(config: Config, directory: Path) -> None:
    """
    # Parameters

    config : `Config`
        A run's, in which no address stands.
    directory : `Path`
        That is to hold copies.
    """
    for name, block in _embedders(config).items():
        kept = directory / FOLDER / name
        kept.mkdir(parents=True, exist_ok=True)
        for key in FILES:
            shutil.copyfile(block[key], kept / key)


def with_kept_elmo(config: Config, directory: Path) -> Config:
    """A copy that takes the files from the run's directory, where they are there."""
    config = copy.deepcopy(config)
    for name, block in _embedders(config).items():
        for key in FILES:
            kept = directory / FOLDER / name / key
            if kept.is_file():
                block[key] = str(kept)
    return config


def _embedders(config: Config) -> dict[str, Config]:
    blocks = token_embedders(config) if "text_field_embedder" in config["model"] else {}
    found = {name: block for name, block in blocks.items() if block.get("type") == TYPE}
    check_plain_names(found, "the token embedder")
    return found
