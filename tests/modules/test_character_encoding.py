import pytest
import torch
from allennlp.modules import Embedding, TokenEmbedder
from hypothesis import given
from hypothesis import strategies as st

from hmtl.modules import character_encoding
from hmtl.modules.character_cnn import CnnEncoder
from hmtl.modules.character_encoding import CharacterEncoding, different_rows

WORDS = torch.tensor(
    [[[3, 1, 2, 0], [4, 0, 0, 0], [3, 1, 2, 0]], [[4, 0, 0, 0], [2, 1, 3, 5], [0, 0, 0, 0]]]
)


def encoding(**changes) -> CharacterEncoding:
    torch.manual_seed(0)
    characters = Embedding(embedding_dim=4, num_embeddings=6)
    cnn = CnnEncoder(embedding_dim=4, num_filters=5, ngram_filter_sizes=[3])
    return CharacterEncoding(characters, cnn, **changes).double()


def token_by_token(encoding: CharacterEncoding) -> torch.Tensor:
    return torch.cat([encoding(token.view(1, 1, -1)) for token in WORDS.flatten(0, 1)], dim=1)


def test_encoding_of_repeated_words_equals_that_of_each_token() -> None:
    ours = encoding()
    expected = token_by_token(ours).view(2, 3, -1)
    torch.testing.assert_close(ours(WORDS), expected)


def test_encoding_gradients_add_up_over_repeated_words() -> None:
    ours = encoding()
    weights = torch.randn(2, 3, 5, dtype=torch.float64)
    parameters = list(ours.parameters())
    found = torch.autograd.grad((ours(WORDS) * weights).sum(), parameters)
    expected = torch.autograd.grad(
        (token_by_token(ours).view(2, 3, -1) * weights).sum(), parameters
    )
    for each, wanted in zip(found, expected, strict=True):
        torch.testing.assert_close(each, wanted)


def test_dropout_of_equal_words_differs() -> None:
    ours = encoding(dropout=0.5)
    vectors = ours(WORDS[:, :1].expand(-1, 50, -1))
    assert len(vectors[0].unique(dim=0)) > 1


def test_encoding_is_registered_and_keeps_the_names_of_2018() -> None:
    assert TokenEmbedder.by_name("character_encoding") is CharacterEncoding
    assert [name for name, _ in encoding().named_parameters()] == [
        "_embedding._module.weight",
        "_encoder._module.conv_layer_0.weight",
        "_encoder._module.conv_layer_0.bias",
    ]


@given(st.lists(st.lists(st.integers(0, 3), min_size=3, max_size=3), min_size=1, max_size=30))
def test_different_rows_holds_each_row_once(rows: list[list[int]]) -> None:
    different, place = different_rows(torch.tensor(rows))
    assert different[place].tolist() == rows
    assert sorted(map(tuple, different.tolist())) == sorted(set(map(tuple, rows)))


def test_different_rows_is_right_when_all_hashes_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        character_encoding, "_hashes", lambda rows: torch.zeros(len(rows), dtype=torch.long)
    )
    rows = torch.tensor([[1, 2], [3, 4], [1, 2]])
    different, place = different_rows(rows)
    assert torch.equal(different[place], rows)
    assert len(different) == 2
