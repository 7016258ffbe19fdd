"""The vectors of a frozen transformer are AllenNLP's, and are computed once."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.data.batch import Batch
from allennlp.data.fields import TextField
from allennlp.data.instance import Instance
from allennlp.data.token_indexers import PretrainedTransformerMismatchedIndexer, TokenIndexer
from allennlp.data.tokenizers import Token
from allennlp.modules.token_embedders import (
    PretrainedTransformerMismatchedEmbedder,
    TokenEmbedder,
)
from transformers import PreTrainedTokenizerBase, T5Config, T5Model

from hmtl.common.devices import to_device
from hmtl.config.cache_settings import CacheSettings
from hmtl.data.readers import wordpiece_indexer
from hmtl.data.readers.corpus_reader import TokensInContext
from hmtl.data.readers.wordpiece_indexer import WordpieceIndexer
from hmtl.modules.embedding_cache import cache_frozen_embedders
from hmtl.modules.transformer import TRANSFORMER, TransformerEmbedder
from tests.transformer_files import KINDS, params_of, write_transformer

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


def batch_of(model: Path, texts: list[str]) -> dict:
    return indexed(texts, WordpieceIndexer(str(model)))


def indexed(texts: list[str], indexer: TokenIndexer) -> dict:
    instances = [
        Instance({"text": TextField([Token(word) for word in text.split()], {"t": indexer})})
        for text in texts
    ]
    batch = Batch(instances)
    batch.index_instances(Vocabulary())
    tensors: dict = batch.as_tensor_dict()
    return tensors["text"]["t"]


@pytest.mark.parametrize("kind", list(KINDS))
def test_wordpieces_are_allennlps(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wordpiece_indexer, "MOST_WORDS", 3)
    indexer = WordpieceIndexer(str(write_transformer(tmp_path / "model", kind=kind)))
    vocab = Vocabulary()
    # Some a second time; a word of which nothing is left, and one that is not known.
    for text in [*TEXTS, TEXTS[3], "anna \u200d \u0000 \u6771\u4eac anna Ünknöwn"]:
        tokens = [Token(word) for word in text.split(" ")]
        expected = PretrainedTransformerMismatchedIndexer.tokens_to_indices(indexer, tokens, vocab)
        assert indexer.tokens_to_indices(tokens, vocab) == expected


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_sentence_in_its_context_has_the_vectors_that_it_has_in_the_text(
    kind: str, tmp_path: Path
) -> None:
    model = write_transformer(tmp_path / "model", kind=kind)
    indexer = WordpieceIndexer(str(model))
    embedder = build(model, train_parameters=False, **params_of(kind)).eval()
    words = TEXTS[3].split()
    tokens, before, after = (
        [Token(word) for word in part] for part in (words[4:9], words[:4], words[9:])
    )
    instance = Instance({"text": TextField(TokensInContext(tokens, before, after), {"t": indexer})})
    batch = Batch([instance])
    batch.index_instances(Vocabulary())
    alone = embedder(**indexed([" ".join(words[4:9])], indexer))
    whole = embedder(**indexed([TEXTS[3]], indexer))
    tensors: dict = batch.as_tensor_dict()
    found = embedder(**tensors["text"]["t"])
    torch.testing.assert_close(found, whole[:, 4:9])
    assert not torch.allclose(found, alone, atol=1e-3)


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


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"max_length": 10},
        {"sub_token_mode": "first"},
        {"max_length": 10, "sub_token_mode": "first"},
        {"max_length": 10, "last_layer_only": False},
    ],
)
def test_vectors_are_allennlps(
    tmp_path: Path, model: Path, params: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    # AllenNLP's segments need it, and transformers 5 has it no more.
    monkeypatch.setattr(
        PreTrainedTokenizerBase,
        "build_inputs_with_special_tokens",
        lambda tokenizer, ids: [tokenizer.cls_token_id, *ids, tokenizer.sep_token_id],
        raising=False,
    )
    max_length = params.get("max_length")
    theirs = PretrainedTransformerMismatchedEmbedder(str(model), **params).eval()
    cut = indexed(TEXTS, PretrainedTransformerMismatchedIndexer(str(model), max_length=max_length))
    with torch.no_grad():
        expected = theirs(**cut) * cut["mask"].unsqueeze(-1)
    batch = batch_of(model, TEXTS)
    torch.testing.assert_close(cached(model, tmp_path, **params)(**batch), expected)
    torch.testing.assert_close(build(model, **params).eval()(**batch), expected)


def test_no_bit_depends_on_the_other_texts(tmp_path: Path, model: Path) -> None:
    together = cached(model, tmp_path / "a")(**batch_of(model, TEXTS))
    for index, text in enumerate(TEXTS):
        alone = cached(model, tmp_path / str(index))(**batch_of(model, [text]))[0]
        assert torch.equal(alone, together[index, : len(text.split())])


def test_layers_of_a_part_are_mixed(tmp_path: Path, model: Path) -> None:
    # T5's encoder has a config of its own, a copy that AllenNLP does not tell to hand out its layers.
    whole = shutil.copytree(model, tmp_path / "t5", ignore=shutil.ignore_patterns("*.safetensors"))
    size = len((model / "vocab.txt").read_text().splitlines())
    config = T5Config(vocab_size=size, d_model=16, d_kv=8, d_ff=32, num_layers=2, num_heads=2)
    encoder = T5Model(config).encoder.eval()
    T5Model(config).save_pretrained(whole)
    embedder = build(whole, sub_module="encoder", last_layer_only=False).eval()
    embedder.get_submodule(TRANSFORMER).load_state_dict(encoder.state_dict())
    batch = batch_of(model, ["i"])
    layers = encoder(batch["token_ids"], output_hidden_states=True).hidden_states[1:]
    # The mixture's weights are equal at first. The one word is the second wordpiece, after [CLS].
    torch.testing.assert_close(embedder(**batch)[0, 0], torch.stack(layers).mean(dim=0)[0, 1])
    kept = cached(whole, tmp_path, sub_module="encoder", last_layer_only=False)
    kept.load_state_dict(embedder.state_dict())
    torch.testing.assert_close(kept(**batch), embedder(**batch))


@pytest.mark.parametrize("part", ["encoder", "tail"])
def test_part_that_cannot_be_used_is_named(model: Path, part: str) -> None:
    with pytest.raises(
        ConfigurationError, match=f"sub_module is '{part}', which the model does not"
    ):
        build(model, sub_module=part)


def refuse(*arguments: object) -> None:
    raise AssertionError("computed again")


def test_a_text_is_computed_once(tmp_path: Path, model: Path, monkeypatch) -> None:
    batch = batch_of(model, TEXTS)
    first = cached(model, tmp_path)(**batch)
    monkeypatch.setattr(TransformerEmbedder, "_compute", refuse)
    assert torch.equal(cached(model, tmp_path)(**batch), first)


def test_what_training_has_computed_is_found_by_whoever_opens_the_run(
    tmp_path: Path, model: Path, monkeypatch
) -> None:
    # As files of years ago, which do not say their precision.
    older = shutil.copytree(model, tmp_path / "older")
    said = json.loads((older / "config.json").read_text())
    said.pop("dtype", said.pop("torch_dtype", None))
    (older / "config.json").write_text(json.dumps(said))
    batch, trained = batch_of(model, TEXTS), cached(older, tmp_path)
    first = trained(**batch)
    # A run keeps the weights with its own, and of the model's files only the others.
    moved = shutil.copytree(older, tmp_path / "run", ignore=shutil.ignore_patterns("*.safetensors"))
    kept = cached(moved, tmp_path, load_weights=False)
    kept.load_state_dict(trained.state_dict())
    monkeypatch.setattr(TransformerEmbedder, "_compute", refuse)
    assert torch.equal(kept(**batch), first)


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
    ],
)
def test_what_is_not_the_same_each_time_is_not_cached(
    tmp_path: Path, model: Path, params: dict, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    embedder = cached(model, tmp_path, **params)
    assert reason in caplog.text
    embedder(**batch_of(model, TEXTS))
    assert not (tmp_path / "cache").exists()


# Every kind


@pytest.fixture(scope="module")
def model_of_a_kind(tmp_path_factory: pytest.TempPathFactory, request) -> tuple[Path, dict]:
    directory = tmp_path_factory.mktemp("transformer") / request.param
    return write_transformer(directory, kind=request.param), params_of(request.param)


every_kind = pytest.mark.parametrize("model_of_a_kind", KINDS, indirect=True)


@every_kind
@pytest.mark.parametrize("keep", [True, False])
def test_vectors_of_every_kind_are_those_of_a_loop(
    tmp_path: Path, model_of_a_kind: tuple[Path, dict], keep: bool
) -> None:
    model, params = model_of_a_kind
    embedder = cached(model, tmp_path, **params) if keep else build(model, **FROZEN, **params)
    with torch.no_grad():
        vectors = embedder(**batch_of(model, TEXTS))
        for text, found in zip(TEXTS, vectors):
            expected = naive_vectors(model, text, 510, 0)
            torch.testing.assert_close(found[: len(expected)], expected, atol=1e-4, rtol=1e-4)


@every_kind
def test_every_kind_is_trained_through_all_its_layers(model_of_a_kind: tuple[Path, dict]) -> None:
    model, params = model_of_a_kind
    embedder = build(model, gradient_checkpointing=True, last_layer_only=False, **params).train()
    embedder(**batch_of(model, TEXTS)).square().sum().backward()
    weights = [each for name, each in embedder.named_parameters() if TRANSFORMER in name]
    assert weights[0].grad is not None and weights[0].grad.any()
    trained = [each.grad is not None for each in weights]
    # All but a pooler, which looks at whole texts.
    assert sum(trained) >= len(trained) - 2


def test_weights_in_half_precision_are_computed_in_full(tmp_path: Path, model: Path) -> None:
    from transformers import AutoModel

    half = shutil.copytree(model, tmp_path / "half")
    AutoModel.from_pretrained(model, dtype=torch.bfloat16).save_pretrained(half)
    embedder = build(half).eval()
    assert {each.dtype for each in embedder.parameters()} == {torch.float32}
    assert embedder(**batch_of(half, TEXTS)).dtype == torch.float32


def test_nothing_is_read_back_from_the_device(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the device "meta" there are no numbers to read."""
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda tensor: tensor)
    batch = batch_of(model, [LONG, *TEXTS])
    on_device = to_device(batch, torch.device("meta"))
    assert all(tensor.is_meta for tensor in on_device.values())
    embedder = build(model, max_length=20, overlap=6).eval()
    assert torch.equal(embedder(**on_device), embedder(**batch))


