"""What a run was made with, so that it can be made again: `environment.json`."""

import json
import os
import platform
import subprocess
from importlib.metadata import distributions
from pathlib import Path
from typing import Any, Dict, Optional

import torch

from hmtl.common.files import write_json
from hmtl.errors import DataError
from hmtl.formats.json_files import read_json

ENVIRONMENT_FILE = "environment.json"
REPOSITORY = Path(__file__).resolve().parents[2]
# A file system that hangs is no reason not to train.
GIT_TIMEOUT_IN_SECONDS = 10


def environment() -> Dict[str, Any]:
    """
    Versions of Python, of all packages, of torch and what it is built for; the machine's kind and devices;
    and the commit, where this is a checkout. No path, no name of a user or a machine.
    """
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": platform.platform(),
        "cpu_cores": os.cpu_count(),
        "torch": {
            "version": torch.__version__,
            "cuda": torch.version.cuda,
            "cudnn": torch.backends.cudnn.version(),
            "devices": [
                torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())
            ],
            "threads": torch.get_num_threads(),
        },
        "commit": _git("rev-parse", "HEAD"),
        "uncommitted_changes": _git("status", "--porcelain", "--untracked-files=no")
        not in ("", None),
        "packages": dict(sorted((each.name, each.version) for each in distributions())),
    }


def record_environment(directory: Path) -> None:
    """
    Adds the present environment to the file in a run's directory, unless the run went on in the same one: it
    holds them in the order of time.

    # Raises

    DataError
        When the file that is there is damaged.
    """
    path = directory / ENVIRONMENT_FILE
    try:
        earlier = read_json(path) if path.is_file() else []
        if not isinstance(earlier, list):
            raise DataError("is no list of environments", path)
    except DataError as error:
        remedy = "Remove it, and it is begun anew."
        raise DataError(f"{error.message}. {remedy}", path, error.line) from error
    # As it will be read again.
    now = json.loads(json.dumps(environment()))
    if not earlier or earlier[-1] != now:
        write_json(path, [*earlier, now])


def _git(*arguments: str) -> Optional[str]:
    """What git answers about the checkout that this is; nothing where it is none."""
    if not (REPOSITORY / ".git").exists():
        return None
    try:
        done = subprocess.run(
            ["git", "-C", str(REPOSITORY), *arguments],
            capture_output=True,
            text=True,
            timeout=GIT_TIMEOUT_IN_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
