"""The directory of a run: making it, telling whose run is in it, and its vocabulary."""

import json
import shutil
from collections.abc import Collection
from pathlib import Path

from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary

from hmtl.config import Config, differences, load_config
from hmtl.config_safety import check_plain_names
from hmtl.errors import DataError
from hmtl.files import (
    PARTIAL,
    making_directory,
    refusals,
    remove_directory,
    remove_partial,
    write_json,
)
from hmtl.transformer_files import FOLDER as TRANSFORMERS
from hmtl.transformer_files import keep_transformers

CONFIG_FILE = "config.json"
# Where a fine-tuning keeps what it needs of the trained model.
PRETRAINED_DIR = "pretrained"


def prepare_directory(
    config: Config, directory: Path, recover: bool, force: bool, harmless: Collection[str]
) -> None:
    """
    Writes the config to the directory of a new run, and what of its transformers' files belongs to it, or
    checks that the run there is the one to go on with. A directory that is missing or empty, or holds no more
    than that of a run that ended while it read its data, has nothing to lose: a run starts there in any case.

    # Parameters

    config : `Config`
    directory : `Path`
    recover : `bool`
        Go on with the run that is there.
    force : `bool`
        Replace the run that is there.
    harmless : `Collection[str]`
        Dotted paths in the config whose values may have changed since the run was started.

    # Raises

    ConfigurationError
        When something is there already, and neither `recover` nor `force` says what to do with it, or
        when the run there has another config.
    """
    remove_partial(directory)
    if has_nothing_to_lose(directory):
        # They may be of another config.
        remove_directory(directory / TRANSFORMERS)
    elif recover:
        _check_same_run(config, directory, harmless)
    else:
        _check_may_be_replaced(directory, force)
        _empty(directory)
    with refusals(directory):
        directory.mkdir(parents=True, exist_ok=True)
    write_json(directory / CONFIG_FILE, config)
    keep_transformers(config, directory)


def config_written_in(directory: Path) -> Config | None:
    """The config of the run there, if there is one."""
    path = directory / CONFIG_FILE
    return load_config(path) if path.is_file() else None


def has_nothing_to_lose(directory: Path) -> bool:
    """Whether a run may start there: it is missing, empty, or left by a run that ended reading its data."""
    if not directory.exists():
        return True
    names = {path.name for path in directory.iterdir() if not path.name.endswith(PARTIAL)}
    names.discard(TRANSFORMERS)
    return not names or (names == {CONFIG_FILE} and _is_as_written(directory / CONFIG_FILE))


def _is_as_written(path: Path) -> bool:
    """Whether a config is in the complete form that a run writes; a user's own hardly ever is."""
    try:
        return bool(json.loads(path.read_text(encoding="utf-8")) == load_config(path))
    except (ConfigurationError, ValueError, OSError):
        return False


def _check_may_be_replaced(directory: Path, force: bool) -> None:
    if not force:
        raise ConfigurationError(
            f"{directory} is not empty. Go on with the run there with --recover, replace it with --force, "
            "or choose another --serialization_dir."
        )
    if not (directory / CONFIG_FILE).is_file():
        raise ConfigurationError(
            f"{directory} holds no run ({CONFIG_FILE} is missing), so --force will not replace it. Choose "
            "another --serialization_dir."
        )


def _empty(directory: Path) -> None:
    # The config goes last: what an interruption leaves is still known as a run.
    entries = sorted(directory.iterdir(), key=lambda path: path.name == CONFIG_FILE)
    with refusals(directory):
        for path in entries:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()


def _check_same_run(config: Config, directory: Path, harmless: Collection[str]) -> None:
    written = directory / CONFIG_FILE
    if not written.is_file():
        raise ConfigurationError(
            f"{directory} holds no run to recover: {CONFIG_FILE} is missing. Start it without --recover."
        )
    changed = [path for path in differences(load_config(written), config) if path not in harmless]
    if changed:
        raise ConfigurationError(
            f"the run in {directory} was started with another config; these keys differ: "
            f"{', '.join(changed)}. Recover it with its own config, or start a new run elsewhere. (These "
            f"may differ: {', '.join(harmless)}.)"
        )


def save_vocabulary(vocab: Vocabulary, directory: Path) -> None:
    """
    Writes a vocabulary: a directory that is there is a whole one.

    # Raises

    ConfigurationError
        When a namespace, which gives a file its name, would put it elsewhere.
    DataError
        When it cannot be written.
    """
    check_plain_names(vocab.get_namespaces(), "the vocabulary namespace")
    with making_directory(directory) as partial:
        vocab.save_to_files(str(partial))


def load_vocabulary(directory: Path) -> Vocabulary:
    """
    # Raises

    DataError
        When the directory does not hold a whole vocabulary.
    """
    try:
        return Vocabulary.from_files(str(directory))
    except (OSError, ValueError, AssertionError) as error:
        raise DataError(
            f"cannot be read as a vocabulary: {error}. Put back the directory that the run was trained "
            "with.",
            directory,
        ) from error
