"""The sources of the open corpora: which files, what is in them, where they are published."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from hmtl.common.files import refusals, replacing, sha256_of
from hmtl.errors import DataError

if TYPE_CHECKING:
    import requests
    from requests.adapters import HTTPAdapter

HOST = "https://raw.githubusercontent.com"
GUM = "amir-zeldes/gum/72ce5ac14978a324c2fd18d49484e65292cbe316"
REDOCRED = "tonytan48/Re-DocRED/ccfb54f5ddf5836027c87badda10f6dfc56efaac"
# By the folder here: repository, commit and folder there.
_FOLDERS = {
    "gum": GUM,
    "gum/dep": f"{GUM}/dep",
    "gum/const": f"{GUM}/const",
    "gum/ontogum": f"{GUM}/coref/ontogum/conllu",
    "redocred": f"{REDOCRED}/data",
}
_SUMS = Path(__file__).with_name("SHA256SUMS")
# Seconds to connect, and between two pieces of an answer.
_TIMEOUTS = (10, 60)
RETRIES = 3


def listed() -> dict[str, str]:
    """By its path in the folder of sources the SHA-256 of each file, in the order of the paths."""
    lines = _SUMS.read_text(encoding="utf-8").splitlines()
    return {path: digest for digest, path in (line.split("  ", 1) for line in lines)}


def address(path: str) -> str:
    """Where a file is published, below the host."""
    folder, _, name = path.rpartition("/")
    return f"{_FOLDERS[folder]}/{name}"


def fetch(folder: Path, files: Mapping[str, str], host: str | None = None) -> None:
    """
    Fetch the files that are not there yet, whole or not at all.

    # Parameters

    folder : `Path`
        Made if it is not there.
    files : `Mapping[str, str]`
        As `listed` returns them.
    host : `str`, optional (default = `HOST`)
        The beginning of all addresses.

    # Raises

    `DataError`
        If one cannot be had, or is another than it should be; what was fetched before stays.
    """
    missing = list(differing(folder, files))
    if not missing:
        return
    # Only who fetches waits for the import.
    import requests

    host = host or HOST
    have = len(files) - len(missing)
    progress = tqdm(missing, "fetching", len(files), initial=have, unit=" files", disable=None)
    with requests.Session() as session, progress:
        session.mount(host, _with_retries())
        for number, path in enumerate(progress, start=have):
            url = f"{host}/{address(path)}"
            try:
                answer = session.get(url, timeout=_TIMEOUTS)
                answer.raise_for_status()
            except requests.RequestException as error:
                raise DataError(
                    f"{url} cannot be fetched ({_reason(error)}). {number} of {len(files)} files are in "
                    f"{folder}; the same command fetches the rest. Behind a proxy set HTTPS_PROXY; without a "
                    "network fetch them on another machine and name their folder: --from FOLDER"
                ) from error
            digest = hashlib.sha256(answer.content).hexdigest()
            if digest != files[path]:
                raise DataError(
                    f"{url} gave another file than was published: its SHA-256 is {digest}; expected "
                    f"{files[path]}. Does a proxy answer in its place?"
                )
            with refusals(folder / path):
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
            with replacing(folder / path) as file:
                file.write(answer.content)


def differing(folder: Path, files: Mapping[str, str]) -> Iterator[str]:
    """Those of the files that are not in a folder, or are others there."""
    for path, digest in files.items():
        if not (folder / path).is_file() or sha256_of(folder / path) != digest:
            yield path


def _with_retries() -> HTTPAdapter:
    from requests.adapters import HTTPAdapter
    from urllib3 import Retry

    # It warns of each retry; one message at the end is enough.
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)
    return HTTPAdapter(
        max_retries=Retry(RETRIES, backoff_factor=0.5, status_forcelist=(429, 500, 502, 503, 504))
    )


def _reason(error: requests.RequestException) -> str:
    """The cause at the bottom, without the pools and retries around it."""
    if error.response is not None:
        return f"{error.response.status_code} {error.response.reason}"
    cause = error.args[0] if error.args else error
    return str(getattr(cause, "reason", cause)).rpartition(": ")[2]