# Long texts

# Words of one to seven letters, each letter a wordpiece.
LONG = " ".join("abcdefg"[: 1 + (7 * number) % 5] for number in range(30))


def naive_vectors(model: Path, text: str, window: int, overlap: int) -> torch.Tensor:
    """Window after window through the transformer alone, then token after token."""
    from transformers import AutoModel, AutoTokenizer

    transformer, tokenizer = (
        AutoModel.from_pretrained(model).eval(),
        AutoTokenizer.from_pretrained(model),
    )
    transformer = (
        transformer.get_encoder() if transformer.config.model_type == "t5" else transformer
    )
    start = [] if tokenizer.cls_token_id is None else [tokenizer.cls_token_id]
    end = [tokenizer.sep_token_id or tokenizer.eos_token_id]
    pieces: list[int] = []
    tokens = []
    for word in text.split():
        ids = tokenizer(word, add_special_tokens=False)["input_ids"]
        tokens.append(range(len(pieces), len(pieces) + len(ids)))
        pieces += ids
    windows = []
    for first in range(0, len(pieces), window - overlap):
        ids = [*start, *pieces[first : first + window], *end]
        states = transformer(torch.tensor([ids])).last_hidden_state[0, len(start) : -1]
        windows.append((first, states))
        if first + window >= len(pieces):
            break
    vectors = []
    for token in tokens:
        contexts = [
            min(token[0] - first, first + len(states) - 1 - token[-1]) for first, states in windows
        ]
        first, states = windows[contexts.index(max(contexts))]
        vectors.append(states[token[0] - first : token[-1] - first + 1].mean(0))
    return torch.stack(vectors)


