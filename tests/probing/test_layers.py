import copy
import itertools
from pathlib import Path

import numpy
import pytest
import torch
from allennlp.common.checks import ConfigurationError

from hmtl.config.loading import load_config
from hmtl.probing.layers import LayerEncoder, build_reader, choose_layers
from hmtl.probing.probed_model import load_model
from tests.probing.runs import WORDS

CPU = torch.device("cpu")
LAYERS = [
    *("text_field_embedder", "encoder_ner", "encoder_emd", "encoder_relation", "encoder_coref"),
]
SENTENCES = [
    ["Ann"],
    ["a"],
    ["She", "left", "."],
    ["unknown", "words", "only", "zzz"],
    ["Ann", "Lee", "met", "Bob", "in", "Oslo", "and", "internationalisation", "."],
]


@pytest.fixture(scope="module")
def encoder(tiny_run: Path) -> LayerEncoder:
    return load_model(tiny_run, "coref", ["all"], CPU).encoder


def test_layers_are_named_after_the_levels_from_the_bottom_up(encoder: LayerEncoder) -> None:
    assert encoder.layers == LAYERS


def test_chosen_layers_stand_from_the_bottom_up(encoder: LayerEncoder) -> None:
    assert choose_layers(encoder.model, ["encoder_emd", "text_field_embedder"]) == [
        "text_field_embedder",
        "encoder_emd",
    ]


def test_layers_tell_what_they_stack_on(tiny_run: Path) -> None:
    layers = load_model(tiny_run, "ner", ["encoder_ner"], CPU).layers
    assert {name: layer["on"] for name, layer in layers.items()} == {
        "text_field_embedder": None,
        "encoder_ner": "text_field_embedder",
        "encoder_emd": "encoder_ner",
        "encoder_relation": "encoder_emd",
        "encoder_coref": "encoder_emd",
    }


def test_unknown_layer_is_refused_with_those_there_are(encoder: LayerEncoder) -> None:
    with pytest.raises(ConfigurationError, match="'encoder_srl'.*encoder_ner.*'all'"):
        choose_layers(encoder.model, ["encoder_srl"])


def test_layer_vectors_are_means_over_the_tokens(encoder: LayerEncoder) -> None:
    # Each sentence alone has no padding: a plain mean of what the model's levels give.
    for words in SENTENCES:
        vectors = encoder.encode([words])
        instance = encoder.instance(words)
        instance.index_fields(encoder.model.vocab)
        tensors = instance["text"].as_tensor(instance["text"].get_padding_lengths())
        text = {
            name: {key: value.unsqueeze(0) for key, value in each.items()}
            for name, each in tensors.items()
        }
        with torch.no_grad():
            encoding = encoder.model.encode(text)
        levels = {f"encoder_{name}": level.encoded for name, level in encoding.levels.items()}
        for layer, tokens in {"text_field_embedder": encoding.embedded, **levels}.items():
            assert tokens.shape[1] == len(words)
            expected = sum(token.numpy() for token in tokens[0]) / len(words)
            numpy.testing.assert_allclose(vectors[layer][0], expected, atol=1e-6)


def test_vectors_do_not_depend_on_the_rest_of_the_batch(encoder: LayerEncoder) -> None:
    together = encoder.encode(SENTENCES)
    for position, words in enumerate(SENTENCES):
        alone = encoder.encode([words])
        for layer in LAYERS:
            numpy.testing.assert_allclose(together[layer][position], alone[layer][0], atol=1e-6)


def test_vectors_tell_sentences_and_layers_apart(encoder: LayerEncoder) -> None:
    vectors = encoder.encode(SENTENCES)
    for layer in LAYERS:
        for one, other in itertools.combinations(range(len(SENTENCES)), 2):
            assert numpy.abs(vectors[layer][one] - vectors[layer][other]).max() > 1e-4


def test_empty_sentence_is_taken_for_a_full_stop(encoder: LayerEncoder) -> None:
    vectors = encoder.encode([[], ["."], ["Ann", "left"]])
    for layer in LAYERS:
        numpy.testing.assert_array_equal(vectors[layer][0], vectors[layer][1])


def test_dropout_is_off(encoder: LayerEncoder) -> None:
    once, twice = encoder.encode(SENTENCES), encoder.encode(SENTENCES)
    for layer in LAYERS:
        numpy.testing.assert_array_equal(once[layer], twice[layer])


@pytest.mark.parametrize("layers", [["encoder_ner"], ["encoder_coref"], ["text_field_embedder"]])
def test_some_layers_alone_are_what_they_are_among_all(
    encoder: LayerEncoder, layers: list[str]
) -> None:
    some = LayerEncoder(encoder.model, encoder.reader, layers, CPU).encode(SENTENCES)
    assert list(some) == layers
    every = encoder.encode(SENTENCES)
    for layer in layers:
        numpy.testing.assert_allclose(some[layer], every[layer], atol=1e-6)


def test_shape_is_as_told(encoder: LayerEncoder) -> None:
    for layer, vectors in encoder.encode(SENTENCES).items():
        assert vectors.shape == (len(SENTENCES), encoder.dimension(layer))
        assert vectors.dtype == numpy.float32


def test_reader_applies_the_token_indexers_of_the_run(tiny_run: Path) -> None:
    config = load_config(tiny_run / "config.json")
    for name in ("ner", "coref"):
        block = config[f"task_{name}"]["data_params"]["dataset_reader"]
        reader = build_reader(copy.deepcopy(block))
        encoder = load_model(tiny_run, name, ["all"], CPU).encoder
        instance = LayerEncoder(encoder.model, reader, LAYERS, CPU).instance(WORDS)
        instance.index_fields(encoder.model.vocab)
        lengths = instance.get_padding_lengths()
        assert set(instance.as_tensor_dict(lengths)["text"]) == {"tokens", "token_characters"}
