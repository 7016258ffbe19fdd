"""Fixtures of the tests of fine-tuning: a corpus of a few sentences, and a model trained on it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hmtl.runs.training import train
from tests.fine_tuning.small_runs import completed_config, write_new_corpus
from tests.fixtures import write_corpus
from tests.training.small_runs import one_thread


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> Iterator[None]:
    with one_thread():
        yield


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("corpus") / "old")


@pytest.fixture(scope="session")
def new_corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With words and labels that the other lacks."""
    return write_new_corpus(tmp_path_factory.mktemp("corpus") / "new")


@pytest.fixture(scope="session")
def pretrained_dir(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two epochs on all four tasks."""
    directory = tmp_path_factory.mktemp("runs") / "pretrained"
    config = completed_config(corpus)
    config["multi_task_trainer"]["num_epochs"] = 2
    train(config, directory, recover=False, force=False)
    return directory


@pytest.fixture
def build_with(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Lets a callback take part in the fine-tunings to come."""
    from hmtl.fine_tuning import fine_tune

    build = fine_tune.build_trainer

    def build_with(*callbacks: Any) -> None:
        def building(built: Any) -> Any:
            trainer = build(built)
            trainer.callbacks.extend(callbacks)
            return trainer

        monkeypatch.setattr(fine_tune, "build_trainer", building)

    return build_with