@pytest.mark.parametrize("overlap", [6, 10, 17])
@pytest.mark.parametrize("keep", [True, False])
def test_overlapping_windows_are_those_of_a_loop(
    tmp_path: Path, model: Path, overlap: int, keep: bool
) -> None:
    params = {"max_length": 20, "overlap": overlap}
    embedder = cached(model, tmp_path, **params) if keep else build(model, **params).eval()
    texts = [LONG, "a short one", LONG[40:]]
    with torch.no_grad():
        vectors = embedder(**batch_of(model, texts))
        for text, found in zip(texts, vectors):
            expected = naive_vectors(model, text, 18, overlap)
            torch.testing.assert_close(found[: len(expected)], expected)


def test_gradient_reaches_the_transformer_through_windows(model: Path) -> None:
    embedder = build(model, max_length=12, overlap=4)
    embedder(**batch_of(model, [LONG]))[0, -1].sum().backward()
    gradients = [each.grad for name, each in embedder.named_parameters() if "word_embed" in name]
    assert all(gradient is not None and gradient.any() for gradient in gradients)


def test_texts_are_cut_at_what_the_transformer_takes(model: Path) -> None:
    with torch.no_grad():
        text = " ".join([LONG] * 8)
        assert build(model).eval()(**batch_of(model, [text])).isfinite().all()


