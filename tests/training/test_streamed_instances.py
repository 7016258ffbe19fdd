"""Splits larger than memory: the same batches, a part at a time."""

import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from allennlp.common.checks import ConfigurationError
from allennlp.data import Instance, Vocabulary
from allennlp.data.fields import MetadataField
from allennlp.data.token_indexers import SingleIdTokenIndexer

from hmtl.data.batch_stream import PREFETCHED, BatchStream
from hmtl.data.batching import BasicBatching, Batching, BucketBatching
from hmtl.data.readers.corpus_reader import CorpusReader
from hmtl.data.streamed_instances import StreamedInstances, chunks_of
from hmtl.errors import DataError
from hmtl.runs.training import train
from script.torture import result_of
from tests.training.small_runs import Crash, CrashAtStep, small_config

NUM_INSTANCES = 23
BATCH_SIZE = 3
VOCAB = Vocabulary()


def instance_of(number: int) -> Instance:
    text = CorpusReader.text_field(["w"] * (1 + number % 5))
    text.token_indexers = {"tokens": SingleIdTokenIndexer()}
    instance = Instance({"text": text, "metadata": MetadataField(number)})
    instance.index_fields(VOCAB)
    return instance


def read() -> Iterator[Instance]:
    return (instance_of(number) for number in range(NUM_INSTANCES))


class Marker:
    """Lives as long as its instance, or a batch with it."""


def take(stream: BatchStream, count: int) -> list[list[int]]:
    return [stream.next_batch()["metadata"] for _ in range(count)]


def test_chunks_hold_every_instance_in_order() -> None:
    chunks = StreamedInstances(read, 10).chunks()
    numbers = [[instance["metadata"].metadata for instance in chunk] for chunk in chunks]  # type: ignore[attr-defined]
    assert numbers == [list(range(10)), list(range(10, 20)), [20, 21, 22]]


def test_list_is_one_chunk() -> None:
    instances = list(read())
    assert list(chunks_of(instances)) == [instances]


@pytest.mark.parametrize("batching", [BasicBatching(BATCH_SIZE), BucketBatching(BATCH_SIZE)])
def test_chunk_that_holds_all_gives_the_batches_of_a_list(batching: Batching) -> None:
    streamed = BatchStream(StreamedInstances(read, 100), batching, seed=1)
    listed = BatchStream(list(read()), batching, seed=1)
    assert len(streamed) == len(listed)
    assert take(streamed, 20) == take(listed, 20)


def test_stream_gives_each_instance_once_a_pass_and_chunks_in_another_order_each() -> None:
    stream = BatchStream(StreamedInstances(read, 10), BasicBatching(BATCH_SIZE), seed=1)
    assert len(stream) == 4 + 4 + 1
    passes = [take(stream, len(stream)) for _ in range(3)]
    for batches in passes:
        assert sorted(number for batch in batches for number in batch) == list(range(NUM_INSTANCES))
    assert passes[0] != passes[1] != passes[2]
    first, second = passes[0][:4], passes[0][4:8]
    assert [[number - 10 for number in batch] for batch in second] != first


@pytest.mark.parametrize("consumed", [0, 1, 4, 8, 9, 10, 20])
def test_stream_goes_on_from_its_state(consumed: int) -> None:
    def stream() -> BatchStream:
        return BatchStream(StreamedInstances(read, 10), BucketBatching(BATCH_SIZE), seed=1)

    whole = stream()
    take(whole, consumed)
    other = stream()
    take(other, 2)
    other.load_state_dict(whole.state_dict())
    assert take(other, 12) == take(whole, 12)


@pytest.mark.parametrize("max_in_memory", [4, 8])
def test_no_more_than_a_chunk_is_in_memory(max_in_memory: int) -> None:
    living: weakref.WeakSet[Marker] = weakref.WeakSet()
    most = 0

    def read_counted() -> Iterator[Instance]:
        nonlocal most
        for number in range(200):
            instance, marker = instance_of(number), Marker()
            instance.fields["metadata"] = MetadataField(marker)
            living.add(marker)
            most = max(most, len(living))
            yield instance
            del instance, marker

    batching = BasicBatching(BATCH_SIZE)
    stream = BatchStream(StreamedInstances(read_counted, max_in_memory), batching, seed=1)
    for _ in range(3 * len(stream)):
        stream.next_batch()
    # Beside the chunk: the batches made ahead, and the one that may turn out to be a pass's last.
    assert most <= max_in_memory + (PREFETCHED + 1) * BATCH_SIZE


def test_chunks_are_prepared_before_they_are_used() -> None:
    instances = StreamedInstances(read, 10)
    prepared: list[int] = []

    def prepare(chunk: list[Instance]) -> list[Instance]:
        prepared.append(len(chunk))
        return chunk

    instances.prepare_with(prepare)
    for _ in instances.chunks():
        pass
    assert prepared == [10, 10, 3]
    assert len(list(instances)) == NUM_INSTANCES
    assert prepared == [10, 10, 3]


def test_limit_must_be_positive() -> None:
    with pytest.raises(ConfigurationError, match="max_instances_in_memory is 0"):
        StreamedInstances(read, 0)


def test_streamed_run_recovers_to_the_uninterrupted_one(
    tmp_path: Path, build_with: Callable
) -> None:
    config = small_config(task_ner__data_params__max_instances_in_memory=3)
    train(config, tmp_path / "whole", recover=False, force=False)
    build_with(CrashAtStep(8))
    with pytest.raises(Crash):
        train(config, tmp_path / "run", recover=False, force=False)
    build_with()
    train(config, tmp_path / "run", recover=True, force=False)
    assert result_of(tmp_path / "whole").differences(result_of(tmp_path / "run")) == []


def test_malformed_sentence_far_into_a_streamed_corpus_is_found_before_training(
    tmp_path: Path,
) -> None:
    good = "a O\n\nb B-PER\n\n" * 50
    (tmp_path / "train").write_text(good + "c B-X Y\n")
    (tmp_path / "dev").write_text(good)
    reader = {
        "type": "conll2003",
        "coding_scheme": "BIOUL",
        "label_namespace": "ontonotes_ner_labels",
    }
    indexers = small_config()["task_ner"]["data_params"]["dataset_reader"]["token_indexers"]
    config = small_config(tasks=["ner"], data_root=str(tmp_path))
    config["task_ner"]["data_params"] = {
        "dataset_reader": {**reader, "token_indexers": indexers},
        "train_data_path": "train",
        "validation_data_path": "dev",
        "test_data_path": "dev",
        "max_instances_in_memory": 7,
    }
    with pytest.raises(DataError, match="train:201: name tag"):
        train(config, tmp_path / "run", recover=False, force=False)
