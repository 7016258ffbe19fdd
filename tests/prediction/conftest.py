"""What all tests of prediction use."""

from pathlib import Path

import pytest

from hmtl.prediction.predictor import Predictor
from tests.prediction.runs import make_tiny_run


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with all four tasks."""
    return make_tiny_run(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def predictor(tiny_run: Path) -> Predictor:
    return Predictor.from_serialization_dir(tiny_run, device="cpu")
