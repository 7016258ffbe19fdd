"""Fixtures of the tests of training."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hmtl.runs import training
from hmtl.runs.assembly import Experiment
from hmtl.training.trainer import MultiTaskTrainer
from tests.training.small_runs import one_thread


# Of the modules' scope, so that the runs that a module compares with have as many threads: sums over
# threads round otherwise.
@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    with one_thread():
        yield


@pytest.fixture
def build_with(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Lets a callback take part in the trainings to come."""
    build = training.build_trainer

    def build_with(*callbacks: Any) -> None:
        def building(built: Experiment) -> MultiTaskTrainer:
            trainer = build(built)
            trainer.callbacks.extend(callbacks)
            return trainer

        monkeypatch.setattr(training, "build_trainer", building)

    return build_with
