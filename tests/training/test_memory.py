"""Running out of memory names the batch."""

from unittest.mock import Mock

import pytest
import torch

from hmtl.errors import DataError
from hmtl.training.memory import LARGE, naming_batch_if_too_large, warn_of_large_batch

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


def warning(caplog: pytest.LogCaptureFixture, num_bytes: int, num_texts: int) -> str:
    head = Mock(training_memory=Mock(return_value=num_bytes))
    warn_of_large_batch("relation", head, Mock(worst_batch=(num_texts, 1200)))
    head.training_memory.assert_called_once_with(num_texts, 1200)
    return caplog.text


def test_large_batch_is_warned_of_with_what_to_do(caplog: pytest.LogCaptureFixture) -> None:
    message = warning(caplog, LARGE * 2, 4)
    assert "task relation: a training batch may hold 4 texts, the longest of 1200 tokens" in message
    assert "some 4.0 GB" in message
    assert "max_tokens_per_batch or a smaller batch_size" in message and "max_sentences" in message


def test_a_single_text_is_not_helped_by_smaller_batches(caplog: pytest.LogCaptureFixture) -> None:
    message = warning(caplog, LARGE, 1)
    assert "1 text, the longest" in message and "batch_size" not in message


def test_what_is_not_large_is_not_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    assert warning(caplog, LARGE - 1, 4) == ""
