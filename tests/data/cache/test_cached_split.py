"""Instances in arrays make the batches that AllenNLP's own make."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from allennlp.common import Params
from allennlp.data import DatasetReader, Instance, TokenIndexer, Vocabulary
from allennlp.data.fields import LabelField, ListField, TextField
from allennlp.data.token_indexers import SingleIdTokenIndexer

from hmtl.common.array_file import read_arrays, write_arrays
from hmtl.data.batch_stream import collate, sources_of
from hmtl.data.batching import field_length
from hmtl.data.cache.cached_split import CachedSplit
from hmtl.data.cache.columns import NotRepresentable
from tests.fixtures import write_corpus
from tests.transformer_files import write_transformer

TOKENWISE = {
    "tokens": {"type": "single_id", "lowercase_tokens": True},
    "token_characters": {"type": "characters", "min_padding_length": 3},
    "elmo": {"type": "elmo_characters"},
}
WITH_ENDS = {
    "tokens": {"type": "single_id", "start_tokens": ["<s>"], "token_min_padding_length": 9},
    "token_characters": {"type": "characters", "end_tokens": ["</s>"], "min_padding_length": 3},
}
READERS: dict[str, tuple[dict, str]] = {
    "ner": ({"type": "ner_ontonotes", "coding_scheme": "BIOUL"}, "ontonotes/ner/train"),
    "relation": (
        {"type": "relation_ace", "skip_sentences_without_relations": False},
        "ace/train",
    ),
    "coref": ({"type": "coref", "max_span_width": 3}, "ontonotes/train.gold_conll"),
    "label": ({"type": "text_table", "tokenized": True}, "texts.tsv"),
    "labels": ({"type": "text_table", "label_separator": "+", "tokenized": True}, "texts.tsv"),
}
TEXTS = "text\tlabel\nAnn eats soup.\tfood\nBob runs.\tsport\nHe eats and runs\tfood+sport\n"


def read(root: Path, task: str, indexers: dict) -> list[Instance]:
    block, path = READERS[task]
    # `from_params` takes apart what it is given.
    block = copy.deepcopy({**block, "token_indexers": indexers})
    (root / "texts.tsv").write_text(TEXTS)
    reader = DatasetReader.from_params(Params(block))
    return list(reader.read(str(root / path)))


def metadata_of(instance: Instance) -> dict:
    field: Any = instance["metadata"]
    return field.metadata


def through_a_file(split: CachedSplit, directory: Path, indexers: dict) -> CachedSplit:
    write_arrays(directory / "split", split.content, split.to_arrays())
    return CachedSplit.loaded(read_arrays(directory / "split"), indexers)


def assert_same(batch, expected) -> None:
    assert type(batch) is type(expected)
    if isinstance(expected, dict):
        assert list(batch) == list(expected)
        for name in expected:
            assert_same(batch[name], expected[name])
    elif isinstance(expected, torch.Tensor):
        assert batch.dtype == expected.dtype and torch.equal(batch, expected)
    else:
        # Tuples and lists are told apart.
        assert repr(batch) == repr(expected)


@pytest.mark.parametrize("task", READERS)
@pytest.mark.parametrize("indexers", [TOKENWISE, WITH_ENDS], ids=["tokenwise", "with ends"])
def test_batches_are_the_same(tmp_path: Path, task: str, indexers: dict) -> None:
    instances = read(write_corpus(tmp_path), task, indexers)
    # Half of the words are unknown.
    vocab = Vocabulary.from_instances(instances, max_vocab_size={"tokens": 5})
    split = CachedSplit.of(instances, vocab)
    built = {name: TokenIndexer.from_params(Params(dict(b))) for name, b in indexers.items()}
    loaded = through_a_file(split, tmp_path, built)
    for instance in instances:
        instance.index_fields(vocab)
    for first in range(len(instances)):
        for cached in (split, loaded):
            chosen = cached[first : first + 3]
            assert_same(collate(chosen), collate(instances[first : first + 3]))
            assert field_length(cached[first], "text") == field_length(instances[first], "text")
        # Of two splits, AllenNLP makes the batch out of the fields.
        mixed = [*split[first : first + 1], *loaded[first + 1 : first + 3]]
        assert_same(collate(mixed), collate(instances[first : first + 3]))


@pytest.mark.parametrize("max_length", [None, 8])
def test_batches_of_wordpieces_are_the_same(tmp_path: Path, max_length) -> None:
    model = write_transformer(tmp_path / "model")
    block = {
        "type": "pretrained_transformer_mismatched",
        "model_name": str(model),
        "max_length": max_length,
    }
    instances = read(write_corpus(tmp_path), "coref", {"tokens": block})
    vocab = Vocabulary()
    split = CachedSplit.of(instances, vocab)
    loaded = through_a_file(
        split, tmp_path, {"tokens": TokenIndexer.from_params(Params(dict(block)))}
    )
    for instance in instances:
        instance.index_fields(vocab)
    assert_same(collate(loaded[:]), collate(instances))
    assert_same(collate([split[0], *loaded[1:]]), collate(instances))


def test_a_batch_tells_its_sources(tmp_path: Path) -> None:
    instances = read(write_corpus(tmp_path), "ner", TOKENWISE)
    split = CachedSplit.of(instances, Vocabulary.from_instances(instances))
    sources = sources_of(collate(split[:2]))
    assert len(sources) == 2 and sources[0].endswith("a.v4_gold_conll:2")


def test_a_split_is_a_sequence(tmp_path: Path) -> None:
    instances = read(write_corpus(tmp_path), "ner", TOKENWISE)
    split = CachedSplit.of(instances, Vocabulary.from_instances(instances))
    assert len(split) == len(list(split)) == len(instances)
    words = [metadata_of(instance)["words"] for instance in split]
    assert words == [metadata_of(instance)["words"] for instance in instances]
    assert metadata_of(split[-1]) == metadata_of(instances[-1])
    with pytest.raises(IndexError):
        split[len(instances)]


def test_documents_are_known(tmp_path: Path) -> None:
    instances = read(write_corpus(tmp_path), "coref", TOKENWISE)
    split = CachedSplit.of(instances, Vocabulary.from_instances(instances))
    names = {metadata_of(instance)["document"] for instance in instances}
    assert split.documents == through_a_file(split, tmp_path, {}).documents == names


def test_a_vocabulary_cannot_be_made_of_indexed_instances(tmp_path: Path) -> None:
    instances = read(write_corpus(tmp_path), "ner", TOKENWISE)
    split = CachedSplit.of(instances, Vocabulary.from_instances(instances))
    with pytest.raises(TypeError, match="read_corpora"):
        Vocabulary.from_instances(split)


def test_unknown_fields_are_refused() -> None:
    with pytest.raises(NotRepresentable, match="ListField"):
        CachedSplit.of(
            [Instance({"labels": ListField([LabelField(0, skip_indexing=True)])})], Vocabulary()
        )


def test_instances_with_different_fields_are_refused() -> None:
    def text() -> TextField:
        return TextField([], {"tokens": SingleIdTokenIndexer()})

    instances = [Instance({"text": text()}), Instance({"text": text(), "other": text()})]
    with pytest.raises(NotRepresentable, match="same fields"):
        CachedSplit.of(instances, Vocabulary())
