"""Fixtures of the tests of probing."""

from pathlib import Path

import pytest

from tests.probing.runs import train_tiny_run


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of all four tasks; to be read only."""
    return train_tiny_run(tmp_path_factory.mktemp("probed"))
