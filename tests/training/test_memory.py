"""Running out of memory names the batch."""

import pytest
import torch

from hmtl.errors import DataError
from hmtl.training.memory import naming_batch_if_too_large

BATCH = {
    "metadata": [
        {"words": ["a"] * 3, "source": "corpus:1"},
        {"words": ["a"] * 100_000, "source": "corpus:9"},
    ]
}
MORE_THAN_ANY_MACHINE_HAS = 2**52


def test_batch_that_does_not_fit_is_named() -> None:
    with pytest.raises(DataError) as caught, naming_batch_if_too_large("relation", BATCH):
        torch.empty(MORE_THAN_ANY_MACHINE_HAS)
    message = str(caught.value)
    assert "for a batch of task 'relation': 2 texts, the longest of 100000 tokens" in message
    assert "(corpus:1, corpus:9)" in message
    assert "max_tokens_per_batch" in message


def test_device_that_is_full_is_told_alike() -> None:
    with pytest.raises(DataError), naming_batch_if_too_large("relation", BATCH):
        raise torch.OutOfMemoryError("CUDA out of memory")


def test_other_errors_pass() -> None:
    with pytest.raises(RuntimeError, match="shapes"), naming_batch_if_too_large("ner", BATCH):
        raise RuntimeError("shapes do not fit")
