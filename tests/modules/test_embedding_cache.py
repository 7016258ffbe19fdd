"""Vectors of frozen embedders are computed once, and training with them is the same to the last bit."""

import copy
import logging
from pathlib import Path

import numpy
import pytest
import torch
from allennlp.modules.elmo import batch_to_ids
from allennlp.modules.token_embedders import Embedding

from hmtl.config.cache_settings import CacheSettings
from hmtl.modules.elmo import StatelessElmoTokenEmbedder
from hmtl.modules.embedding_cache import (
    FOLDER,
    EmbeddingCache,
    cache_frozen_embedders,
    digest_of_weights,
)
from hmtl.modules.frozen_elmo import FrozenElmo
from hmtl.runs.training import train
from hmtl.training.trainer import MultiTaskTrainer
from script.torture import result_of
from tests.elmo_files import write_elmo_files
from tests.training.small_runs import Crash, small_config

TEXTS = [["Ann", "met", "Bob"], ["I"], ["Ann", "met", "Bob"], ["Of", "course", "."]]


def settings(directory: Path, **params) -> CacheSettings:
    return CacheSettings(directory / "cache", embeddings=True, **params)


def elmo(directory: Path, seed: int = 0, **params) -> StatelessElmoTokenEmbedder:
    (directory / str(seed)).mkdir(exist_ok=True)
    options, weights = write_elmo_files(directory / str(seed), seed=seed)
    return StatelessElmoTokenEmbedder(str(options), str(weights), **{"dropout": 0.0, **params})


