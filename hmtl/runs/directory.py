"""The directory of a run: making it, telling whose run is in it, and its vocabulary."""

import json
import logging
import shutil
from fnmatch import fnmatchcase
from pathlib import Path

from allennlp.common.checks import ConfigurationError
from allennlp.common.util import namespace_match
from allennlp.data import Vocabulary
from allennlp.data.vocabulary import NAMESPACE_PADDING_FILE

from hmtl.common.files import (
    PARTIAL,
    making_directory,
    refusals,
    remove_directory,
    remove_partial,
    write_json,
)
from hmtl.config.loading import Config, differences, load_config, value_at
from hmtl.config.safety import check_plain_names
from hmtl.config.schema import changeable_on_recovery
from hmtl.config.transformers import FOLDER as TRANSFORMERS
from hmtl.config.transformers import keep_transformers
from hmtl.data.readers.corpus_vocabulary import CorpusVocabulary
from hmtl.errors import DataError
from hmtl.training.checkpoints import (
    CHECKPOINTS_DIR,
    FileRecord,
    check_file,
    checkpoints_in,
    record_of,
)

logger = logging.getLogger(__name__)

CONFIG_FILE = "config.json"
VOCABULARY_DIR = "vocabulary"
METRICS_FILE = "metrics.json"
EVALUATION_FILE = "evaluate_metrics.json"
# Where a fine-tuning keeps what it needs of the trained model.
PRETRAINED_DIR = "pretrained"


def prepare_directory(config: Config, directory: Path, recover: bool, force: bool) -> None:
    """
    Writes the config to the directory of a new run, and what of its transformers' files belongs to it, or
    checks that the run there is the one to resume. A directory that is missing or empty, or holds no more
    than that of a run that ended while it read its data, has nothing to lose: a run starts there in any case.

    # Parameters

    config : `Config`
    directory : `Path`
    recover : `bool`
        Go on with the run that is there.
    force : `bool`
        Replace the run that is there.

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
        _check_same_run(config, directory)
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
    return load_config(path, jsonnet=False) if path.is_file() else None


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
        return bool(
            json.loads(path.read_text(encoding="utf-8")) == load_config(path, jsonnet=False)
        )
    except (ConfigurationError, ValueError, OSError, RecursionError):
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


def _check_same_run(config: Config, directory: Path) -> None:
    changeable = changeable_on_recovery()
    written = directory / CONFIG_FILE
    if not written.is_file():
        raise ConfigurationError(
            f"{directory} holds no run to recover: {CONFIG_FILE} is missing. Start it without --recover."
        )
    before = load_config(written, jsonnet=False)
    paths = differences(before, config)
    changed = [path for path in paths if not any(fnmatchcase(path, each) for each in changeable)]
    if changed:
        raise ConfigurationError(
            f"the run in {directory} was started with another config; these keys differ: "
            f"{', '.join(changed)}. Recover it with its own config, or start a new run elsewhere. (These "
            f"may differ: {', '.join(changeable)}.)"
        )
    for path in paths:
        logger.info(
            "resuming with another %s: %r, which was %r",
            path,
            value_at(config, path),
            value_at(before, path),
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
        # AllenNLP locks what it writes, and leaves the lock behind.
        (partial / ".lock").unlink(missing_ok=True)


def load_vocabulary(directory: Path) -> Vocabulary:
    """
    Read a vocabulary that was saved, and leave its directory as it is: it may be read-only. (AllenNLP's own
    `Vocabulary.from_files` makes a file there, and takes a name that is no directory for an address.)

    # Raises

    DataError
        When the directory does not hold a whole vocabulary, or not that of the checkpoints beside it.
    """
    check_vocabulary(directory)
    try:
        listed = (directory / NAMESPACE_PADDING_FILE).read_text(encoding="utf-8")
        not_padded = [line.strip() for line in listed.splitlines()]
        vocab = CorpusVocabulary(non_padded_namespaces=not_padded)
        for path in sorted(directory.glob("[!.]*.txt")):
            if path.name != NAMESPACE_PADDING_FILE:
                is_padded = not any(namespace_match(each, path.stem) for each in not_padded)
                vocab.set_from_file(str(path), is_padded, namespace=path.stem)
        return vocab
    except (OSError, ValueError, AssertionError) as error:
        raise DataError(
            f"cannot be read as a vocabulary: {error}. Put back the directory that the run was trained "
            "with.",
            directory,
        ) from error


def vocabulary_records(directory: Path) -> dict[str, FileRecord]:
    """What the files of a saved vocabulary are, by name; AllenNLP leaves a hidden one that it locks."""
    files = (path for path in directory.iterdir() if not path.name.startswith("."))
    return {path.name: record_of(path) for path in sorted(files)}


def check_vocabulary(directory: Path) -> None:
    """
    # Raises

    DataError
        When there is no directory; or when there are checkpoints of a run beside it, and it does not hold
        the vocabulary whose digests are in their manifests (those of older ones have none).
    """
    if not directory.is_dir():
        raise DataError(
            "is not there: put back the directory that the run was trained with.", directory
        )
    known: dict[str, FileRecord] = {}
    for checkpoint in checkpoints_in(directory.parent / CHECKPOINTS_DIR):
        try:
            known = checkpoint.vocabulary
            break
        except DataError:
            continue  # Who loads it says so.
    if not known:
        return
    found = {path.name: path for path in directory.iterdir() if not path.name.startswith(".")}
    problems = [f"{name} is missing." for name in sorted(known.keys() - found.keys())]
    problems += [f"{name} is none of its files." for name in sorted(found.keys() - known.keys())]
    for name in sorted(known.keys() & found.keys()):
        try:
            check_file(found[name], [known[name]])
        except DataError as error:
            problems.append(f"{name} {error.message}")
    if problems:
        raise DataError(
            f"this is not the vocabulary that the run was trained with: {' '.join(problems)} Put back a copy "
            "of it, or remove the directory: --recover makes it again from the data.",
            directory,
        )
