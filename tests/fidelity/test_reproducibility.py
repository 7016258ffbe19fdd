"""The same seed on the same machine gives the same weights to the last bit."""

from pathlib import Path
from typing import Any

import pytest
import torch

from hmtl.common.tensors import load_tensors
from hmtl.config.loading import complete
from hmtl.data import batch_stream
from hmtl.runs.training import train
from tests.fixtures import tiny_config, write_corpus


def train_tiny(directory: Path, name: str, **changes: Any) -> dict[str, torch.Tensor]:
    """The weights after two epochs of all tasks, with dropout on every level."""
    corpus = directory / "corpus"
    config = complete(tiny_config(corpus if corpus.exists() else write_corpus(corpus)))
    config.update(changes)
    for level in ("ner", "emd", "relation", "coref"):
        config["model"][level]["input_dropout"] = 0.3
    config["multi_task_trainer"]["num_epochs"] = 2
    train(config, directory / name, recover=False, force=False)
    return load_tensors(directory / name / "model_state.th")


def same_bits(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    assert first.keys() == second.keys()
    return all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("prefetched", [1, 2, 7])
def test_weights_are_bit_identical_whatever_the_prefetching(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prefetched
) -> None:
    expected = train_tiny(tmp_path, "first")
    torch.rand(5)
    monkeypatch.setattr(batch_stream, "PREFETCHED", prefetched)
    assert same_bits(train_tiny(tmp_path, "second"), expected)


def test_another_seed_gives_other_weights(tmp_path: Path) -> None:
    assert not same_bits(train_tiny(tmp_path, "first"), train_tiny(tmp_path, "second", seed=2))
