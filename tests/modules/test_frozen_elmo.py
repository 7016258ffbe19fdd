"""A frozen ELMo gives AllenNLP's vectors, and the same to the last bit in any company."""

import random
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch
from allennlp.modules.elmo import batch_to_ids
from allennlp.modules.token_embedders import ElmoTokenEmbedder

from hmtl.modules.elmo import StatelessElmoTokenEmbedder
from hmtl.modules.few_calls import few_calls_everywhere
from tests.elmo_files import write_elmo_files

# More texts than go through a product together, some longer than a block of tokens.
LENGTHS = [*range(1, 20), 70, 3]


@pytest.fixture(params=["as on a CPU", "few calls"])
def calls(request: pytest.FixtureRequest) -> Iterator[None]:
    with few_calls_everywhere() if request.param == "few calls" else nullcontext():
        yield


def texts(seed: int = 0) -> list[list[str]]:
    rng = random.Random(seed)
    return [["".join(rng.choices("abcd", k=rng.randint(1, 4))) for _ in range(n)] for n in LENGTHS]


def embedders(
    directory: Path, widths: tuple[int, int] = (7, 37), **params
) -> tuple[StatelessElmoTokenEmbedder, ElmoTokenEmbedder]:
    options, weights = write_elmo_files(directory, *widths)
    paths, params = (str(options), str(weights)), {"dropout": 0.0, **params}
    return StatelessElmoTokenEmbedder(*paths, **params), ElmoTokenEmbedder(*paths, **params)


@pytest.mark.usefixtures("calls")
@pytest.mark.parametrize(
    "params",
    [
        {},
        {"do_layer_norm": True},
        {"projection_dim": 3},
        {"scalar_mix_parameters": [0.1, 0.2, 0.3]},
        {"scalar_mix_parameters": [0.1, 0.2, 0.3], "do_layer_norm": True},
    ],
    ids=lambda params: "-".join(params) or "defaults",
)
def test_vectors_and_gradients_are_allennlps(tmp_path: Path, params: dict) -> None:
    ours, theirs = embedders(tmp_path, **params)
    theirs.load_state_dict(ours.state_dict())
    ids = batch_to_ids(texts())
    vectors, expected = ours(ids), theirs(ids)
    torch.testing.assert_close(vectors, expected)
    if expected.requires_grad:
        torch.manual_seed(0)
        direction = torch.randn_like(expected)
        (vectors * direction).sum().backward()
        (expected * direction).sum().backward()
        for name, weight in theirs.named_parameters():
            if weight.requires_grad:
                torch.testing.assert_close(ours.get_parameter(name).grad, weight.grad)
    assert ours.state_dict().keys() == theirs.state_dict().keys()


@pytest.mark.parametrize("num_threads", [1, 2, 3])
def test_no_bit_depends_on_the_other_texts(tmp_path: Path, num_threads: int) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(num_threads)
    try:
        embedder, _ = embedders(tmp_path)
        ids = batch_to_ids(texts())
        together = embedder(ids)
        order = torch.randperm(len(ids))
        assert torch.equal(embedder(ids[order]), together[order])
        for index, text in enumerate(texts()):
            assert torch.equal(embedder(batch_to_ids([text]))[0], together[index, : len(text)])
        for company in (1, 2, 5, 16):
            some = batch_to_ids(texts()[-company:])
            assert torch.equal(embedder(some), together[-company:, : some.shape[1]])
    finally:
        torch.set_num_threads(before)


def test_no_bit_depends_on_the_other_texts_in_few_calls(tmp_path: Path) -> None:
    # As in any released ELMo, widths that are multiples of 16. Twice as many texts as go together.
    embedder, _ = embedders(tmp_path, widths=(16, 48))
    all_texts = [*texts(), *texts(1), *texts(2)]
    with few_calls_everywhere():
        together = embedder(batch_to_ids(all_texts))
        for index in (0, 20, 40, 61):
            alone = embedder(batch_to_ids([all_texts[index]]))[0]
            assert torch.equal(alone, together[index, : len(alone)])


def test_dimensions_before_the_batch_remain(tmp_path: Path) -> None:
    embedder, _ = embedders(tmp_path)
    ids = batch_to_ids(texts()[:6])
    folded = embedder(ids.reshape(2, 3, *ids.shape[1:]))
    assert torch.equal(folded.reshape(6, *folded.shape[2:]), embedder(ids))


def test_dropout_is_on_in_training_only(tmp_path: Path) -> None:
    embedder, _ = embedders(tmp_path, dropout=0.5)
    ids = batch_to_ids(texts()[:3])
    assert not torch.equal(embedder(ids), embedder(ids))
    embedder.eval()
    assert torch.equal(embedder(ids), embedder(ids))
