import random

import pytest
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import Instance, Token
from allennlp.data.fields import MetadataField, TextField
from hypothesis import given
from hypothesis import strategies as st

from hmtl.data.batching import BasicBatching, Batching, BucketBatching, cut_by_length


def instances_of(*lengths: int) -> list[Instance]:
    return [
        Instance({"text": TextField([Token("a")] * length), "metadata": MetadataField(length)})
        for length in lengths
    ]


@pytest.mark.parametrize("kind", ["basic", "bucket"])
@given(
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=30),
    batch_size=st.integers(1, 7),
    seed=st.one_of(st.none(), st.integers()),
)
def test_every_instance_is_in_one_full_batch_but_the_last(
    kind: str, lengths: list[int], batch_size: int, seed: int | None
) -> None:
    batching = Batching.from_params(Params({"type": kind, "batch_size": batch_size}))
    rng = None if seed is None else random.Random(seed)
    batches = batching.batches(instances_of(*lengths), rng)
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    full, rest = divmod(len(lengths), batch_size)
    assert sorted(map(len, batches), reverse=True) == [batch_size] * full + [rest] * bool(rest)


def test_basic_batching_shuffles_instances() -> None:
    instances = instances_of(*[1] * 50)
    first, second = (
        [i for batch in BasicBatching(5).batches(instances, random.Random(seed)) for i in batch]
        for seed in (1, 2)
    )
    assert first != second != list(range(50))


def test_basic_batching_without_randomness_keeps_the_order() -> None:
    assert BasicBatching(2).batches(instances_of(3, 1, 2), None) == [[0, 1], [2]]


def test_bucket_batching_without_randomness_sorts_by_length() -> None:
    assert BucketBatching(2).batches(instances_of(3, 1, 2, 1), None) == [[1, 3], [2, 0]]


def test_bucket_batching_puts_similar_lengths_together_and_shuffles_batches() -> None:
    lengths = [length for length in range(1, 41) for _ in range(2)]
    instances = instances_of(*lengths)
    batches = BucketBatching(4, padding_noise=0.1).batches(instances, random.Random(0))
    spreads = [max(lengths[i] for i in b) - min(lengths[i] for i in b) for b in batches]
    # Noise of a tenth moves the longest instances by four at most to either side.
    assert max(spreads) <= 9
    means = [sum(lengths[i] for i in batch) / len(batch) for batch in batches]
    assert means != sorted(means)


def test_bucket_batching_varies_batches_by_its_noise() -> None:
    instances = instances_of(*range(20, 60))
    contents = {
        frozenset(map(frozenset, BucketBatching(4).batches(instances, random.Random(seed))))
        for seed in range(3)
    }
    assert len(contents) == 3
    without = {
        frozenset(
            map(
                frozenset, BucketBatching(4, padding_noise=0.0).batches(instances, random.Random(i))
            )
        )
        for i in range(3)
    }
    assert len(without) == 1


def test_batches_follow_from_the_random_state_alone() -> None:
    instances = instances_of(*range(1, 30))
    batching = BucketBatching(3)
    assert batching.batches(instances, random.Random(7)) == batching.batches(
        instances, random.Random(7)
    )


def test_bucket_batching_names_unknown_field() -> None:
    with pytest.raises(ConfigurationError, match=r"field 'txt', .* \['metadata', 'text'\]"):
        BucketBatching(2, sorting_keys=["txt"]).batches(instances_of(1), None)


@pytest.mark.parametrize("batch_size", [0, -1])
def test_batch_size_must_be_positive(batch_size: int) -> None:
    with pytest.raises(ConfigurationError, match=f"batch_size is {batch_size}"):
        BasicBatching(batch_size)


@given(st.lists(st.integers(0, 40), max_size=30), st.integers(1, 60), st.integers(1, 60))
def test_batches_hold_each_text_once_and_keep_to_the_limits(
    lengths: list[int], most_tokens: int, side: int
) -> None:
    batches = cut_by_length(lengths, most_tokens=most_tokens, most_pairs=side**2)
    assert sorted(position for batch in batches for position in batch) == list(range(len(lengths)))
    for batch in batches:
        longest = max(lengths[position] for position in batch)
        assert len(batch) == 1 or len(batch) * longest <= most_tokens
        assert len(batch) == 1 or len(batch) * longest**2 <= side**2


@pytest.mark.parametrize("limits", [{"most_tokens": 20}, {"most_texts": 2}, {"most_pairs": 200}])
def test_texts_of_similar_length_are_in_one_batch(limits: dict[str, float]) -> None:
    assert cut_by_length([9, 1, 10, 2], **limits) == [[1, 3], [0, 2]]
