"""The vectors of a frozen transformer are AllenNLP's, and are computed once."""

from pathlib import Path

import pytest
import torch
from allennlp.common import Params
from allennlp.data import Vocabulary
from allennlp.data.batch import Batch
from allennlp.data.fields import TextField
from allennlp.data.instance import Instance
from allennlp.data.token_indexers import PretrainedTransformerMismatchedIndexer
from allennlp.data.tokenizers import Token
from allennlp.modules.token_embedders import (
    PretrainedTransformerMismatchedEmbedder,
    TokenEmbedder,
)

from hmtl.data_cache.settings import CacheSettings
from hmtl.modules.embedding_cache import cache_frozen_embedders
from hmtl.modules.transformer import TransformerEmbedder
from tests.transformer_files import write_transformer

TEXTS = [
    "anna met a man in rome .",
    "i",
    "anna met a man in rome .",
    "it is a long long way from oslo to the city of rome by way of the sea",
    "unbelievably it was",
    "so it was",
]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_transformer(tmp_path_factory.mktemp("transformer") / "model")


def batch_of(model: Path, texts: list[str], max_length: int | None = None) -> dict:
    indexer = PretrainedTransformerMismatchedIndexer(str(model), max_length=max_length)
    instances = [
        Instance({"text": TextField([Token(word) for word in text.split()], {"t": indexer})})
        for text in texts
    ]
    batch = Batch(instances)
    batch.index_instances(Vocabulary())
    tensors: dict = batch.as_tensor_dict()
    return tensors["text"]["t"]


def build(model: Path, **params) -> TransformerEmbedder:
    block = {"type": "pretrained_transformer_mismatched", "model_name": str(model), **params}
    embedder = TokenEmbedder.from_params(Params(block))
    assert isinstance(embedder, TransformerEmbedder)
    return embedder


FROZEN = {"train_parameters": False, "eval_mode": True}


def cached(model: Path, directory: Path, **params) -> TransformerEmbedder:
    embedder = build(model, **{**FROZEN, **params})
    cache_frozen_embedders(embedder, CacheSettings(directory / "cache", embeddings=True))
    return embedder.train()


@pytest.mark.parametrize("max_length", [None, 10])
@pytest.mark.parametrize("mode", ["avg", "first"])
def test_vectors_are_allennlps(tmp_path: Path, model: Path, max_length, mode) -> None:
    params = {"max_length": max_length, "sub_token_mode": mode}
    batch = batch_of(model, TEXTS, max_length)
    theirs = PretrainedTransformerMismatchedEmbedder(str(model), **params).eval()
    with torch.no_grad():
        expected = theirs(**batch) * batch["mask"].unsqueeze(-1)
    torch.testing.assert_close(cached(model, tmp_path, **params)(**batch), expected)


def test_no_bit_depends_on_the_other_texts(tmp_path: Path, model: Path) -> None:
    together = cached(model, tmp_path / "a")(**batch_of(model, TEXTS))
    for index, text in enumerate(TEXTS):
        alone = cached(model, tmp_path / str(index))(**batch_of(model, [text]))[0]
        assert torch.equal(alone, together[index, : len(text.split())])


def test_a_text_is_computed_once(tmp_path: Path, model: Path, monkeypatch) -> None:
    batch = batch_of(model, TEXTS)
    first = cached(model, tmp_path)(**batch)

    def refuse(*arguments: object) -> None:
        raise AssertionError("computed again")

    monkeypatch.setattr(TransformerEmbedder, "_compute", refuse)
    assert torch.equal(cached(model, tmp_path)(**batch), first)


def test_other_weights_have_other_vectors(tmp_path: Path, model: Path) -> None:
    batch = batch_of(model, TEXTS)
    first = cached(model, tmp_path)(**batch)
    other = write_transformer(tmp_path / "other", seed=1)
    embedder = cached(model, tmp_path)
    embedder.load_state_dict(build(other).state_dict())
    assert not torch.allclose(embedder(**batch), first)


def test_its_dropout_is_off_in_eval_mode(model: Path) -> None:
    batch = batch_of(model, TEXTS)
    loose, still = build(model).train(), build(model, eval_mode=True).train()
    assert not torch.equal(loose(**batch), loose(**batch))
    assert torch.equal(still(**batch), still(**batch))


@pytest.mark.parametrize(
    "params, reason",
    [
        ({"train_parameters": True}, "weights are trained"),
        ({"eval_mode": False}, "write eval_mode: true"),
        ({"last_layer_only": False}, "the mixture of its layers is trained"),
    ],
)
def test_what_is_not_the_same_each_time_is_not_cached(
    tmp_path: Path, model: Path, params: dict, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    embedder = cached(model, tmp_path, **params)
    assert reason in caplog.text
    embedder(**batch_of(model, TEXTS))
    assert not (tmp_path / "cache").exists()
