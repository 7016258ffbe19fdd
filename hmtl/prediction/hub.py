"""Exported runs on the Hugging Face hub."""

import logging
import re
from os import PathLike
from pathlib import Path

from hmtl.common.shared_weights import SHARED_WEIGHTS, SUFFIX
from hmtl.config.elmo_files import FOLDER as ELMO
from hmtl.config.transformers import FOLDER as TRANSFORMERS
from hmtl.errors import DataError
from hmtl.runs.calibration import CALIBRATION_FILE
from hmtl.runs.directory import CONFIG_FILE, METRICS_FILE, VOCABULARY_DIR
from hmtl.runs.environment import ENVIRONMENT_FILE

logger = logging.getLogger(__name__)

CARD_FILE = "README.md"
WEIGHTS = f"*{SUFFIX}"
# All that an exported run consists of; nothing else is downloaded, or made public.
FILES = (
    *(CONFIG_FILE, METRICS_FILE, CALIBRATION_FILE, ENVIRONMENT_FILE, CARD_FILE, WEIGHTS),
    *(f"{VOCABULARY_DIR}/*", f"{TRANSFORMERS}/*", f"{ELMO}/*"),
)
NAME = re.compile(r"[\w-][\w.-]*(/[\w-][\w.-]*)?")


def downloaded(name: "str | PathLike[str]", revision: str | None = None) -> Path:
    """
    Return the directory of that name or, where there is none, of the model on the hub.

    # Raises

    DataError
        When there is neither, or it cannot be downloaded.
    """
    directory = Path(name)
    if directory.is_dir():
        return directory
    if not NAME.fullmatch(str(name)):
        raise DataError(
            "there is no such directory, and on the Hugging Face hub it would be called <owner>/<model>",
            directory,
        )
    import huggingface_hub

    try:
        return Path(
            huggingface_hub.snapshot_download(
                str(name), revision=revision, allow_patterns=list(FILES)
            )
        )
    except Exception as error:  # Releases of the library raise what their HTTP client raises.
        raise DataError(
            f"there is no directory {str(name)!r}, and no such model could be downloaded from the Hugging "
            f"Face hub: {_first_line(error)} Give a directory, or see that the name, your token and the "
            "network are right."
        ) from error


def push(directory: Path, name: str, public: bool) -> str:
    """
    Upload an exported run with the user's own token, as `hf auth login` or `HF_TOKEN` give it.

    # Parameters

    directory : `Path`
    name : `str`
        On the hub, `<owner>/<model>`. A model that is there gets a new version.
    public : `bool`
        Whether a new model is for everybody to see; one that is there stays as it is.

    # Returns

    address : `str`
        Where it is.

    # Raises

    DataError
        When the directory holds no exported run, or it cannot be uploaded.
    """
    if not (directory / SHARED_WEIGHTS).is_file() or not (directory / CONFIG_FILE).is_file():
        raise DataError(
            f"there is no {CONFIG_FILE} with {SHARED_WEIGHTS} here, so this is no exported run: make one "
            "with hmtl export",
            directory,
        )
    import huggingface_hub

    api = huggingface_hub.HfApi()
    try:
        address = api.create_repo(name, private=not public, exist_ok=True)
        api.upload_folder(
            repo_id=name,
            folder_path=directory,
            commit_message="A model of HMTL",
            allow_patterns=list(FILES),
            # Of the version before there may be more of these.
            delete_patterns=[WEIGHTS, f"{VOCABULARY_DIR}/*", f"{TRANSFORMERS}/*", f"{ELMO}/*"],
        )
    except Exception as error:  # As above.
        raise DataError(
            f"{directory} could not be uploaded to the Hugging Face hub as {name!r}: {_first_line(error)} "
            "Log in with hf auth login, or set HF_TOKEN to a token that may write there."
        ) from error
    return str(address)


def _first_line(error: Exception) -> str:
    """What an error says, as one sentence."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return f"{lines[0].rstrip('.')}."
