from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.modules.elmo import batch_to_ids
from allennlp.modules.token_embedders import TokenEmbedder

from hmtl.modules.elmo import StatelessElmoTokenEmbedder
from hmtl.modules.frozen_elmo import FrozenElmo
from hmtl.modules.shared_runs import runs_shared
from tests.elmo_files import write_elmo_files

TEXTS = [["Ann", "met", "Bob", "in", "Oslo"], ["I"], ["Of", "course", "."]]


def build(directory: Path, **params) -> StatelessElmoTokenEmbedder:
    options_file, weight_file = write_elmo_files(directory)
    block = {
        "type": "elmo_token_embedder",
        "options_file": str(options_file),
        "weight_file": str(weight_file),
        "do_layer_norm": False,
        "dropout": 0.0,
        **params,
    }
    embedder = TokenEmbedder.from_params(Params(block))
    assert isinstance(embedder, StatelessElmoTokenEmbedder)
    return embedder


def test_a_text_has_the_same_vectors_whatever_was_read_before(tmp_path: Path) -> None:
    # AllenNLP's embedder carries the states of its LSTMs from one batch to the next.
    embedder = build(tmp_path)
    ids = batch_to_ids(TEXTS)
    first = embedder(ids)
    embedder(batch_to_ids([["Something", "else"]] * 4))
    assert torch.equal(embedder(ids), first)


def test_copies_with_the_same_weights_share_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedder = build(tmp_path)
    copy = deepcopy(embedder, {id(weight): weight for weight in embedder.parameters()})
    ids = batch_to_ids(TEXTS)
    expected = embedder(ids)
    runs: list[int] = []
    layers = FrozenElmo.layers

    def counting(elmo: FrozenElmo, texts: Any, device: torch.device) -> Any:
        runs.append(len(texts))
        return layers(elmo, texts, device)

    monkeypatch.setattr(FrozenElmo, "layers", counting)
    with runs_shared():
        assert torch.equal(embedder(ids), expected) and torch.equal(copy(ids), expected)
        embedder(ids[:1])
    assert runs == [3, 1]
    copy(ids)
    assert runs == [3, 1, 3]


def test_texts_alone_are_as_in_a_padded_batch(tmp_path: Path) -> None:
    embedder = build(tmp_path)
    together = embedder(batch_to_ids(TEXTS))
    for index, text in enumerate(TEXTS):
        alone = embedder(batch_to_ids([text]))[0]
        torch.testing.assert_close(together[index, : len(text)], alone)


def test_elmo_is_frozen_but_for_the_weights_of_its_layers(tmp_path: Path) -> None:
    embedder = build(tmp_path)
    trained = [name for name, weight in embedder.named_parameters() if weight.requires_grad]
    assert trained and all("scalar_mix" in name for name in trained)
    embedder(batch_to_ids(TEXTS)).sum().backward()


def test_elmo_can_be_trained(tmp_path: Path) -> None:
    embedder = build(tmp_path, requires_grad=True)
    embedder(batch_to_ids(TEXTS)).sum().backward()
    trained = [name for name, weight in embedder.named_parameters() if weight.requires_grad]
    assert any("forward_layer_1" in name for name in trained)


@pytest.mark.parametrize("params, width", [({}, 8), ({"projection_dim": 3}, 3)])
def test_elmo_tells_its_width(tmp_path: Path, params, width) -> None:
    embedder = build(tmp_path, **params)
    assert embedder(batch_to_ids(TEXTS)).shape == (3, 5, width)
    assert embedder.get_output_dim() == width


def test_a_fixed_mixture_of_one_layer_is_that_layer(tmp_path: Path) -> None:
    embedder = build(tmp_path, scalar_mix_parameters=[0.0, -9e10, -9e10])
    vectors = embedder(batch_to_ids([["same", "same", "other"]]))[0]
    # The lowest layer does not look beyond the word.
    torch.testing.assert_close(vectors[0], vectors[1])
    assert not torch.allclose(vectors[0], vectors[2])


def test_training_goes_on_after_validation(tmp_path: Path) -> None:
    embedder = build(tmp_path)
    with torch.inference_mode():
        embedder(batch_to_ids(TEXTS))
    embedder(batch_to_ids(TEXTS[:2])).sum().backward()


@pytest.mark.parametrize("kind", ["options_file", "weight_file"])
@pytest.mark.parametrize("content", [None, b"", b"{}", b"neither"])
def test_files_that_are_no_elmo_are_an_error_that_names_them(tmp_path, kind, content) -> None:
    path = tmp_path / "other"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=f"ELMo cannot be made from .*{kind} {path}"):
        build(tmp_path, **{kind: str(path)})


def test_files_of_two_elmos_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    _, weight_file = write_elmo_files(tmp_path / "other", projection_dim=6)
    with pytest.raises(ConfigurationError, match="ELMo cannot be made"):
        build(tmp_path, weight_file=str(weight_file))