def test_mixture_that_is_trained_on_changes_what_is_kept_no_more(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = batch_of(model, TEXTS)
    params = {"last_layer_only": False}
    embedder = cached(model, tmp_path, **params)
    embedder(**batch)
    monkeypatch.setattr(TransformerEmbedder, "_compute", refuse)
    uncached = build(model, **FROZEN, **params)
    for each in (embedder, uncached):
        mixture = each.get_submodule("_matched_embedder._scalar_mix")
        with torch.no_grad():
            for number, weight in enumerate(mixture.parameters()):
                weight.fill_(0.5 + number)
    mask = batch["mask"].unsqueeze(-1)
    torch.testing.assert_close(embedder(**batch), uncached(**batch) * mask)


def test_other_windows_are_kept_apart(tmp_path: Path, model: Path) -> None:
    batch = batch_of(model, [LONG])
    one = cached(model, tmp_path, max_length=20, overlap=4)(**batch)
    other = cached(model, tmp_path, max_length=20, overlap=8)(**batch)
    assert not torch.allclose(one, other)
    assert len(list((tmp_path / "cache" / "embeddings").iterdir())) == 2


def test_vectors_are_found_again_when_the_model_has_moved(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = batch_of(model, TEXTS)
    first = cached(model, tmp_path)(**batch)
    moved = shutil.copytree(model, tmp_path / "moved")
    embedder = cached(moved, tmp_path)
    monkeypatch.setattr(TransformerEmbedder, "_compute", refuse)
    assert torch.equal(embedder(**batch), first)


def test_token_without_wordpieces_is_zero(model: Path) -> None:
    batch = batch_of(model, ["anna \u200d met"])
    with torch.no_grad():
        vectors = build(model).eval()(**batch)[0]
    assert vectors[1].eq(0).all()
    assert vectors[[0, 2]].ne(0).any(dim=1).all()


@pytest.mark.parametrize("keep", [True, False])
def test_layers_are_mixed_with_trained_weights(tmp_path: Path, model: Path, keep: bool) -> None:
    params = {**FROZEN, "last_layer_only": False}
    embedder = cached(model, tmp_path, **params) if keep else build(model, **params).train()
    embedder(**batch_of(model, TEXTS)).sum().backward()
    trained = {name for name, each in embedder.named_parameters() if each.grad is not None}
    assert trained == {
        "_matched_embedder._scalar_mix.gamma",
        *(f"_matched_embedder._scalar_mix.scalar_parameters.{layer}" for layer in range(2)),
    }


def test_gradient_checkpointing_changes_no_gradient(model: Path) -> None:
    gradients = []
    for checkpointing in (False, True):
        embedder = build(model, gradient_checkpointing=checkpointing).train()
        calls = CountingCalls(embedder)
        # For the same dropout.
        torch.manual_seed(0)
        embedder(**batch_of(model, TEXTS)).square().sum().backward()
        gradients.append([each.grad for each in embedder.parameters() if each.grad is not None])
        assert calls.count == (2 if checkpointing else 1)
    for one, other in zip(*gradients):
        torch.testing.assert_close(one, other)


class CountingCalls:
    """How often the intermediate product of the first layer is computed, at each forward or backward pass."""

    def __init__(self, embedder: TransformerEmbedder) -> None:
        self.count = 0
        layer = embedder.get_submodule(f"{TRANSFORMER}.encoder.layer.0.intermediate")
        layer.register_forward_hook(self._note)

    def _note(self, *arguments: object) -> None:
        self.count += 1


@pytest.mark.parametrize(
    "params, message",
    [
        ({"max_length": 513}, "takes 512 wordpieces at most"),
        ({"max_length": 2}, "must be more than the 2 wordpieces at the ends"),
        ({"max_length": 10, "overlap": 8}, "overlap is 8; it must be from 0 to less than 8"),
        ({"overlap": -1}, "overlap is -1"),
        ({"sub_token_mode": "last"}, "choose 'avg' or 'first'"),
    ],
)
def test_impossible_settings_are_refused(model: Path, params: dict, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        build(model, **params)


def test_segments_of_another_indexer_are_refused(model: Path) -> None:
    batch = batch_of(model, TEXTS)
    batch["segment_concat_mask"] = batch["wordpiece_mask"]
    with pytest.raises(ConfigurationError, match="here the embedder does that"):
        build(model)(**batch)


def test_missing_model_is_named(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing")
    with pytest.raises(ConfigurationError, match="model_name '.*missing' cannot be loaded"):
        build(Path(missing))
    with pytest.raises(ConfigurationError, match="model_name '.*missing' cannot be loaded"):
        WordpieceIndexer(missing)
