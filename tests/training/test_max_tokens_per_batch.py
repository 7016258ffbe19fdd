"""Batches that are split because they hold too many tokens."""

import random
from typing import Any

import pytest
from allennlp.common import Params
from allennlp.data import Instance
from hypothesis import given
from hypothesis import strategies as st

from hmtl.data.batching import BasicBatching, Batching, BucketBatching
from hmtl.data.readers.corpus_reader import CorpusReader


def instances_of(lengths: list[int]) -> list[Instance]:
    return [Instance({"text": CorpusReader.text_field(["w"] * length)}) for length in lengths]


@pytest.mark.parametrize("kind", ["basic", "bucket"])
def test_config_may_limit_tokens(kind: str) -> None:
    batching = Batching.from_params(
        Params({"type": kind, "batch_size": 4, "max_tokens_per_batch": 10})
    )
    assert batching.batches(instances_of([2, 2, 2, 9]), None) in (
        [[0, 1, 2], [3]],
        [[3], [0, 1, 2]],
    )


def test_padding_counts() -> None:
    batches = BasicBatching(4, max_tokens_per_batch=12).batches(instances_of([1, 6, 6, 1]), None)
    assert batches == [[0, 1], [2, 3]]


def test_text_that_is_too_long_by_itself_stays_whole() -> None:
    batches = BasicBatching(4, max_tokens_per_batch=5).batches(instances_of([2, 100, 2, 2]), None)
    assert batches == [[0], [1], [2, 3]]


@pytest.mark.parametrize("kind", [BasicBatching, BucketBatching])
@given(
    lengths=st.lists(st.integers(1, 30), max_size=40),
    batch_size=st.integers(1, 8),
    most=st.integers(1, 60),
    seed=st.none() | st.integers(),
)
def test_batches_keep_within_the_limit_and_hold_each_instance_once(
    kind: Any, lengths: list[int], batch_size: int, most: int, seed: "int | None"
) -> None:
    rng = None if seed is None else random.Random(seed)
    batches = kind(batch_size, max_tokens_per_batch=most).batches(instances_of(lengths), rng)
    assert sorted(position for batch in batches for position in batch) == list(range(len(lengths)))
    for batch in batches:
        assert 1 <= len(batch) <= batch_size
        padded = len(batch) * max(lengths[position] for position in batch)
        assert padded <= most or len(batch) == 1