def cached(directory: Path, *, seed: int = 0, limit: float = 1.0, **params):
    embedder = elmo(directory, seed, **params)
    cache_frozen_embedders(embedder, settings(directory, max_embeddings_gigabytes=limit))
    return embedder


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many texts, each time that any are computed."""
    counts: list[int] = []
    original = FrozenElmo.layers

    def counted(self, texts, device):
        counts.append(len(texts))
        return original(self, texts, device)

    monkeypatch.setattr(FrozenElmo, "layers", counted)
    return counts


MIXTURES = pytest.mark.parametrize(
    "params",
    [{}, {"do_layer_norm": True}, {"scalar_mix_parameters": [1.0, 2.0, 3.0]}],
    ids=["trained", "normalised", "fixed"],
)


@MIXTURES
def test_each_text_is_computed_once(tmp_path: Path, computed: list[int], params: dict) -> None:
    ids = batch_to_ids(TEXTS)
    expected = elmo(tmp_path, **params)(ids)
    computed.clear()
    embedder = cached(tmp_path, **params)
    assert torch.equal(embedder(ids), expected)
    assert torch.equal(embedder(ids), expected)
    assert torch.equal(cached(tmp_path, **params)(ids), expected)
    # One of them is there twice.
    assert computed == [len(TEXTS) - 1]


def test_the_mixture_is_trained_all_the_same(tmp_path: Path) -> None:
    embedder, plain = cached(tmp_path), elmo(tmp_path)
    for each in (embedder, plain):
        optimizer = torch.optim.SGD(each.parameters(), lr=0.1)
        for _ in range(3):
            optimizer.zero_grad()
            each(batch_to_ids(TEXTS)).square().sum().backward()
            optimizer.step()
    for (name, weight), (_, expected) in zip(embedder.named_parameters(), plain.named_parameters()):
        assert torch.equal(weight, expected), name


def test_other_weights_have_other_vectors(tmp_path: Path, computed: list[int]) -> None:
    ids = batch_to_ids(TEXTS)
    embedder = cached(tmp_path)
    first = embedder(ids)
    other = elmo(tmp_path, seed=1)
    embedder.load_state_dict(other.state_dict())
    assert torch.equal(embedder(ids), other(ids))
    assert not torch.equal(embedder(ids), first)


def test_another_fixed_mixture_has_other_vectors(tmp_path: Path) -> None:
    ids = batch_to_ids(TEXTS)
    cached(tmp_path, scalar_mix_parameters=[1.0, 2.0, 3.0])(ids)
    params: dict = {"scalar_mix_parameters": [3.0, 2.0, 1.0]}
    assert torch.equal(cached(tmp_path, **params)(ids), elmo(tmp_path, **params)(ids))


def test_what_is_trained_for_a_while_is_not_mistaken(tmp_path: Path) -> None:
    ids = batch_to_ids(TEXTS)
    embedder = cached(tmp_path)
    embedder(ids)
    for chosen in ("scalar_mix", "_elmo_lstm"):
        weights = [w for name, w in embedder.named_parameters() if chosen in name]
        for wanted in (False, True):
            for weight in weights:
                weight.requires_grad_(wanted)
            embedder(ids)
        with torch.no_grad():
            for weight in weights:
                weight.add_(0.1)
        for weight in weights:
            weight.requires_grad_(False)
        plain = elmo(tmp_path)
        plain.load_state_dict(embedder.state_dict())
        assert torch.equal(embedder(ids), plain(ids))


def test_a_full_cache_computes_the_rest(tmp_path: Path, computed: list[int], caplog) -> None:
    ids = batch_to_ids(TEXTS)
    expected = elmo(tmp_path)(ids)
    computed.clear()
    width = 4 * 5
    embedder = cached(tmp_path, limit=6 * width * 4 / 10**9)
    with caplog.at_level(logging.WARNING, logger="hmtl"):
        for _ in range(3):
            assert torch.equal(embedder(ids), expected)
    # Of texts of 5, 3 and 5 rows, counted with their ends, the first fits.
    assert computed == [3, 2, 2]
    assert "reached its limit" in caplog.text and len(caplog.records) == 1


def test_what_nobody_uses_makes_way(tmp_path: Path) -> None:
    ids = batch_to_ids(TEXTS)
    embedder = cached(tmp_path)
    embedder(ids)
    folder = tmp_path / "cache" / FOLDER
    (first,) = folder.iterdir()
    size = sum(file.stat().st_size for file in first.iterdir())
    # Still open: it stays.
    cached(tmp_path, seed=1, limit=size / 10**9)(ids)
    assert first.is_dir()
    embedder.load_state_dict(elmo(tmp_path, seed=2).state_dict())
    embedder(ids)
    cached(tmp_path, seed=3, limit=size / 10**9)(ids)
    assert not first.exists()


def test_a_cache_that_cannot_be_made_is_one_warning(tmp_path: Path, caplog) -> None:
    (tmp_path / "cache").write_text("")
    embedder = cached(tmp_path)
    with caplog.at_level(logging.WARNING, logger="hmtl"):
        for _ in range(2):
            embedder(batch_to_ids(TEXTS))
    assert len(caplog.records) == 1
    assert "are not kept" in caplog.text


def test_a_copy_of_a_model_works_apart(tmp_path: Path) -> None:
    embedder = cached(tmp_path)
    ids = batch_to_ids(TEXTS)
    first = embedder(ids)
    twin = copy.deepcopy(embedder)
    twin.load_state_dict(elmo(tmp_path, seed=1).state_dict())
    assert torch.equal(twin(ids), elmo(tmp_path, seed=1)(ids))
    assert torch.equal(embedder(ids), first)


def test_trained_weights_are_not_cached(tmp_path: Path, caplog) -> None:
    with caplog.at_level(logging.WARNING, logger="hmtl"):
        embedder = cached(tmp_path, requires_grad=True)
    assert "its weights are trained" in caplog.text
    embedder(batch_to_ids(TEXTS))
    assert not (tmp_path / "cache").exists()


def test_a_model_without_such_an_embedder_is_told(tmp_path: Path, caplog) -> None:
    with caplog.at_level(logging.WARNING, logger="hmtl"):
        cache_frozen_embedders(Embedding(2, num_embeddings=3), settings(tmp_path))
    assert "no embedder of the model can be cached" in caplog.text


def test_nothing_is_kept_unless_asked(tmp_path: Path) -> None:
    embedder = elmo(tmp_path)
    cache_frozen_embedders(embedder, CacheSettings(tmp_path / "cache"))
    embedder(batch_to_ids(TEXTS))
    assert not (tmp_path / "cache").exists()


def test_single_numbers_among_the_weights_count() -> None:
    digests = {digest_of_weights([torch.tensor(value)]) for value in (1.0, 2.0, 2)}
    assert len(digests | {digest_of_weights([torch.tensor([1.0])])}) == 4


def test_rows_are_given_in_the_order_of_the_keys(tmp_path: Path) -> None:
    cache = EmbeddingCache("x", tmp_path, 10**6)

    def compute(positions: list[int]) -> list[numpy.ndarray]:
        return [numpy.full((1, 1), position, numpy.float32) for position in positions]

    keys = [bytes([number]) * 16 for number in (3, 1, 3, 2)]
    assert [float(rows[0, 0]) for rows in cache.rows("d", keys, compute)] == [0, 1, 0, 3]
    again = cache.rows("d", keys[::-1], compute)
    assert [float(rows[0, 0]) for rows in again] == [3, 0, 1, 0]


def elmo_run(tmp_path: Path, name: str, **cache) -> Path:
    """A run of two tasks over words and ELMo; returns its directory."""
    options, weights = write_elmo_files(tmp_path)
    directory = tmp_path / name
    train(run_config(options, weights, cache), directory, recover=False, force=False)
    return directory


def run_config(options: Path, weights: Path, cache: dict) -> dict:
    indexers = {"tokens": {"type": "single_id"}, "elmo": {"type": "elmo_characters"}}
    embedders = {
        "tokens": {"type": "embedding", "embedding_dim": 4},
        "elmo": {
            "type": "elmo_token_embedder",
            "options_file": str(options),
            "weight_file": str(weights),
            "dropout": 0.0,
        },
    }
    return small_config(
        task_ner__data_params__dataset_reader__token_indexers=indexers,
        task_relation__data_params__dataset_reader__token_indexers=indexers,
        model__text_field_embedder__token_embedders=embedders,
        cache=cache,
    )


def test_runs_are_the_same_with_a_cold_a_warm_and_no_cache(
    tmp_path: Path, computed: list[int]
) -> None:
    cache = {"directory": str(tmp_path / "cache"), "embeddings": True}
    results = [result_of(elmo_run(tmp_path, "none"))]
    without = sum(computed)
    for name in ("cold", "warm"):
        computed.clear()
        results.append(result_of(elmo_run(tmp_path, name, **cache)))
        assert sum(computed) < without / 2
    assert sum(computed) == 0
    full = {**cache, "directory": str(tmp_path / "full"), "max_embeddings_gigabytes": 1e-5}
    results.append(result_of(elmo_run(tmp_path, "full", **full)))
    assert all(result == results[0] for result in results[1:])


def test_a_run_goes_on_without_the_cache_as_if_nothing_had_been(
    tmp_path: Path, monkeypatch
) -> None:
    options, weights = write_elmo_files(tmp_path)
    cache = {"directory": str(tmp_path / "cache"), "embeddings": True}
    train(run_config(options, weights, cache), tmp_path / "whole", recover=False, force=False)

    original = MultiTaskTrainer.checkpoint
    left = [2]

    def checkpoint(self, *arguments, **others):
        original(self, *arguments, **others)
        left[0] -= 1
        if not left[0]:
            raise Crash

    monkeypatch.setattr(MultiTaskTrainer, "checkpoint", checkpoint)
    with pytest.raises(Crash):
        train(run_config(options, weights, cache), tmp_path / "cut", recover=False, force=False)
    monkeypatch.setattr(MultiTaskTrainer, "checkpoint", original)
    train(run_config(options, weights, {}), tmp_path / "cut", recover=True, force=False)
    assert result_of(tmp_path / "cut") == result_of(tmp_path / "whole")


@pytest.mark.parametrize("shape", [(), (2, 3)])
def test_digest_tells_weights_of_any_shape_apart(shape: tuple[int, ...]) -> None:
    ones, twos = torch.full(shape, 1.0), torch.full(shape, 2.0)
    assert digest_of_weights([ones]) == digest_of_weights([ones.clone()])
    assert digest_of_weights([ones]) != digest_of_weights([twos])
