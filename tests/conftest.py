"""Fixtures that every test may use."""

import logging
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

import hmtl.compat  # noqa: F401  (so that a test may import AllenNLP before it imports hmtl)
from hmtl.common.environment import set_thread_policy
from tests.running import Scripts

REPOSITORY = Path(__file__).resolve().parent.parent

# The same examples in every run: a change is judged by what it changed. `make fuzz` draws others.
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("other", derandomize=False, deadline=None)
settings.load_profile("same")

set_thread_policy()
# Tests do not leave anything in the user's own cache; those of the cache say where.
os.environ["HMTL_CACHE_DIR"] = "off"


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The folder of corpora and reference texts that may lie beside the repository."""
    directory = REPOSITORY.parent / "shared"
    if not directory.is_dir():
        pytest.skip("needs the folder ../shared (beside the repository), which is absent here")
    return directory


@pytest.fixture(scope="session")
def sample_dir() -> Path:
    """The sample corpora, which are part of the repository."""
    directory = REPOSITORY / "data" / "sample"
    assert directory.is_dir(), f"{directory} is missing: check out data/sample"
    return directory


@pytest.fixture(autouse=True)
def usual_log_levels() -> Iterator[None]:
    """Commands make the log of a process speak up; each test begins with what the process began with."""
    names = ("hmtl", "allennlp.common.from_params")
    before = {name: logging.getLogger(name).level for name in names}
    yield
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


@pytest.fixture
def usual_signals() -> Iterator[None]:
    """
    For a test that sends a signal, or starts a process and sends it one: where the tests themselves run in a
    script's background Ctrl-C is ignored, under nohup the end of the terminal.
    """
    usual: dict[int, Any] = {
        signal.SIGINT: signal.default_int_handler,
        signal.SIGTERM: signal.SIG_DFL,
        signal.SIGHUP: signal.SIG_DFL,
    }
    before = {number: signal.signal(number, handler) for number, handler in usual.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def run_script(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> Scripts:
    """Runs an entry point within the process: `run_script("train.py", "-s", ...)`."""
    return Scripts(monkeypatch, capsys)
