"""What each of several processes takes of the data is all of it, and nothing twice."""

import pytest
import torch
from allennlp.data import Instance

from hmtl.data.batch_stream import BatchStream, EvaluationBatches, collate, collate_part
from hmtl.data.batching import BasicBatching
from hmtl.data.parts import WHOLE, Part, RepeatedBatch
from tests.training.growing_texts import texts_of_growing_length

NUM_INSTANCES = 11


@pytest.fixture(scope="module")
def instances() -> list[Instance]:
    return texts_of_growing_length(NUM_INSTANCES)


def parts(count: int) -> list[Part]:
    return [Part(number, count) for number in range(count)]


@pytest.mark.parametrize("count", range(1, 6))
@pytest.mark.parametrize("length", range(8))
def test_parts_one_after_the_other_are_the_whole(count: int, length: int) -> None:
    items = list(range(length))
    taken = [part.of(items) for part in parts(count)]
    assert [item for some in taken for item in some] == items
    sizes = [len(some) for some in taken]
    assert max(sizes) - min(sizes) <= 1


def test_part_of_a_batch_is_padded_as_the_batch_is(instances: list[Instance]) -> None:
    joined = torch.cat(
        [collate_part(instances, part)["text"]["tokens"]["tokens"] for part in parts(2)]
    )
    assert torch.equal(joined, collate(instances)["text"]["tokens"]["tokens"])


def test_process_without_an_instance_repeats_one(instances: list[Instance]) -> None:
    batches = [collate_part(instances[:1], part) for part in parts(3)]
    assert sum(not isinstance(batch, RepeatedBatch) for batch in batches) == 1
    assert all(batch["metadata"] == [0] for batch in batches)


def test_streams_of_all_parts_give_the_batches_of_one_stream(instances: list[Instance]) -> None:
    def stream(part: Part) -> BatchStream:
        return BatchStream(instances, BasicBatching(4), seed=1, part=part)

    whole, streams = stream(WHOLE), [stream(part) for part in parts(2)]
    for _ in range(2 * len(whole)):
        joined = [number for each in streams for number in each.next_batch()["metadata"]]
        assert joined == whole.next_batch()["metadata"]
        assert [each.state_dict() for each in streams] == [whole.state_dict()] * 2


def test_stream_goes_on_as_any_part(instances: list[Instance]) -> None:
    first, second = (
        BatchStream(instances, BasicBatching(4), seed=1, part=part) for part in parts(2)
    )
    for _ in range(4):
        first.next_batch()
    second.load_state_dict(first.state_dict())
    again = BatchStream(instances, BasicBatching(4), seed=1, part=Part(1, 2))
    again.load_state_dict(first.state_dict())
    assert second.next_batch()["metadata"] == again.next_batch()["metadata"]


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_evaluation_batches_are_taken_in_turn(instances: list[Instance], count: int) -> None:
    whole = [batch["metadata"] for batch in EvaluationBatches(instances, BasicBatching(3)) if batch]
    by_process = [
        list(EvaluationBatches(instances, BasicBatching(3), part)) for part in parts(count)
    ]
    # All come to the same rounds.
    assert {len(batches) for batches in by_process} == {-(-len(whole) // count)}
    in_turn = [batch["metadata"] for batches in zip(*by_process) for batch in batches if batch]
    assert in_turn == whole
