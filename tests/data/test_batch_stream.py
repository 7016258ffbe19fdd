from typing import Any

import pytest
import torch
from allennlp.data import Instance

from hmtl.data import batch_stream
from hmtl.data.batch_stream import BatchStream, EvaluationBatches, collate
from hmtl.data.batching import BasicBatching, Batching, BucketBatching
from hmtl.data.parts import WHOLE, Part
from tests.training.growing_texts import texts_of_growing_length

NUM_INSTANCES = 10


@pytest.fixture(scope="module")
def instances() -> list[Instance]:
    return texts_of_growing_length(NUM_INSTANCES)


def stream_of(
    instances: list[Instance], batching: Batching | None = None, seed: int = 0
) -> BatchStream:
    return BatchStream(instances, batching or BasicBatching(3), seed)


def take(stream: BatchStream, count: int) -> list[list[int]]:
    """The numbers of the instances in the next batches."""
    return [stream.next_batch()["metadata"] for _ in range(count)]


def test_stream_gives_each_instance_once_a_pass(instances: list[Instance]) -> None:
    stream = stream_of(instances)
    assert len(stream) == 4
    for _ in range(3):
        numbers = [number for batch in take(stream, len(stream)) for number in batch]
        assert sorted(numbers) == list(range(NUM_INSTANCES))


def test_stream_shuffles_each_pass_anew(instances: list[Instance]) -> None:
    stream = stream_of(instances)
    passes = [take(stream, len(stream)) for _ in range(3)]
    assert passes[0] != passes[1] != passes[2]


def test_streams_of_one_seed_are_equal(instances: list[Instance]) -> None:
    assert take(stream_of(instances, seed=5), 9) == take(stream_of(instances, seed=5), 9)


def test_streams_of_different_seeds_differ(instances: list[Instance]) -> None:
    assert take(stream_of(instances, seed=5), 9) != take(stream_of(instances, seed=6), 9)


def test_stream_gives_padded_tensors(instances: list[Instance]) -> None:
    batch = stream_of(instances).next_batch()
    tokens = batch["text"]["tokens"]["tokens"]
    assert tokens.shape == (3, max(batch["metadata"]) + 1)
    assert (tokens > 0).sum(dim=1).tolist() == [number + 1 for number in batch["metadata"]]


@pytest.mark.parametrize("consumed", [0, 1, 3, 4, 5, 11])
@pytest.mark.parametrize("batching", [BasicBatching(3), BucketBatching(3)], ids=["basic", "bucket"])
def test_stream_goes_on_from_its_state(
    instances: list[Instance], batching: Batching, consumed: int
) -> None:
    # 4 batches are a pass: in the middle of one, at its end, in the second and third.
    stream = stream_of(instances, batching)
    take(stream, consumed)
    state = stream.state_dict()
    expected = take(stream, 9)
    other = stream_of(instances, batching)
    take(other, 2)
    other.load_state_dict(state)
    assert take(other, 9) == expected


def test_state_does_not_count_what_was_prefetched(instances: list[Instance]) -> None:
    stream = stream_of(instances)
    assert stream.state_dict() == {"passes": 0, "position": 0}
    take(stream, 1)
    assert stream.state_dict() == {"passes": 0, "position": 1}
    take(stream, 3)
    assert stream.state_dict() == {"passes": 1, "position": 0}


@pytest.mark.parametrize("prefetched", [1, 2, 7])
def test_prefetching_changes_nothing(
    instances: list[Instance], prefetched: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = take(stream_of(instances), 12)
    in_order = list(EvaluationBatches(instances, BucketBatching(3)))
    monkeypatch.setattr(batch_stream, "PREFETCHED", prefetched)
    assert take(stream_of(instances), 12) == expected
    assert_equal_batches(list(EvaluationBatches(instances, BucketBatching(3))), in_order)


def test_stream_draws_nothing_from_the_global_random_state(instances: list[Instance]) -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    take(stream_of(instances), 9)
    assert torch.equal(torch.get_rng_state(), before)


class Broken(Exception):
    """What goes wrong in these tests."""


def test_what_goes_wrong_in_the_background_is_raised(
    instances: list[Instance], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(chosen: list[Instance]) -> Any:
        raise Broken

    monkeypatch.setattr(batch_stream, "collate", fail)
    with pytest.raises(Broken):
        stream_of(instances).next_batch()
    with pytest.raises(Broken):
        list(EvaluationBatches(instances, BasicBatching(3)))


def test_evaluation_batches_are_the_same_each_time(instances: list[Instance]) -> None:
    batches = EvaluationBatches(instances, BucketBatching(3))
    first, second = list(batches), list(batches)
    assert len(batches) == len(first) == 4
    assert [batch["metadata"] for batch in first] == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9]]
    assert_equal_batches(first, second)


def test_evaluation_batches_may_be_left_early(instances: list[Instance]) -> None:
    batches = EvaluationBatches(instances, BasicBatching(3))
    for batch in batches:
        assert batch["metadata"] == [0, 1, 2]
        break
    assert len(list(batches)) == 4


def test_collate_equals_what_an_instance_alone_gives(instances: list[Instance]) -> None:
    alone = collate(instances[2:3])["text"]["tokens"]["tokens"]
    together = collate(instances[:5])["text"]["tokens"]["tokens"]
    assert torch.equal(together[2:3, :3], alone)


def assert_equal_batches(one: list[dict[str, Any]], other: list[dict[str, Any]]) -> None:
    assert [batch["metadata"] for batch in one] == [batch["metadata"] for batch in other]
    for left, right in zip(one, other, strict=True):
        assert torch.equal(left["text"]["tokens"]["tokens"], right["text"]["tokens"]["tokens"])


@pytest.mark.parametrize(
    "batching, part, worst",
    [
        (BasicBatching(3), WHOLE, (3, NUM_INSTANCES)),
        (BasicBatching(50), WHOLE, (NUM_INSTANCES, NUM_INSTANCES)),
        (BasicBatching(3, max_tokens_per_batch=25), WHOLE, (2, NUM_INSTANCES)),
        (BasicBatching(3, max_tokens_per_batch=5), WHOLE, (1, NUM_INSTANCES)),
        (BasicBatching(3), Part(1, 2), (2, NUM_INSTANCES)),
    ],
)
def test_worst_batch_holds_as_many_texts_as_go_with_the_longest(
    instances: list[Instance], batching: Batching, part: Part, worst: tuple[int, int]
) -> None:
    assert BatchStream(instances, batching, 0, part).worst_batch == worst
