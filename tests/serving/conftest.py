"""Fixtures of the tests of the demo."""

import json
from pathlib import Path

import pytest

from hmtl.runs.training import train
from tests.fixtures import completed, tiny_config, write_corpus


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a run of all four tasks that has hardly learnt anything."""
    directory = tmp_path_factory.mktemp("demo")
    config = completed(tiny_config(write_corpus(directory / "corpus")))
    train(json.loads(json.dumps(config)), directory / "tiny-run", recover=False, force=False)
    return directory / "tiny-run"
