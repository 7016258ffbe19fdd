from collections.abc import Sequence
from pathlib import Path

import numpy
import pytest
import torch

from hmtl.probing.features import FeatureStore
from hmtl.probing.layers import LayerEncoder
from hmtl.probing.probed_model import load_model

# Longer than a batch, of mixed lengths, with duplicates and an empty one.
SENTENCES = [["Ann", "left", "Oslo"][: number % 4] + ["x"] * (number % 7) for number in range(140)]


class CountingEncoder(LayerEncoder):
    """Counts the sentences that it is given; may fail at one."""

    encoded = 0
    most = 10**9

    def encode(self, sentences: Sequence[Sequence[str]]) -> dict[str, numpy.ndarray]:
        self.encoded += len(sentences)
        if self.encoded > self.most:
            raise RuntimeError("interrupted")
        return super().encode(sentences)


@pytest.fixture
def encoder(tiny_run: Path) -> CountingEncoder:
    whole = load_model(tiny_run, "ner", ["all"], torch.device("cpu")).encoder
    return CountingEncoder(whole.model, whole.reader, whole.layers, whole.device)


def test_vectors_come_in_the_order_of_the_sentences(
    encoder: CountingEncoder, tmp_path: Path
) -> None:
    vectors = FeatureStore(encoder, tmp_path / "features", "model").open("Tense", SENTENCES)
    assert list(vectors) == encoder.layers
    for position in (0, 1, 2, 77, 139):
        alone = encoder.encode([SENTENCES[position]])
        for layer, each in vectors.items():
            numpy.testing.assert_allclose(each.take([position])[0], alone[layer][0], atol=1e-6)


def test_vectors_of_a_range_are_those_of_its_positions(
    encoder: CountingEncoder, tmp_path: Path
) -> None:
    vectors = FeatureStore(encoder, tmp_path, "model").open("Tense", SENTENCES)["encoder_ner"]
    taken = vectors.take(range(10, 20))
    assert taken.shape == (10, encoder.dimension("encoder_ner"))
    for offset in range(10):
        numpy.testing.assert_array_equal(taken[offset], vectors.take([10 + offset])[0])


def test_sentences_are_encoded_once(encoder: CountingEncoder, tmp_path: Path) -> None:
    first = FeatureStore(encoder, tmp_path, "model").open("Tense", SENTENCES)
    again = FeatureStore(encoder, tmp_path, "model").open("Tense", SENTENCES)
    assert encoder.encoded == len(SENTENCES)
    everything = range(len(SENTENCES))
    for layer in first:
        numpy.testing.assert_array_equal(
            first[layer].take(everything), again[layer].take(everything)
        )


def test_layer_that_is_missing_is_added(encoder: CountingEncoder, tmp_path: Path) -> None:
    store = FeatureStore(encoder, tmp_path, "model")
    encoder.layers = ["encoder_ner"]
    store.open("Tense", SENTENCES)
    encoder.layers = ["encoder_ner", "encoder_emd"]
    assert set(store.open("Tense", SENTENCES)) == {"encoder_ner", "encoder_emd"}
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("model, extra", [("another model", []), ("model", [["new"]])])
def test_vectors_of_another_model_or_other_sentences_are_computed_and_replace_the_old(
    encoder: CountingEncoder, tmp_path: Path, model: str, extra: list[list[str]]
) -> None:
    FeatureStore(encoder, tmp_path, "model").open("Tense", SENTENCES)
    before = set(tmp_path.iterdir())
    FeatureStore(encoder, tmp_path, "model").open("Length", SENTENCES)
    of_length = set(tmp_path.iterdir()) - before
    encoder.encoded = 0
    FeatureStore(encoder, tmp_path, model).open("Tense", SENTENCES + extra)
    assert encoder.encoded == len(SENTENCES) + len(extra)
    after = set(tmp_path.iterdir())
    assert not before & after
    assert of_length <= after
    assert len(after) == len(before) + len(of_length)


@pytest.mark.parametrize("damage", [b"", b"\x93NUMPY nothing", None])
def test_damaged_file_is_computed_again(
    encoder: CountingEncoder, tmp_path: Path, damage: bytes | None
) -> None:
    store = FeatureStore(encoder, tmp_path, "model")
    expected = store.open("Tense", SENTENCES)["encoder_emd"].take(range(len(SENTENCES)))
    for path in tmp_path.iterdir():
        # `None`: cut off in its middle.
        path.write_bytes(path.read_bytes()[:300] if damage is None else damage)
    found = store.open("Tense", SENTENCES)["encoder_emd"].take(range(len(SENTENCES)))
    numpy.testing.assert_array_equal(found, expected)
    assert encoder.encoded == 2 * len(SENTENCES)


def test_interruption_leaves_no_file(encoder: CountingEncoder, tmp_path: Path) -> None:
    encoder.most = 130
    with pytest.raises(RuntimeError, match="interrupted"):
        FeatureStore(encoder, tmp_path, "model").open("Tense", SENTENCES)
    assert list(tmp_path.iterdir()) == []
