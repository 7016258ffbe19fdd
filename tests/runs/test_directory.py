"""A run goes on with its own vocabulary, or not at all."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from allennlp.data import Vocabulary

from hmtl.errors import DataError
from hmtl.runs.directory import load_vocabulary, save_vocabulary, vocabulary_records
from hmtl.training.checkpoints import Checkpointer, TrainingPosition


def run_with_vocabulary(directory: Path, is_noted: bool = True) -> Path:
    """The vocabulary's directory, in that of a run with a checkpoint."""
    vocabulary = directory / "vocabulary"
    save_vocabulary(Vocabulary(tokens_to_add={"tokens": ["the", "cat", "sat"]}), vocabulary)
    known = vocabulary_records(vocabulary) if is_noted else None
    Checkpointer(directory, vocabulary=known).save(TrainingPosition(1, 1), {"x": torch.ones(1)}, {})
    return vocabulary


def touch_up(path: Path, old: str, new: str) -> None:
    path.write_text(path.read_text().replace(old, new))


@pytest.mark.parametrize(
    "damage, problem",
    [
        (lambda tokens: tokens.unlink(), "tokens.txt is missing"),
        (lambda tokens: touch_up(tokens, "sat", ""), "tokens.txt is truncated or altered"),
        (lambda tokens: touch_up(tokens, "cat", "dog"), "tokens.txt is altered"),
        (lambda tokens: tokens.with_name("x.txt").touch(), "x.txt is none of its files"),
    ],
    ids=["missing", "truncated", "altered", "added"],
)
def test_other_vocabulary_than_the_runs_is_refused(
    tmp_path: Path, damage: Callable[[Path], None], problem: str
) -> None:
    vocabulary = run_with_vocabulary(tmp_path)
    damage(vocabulary / "tokens.txt")
    with pytest.raises(DataError, match=f"vocabulary: this is not the vocabulary.*{problem}"):
        load_vocabulary(vocabulary)


@pytest.mark.parametrize("in_its_place", [None, "a file"])
def test_vocabulary_that_is_gone_is_told(tmp_path: Path, in_its_place: str | None) -> None:
    vocabulary = run_with_vocabulary(tmp_path)
    shutil.rmtree(vocabulary)
    if in_its_place is not None:
        vocabulary.write_text(in_its_place)
    with pytest.raises(DataError, match="vocabulary: is not there: put back"):
        load_vocabulary(vocabulary)


@pytest.mark.parametrize("is_noted", [True, False])
def test_vocabulary_of_the_run_is_loaded(tmp_path: Path, is_noted: bool) -> None:
    """Whether or not the manifest, which may be an older one, knows it; another one is damaged."""
    vocabulary = run_with_vocabulary(tmp_path, is_noted)
    later = tmp_path / "checkpoints" / "epoch_2_step_2"
    later.mkdir()
    (later / "manifest.json").write_text("{")
    assert load_vocabulary(vocabulary).get_token_index("sat") == 4
