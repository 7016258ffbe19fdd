import pytest
import torch
from allennlp.common import Params
from allennlp.modules import Seq2VecEncoder
from allennlp.nn import Activation

from hmtl.modules.character_cnn import CnnEncoder

EMBEDDING_DIM, NUM_FILTERS = 4, 5
WIDTHS = (1, 2, 3)
LENGTHS = torch.tensor([1, 2, 5, 3])


def encoder(**changes) -> CnnEncoder:
    torch.manual_seed(0)
    params = {"ngram_filter_sizes": WIDTHS, **changes}
    return CnnEncoder(EMBEDDING_DIM, NUM_FILTERS, **params).double()


def words(lengths: torch.Tensor, longest: int | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """Vectors of characters, with something on padding that must not be read, and their mask."""
    longest = longest or int(lengths.max())
    generator = torch.Generator().manual_seed(2)
    tokens = torch.randn(
        len(lengths), longest, EMBEDDING_DIM, dtype=torch.float64, generator=generator
    )
    return tokens, torch.arange(longest) < lengths.unsqueeze(1)


def windows(characters: list[torch.Tensor], width: int, starts: range) -> list[torch.Tensor]:
    """The windows that begin at `starts`, zeros standing for what lies beyond the word."""
    zero = torch.zeros(EMBEDDING_DIM, dtype=torch.float64)
    return [
        torch.stack([characters[i] if i < len(characters) else zero for i in range(s, s + width)])
        for s in starts
    ]


def naive(cnn: CnnEncoder, characters: list[torch.Tensor], longest: int) -> torch.Tensor:
    """One word, one window, one filter after the other."""
    pooled = []
    for index, width in enumerate(WIDTHS):
        convolution = getattr(cnn, f"conv_layer_{index}")
        # By default a window for each character; in 2018 those that fit into the batch's longest word.
        last = max(longest - width + 1, 1) if cnn.pool_over_padding else len(characters)
        for weight, bias in zip(convolution.weight, convolution.bias):
            scores = [
                torch.relu((weight.T * window).sum() + bias)
                for window in windows(characters, width, range(last))
            ]
            pooled.append(max(scores))
    return torch.stack(pooled)


@pytest.mark.parametrize("pool_over_padding", [False, True])
def test_cnn_equals_naive_loop(pool_over_padding: bool) -> None:
    cnn = encoder(pool_over_padding=pool_over_padding)
    tokens, mask = words(LENGTHS)
    expected = torch.stack(
        [
            naive(cnn, list(row[:length]), tokens.size(1))
            for row, length in zip(tokens, LENGTHS.tolist())
        ]
    )
    torch.testing.assert_close(cnn(tokens, mask), expected)


@pytest.mark.parametrize("pool_over_padding", [False, True])
@pytest.mark.parametrize("length", [1, 2])
def test_cnn_takes_batch_of_words_shorter_than_its_width(
    pool_over_padding: bool, length: int
) -> None:
    # SPEC 8.3: the reference crashed on a text all of whose tokens are that short.
    cnn = encoder(pool_over_padding=pool_over_padding)
    tokens, mask = words(torch.tensor([length, 1]), longest=length)
    expected = naive(cnn, list(tokens[0]), length)
    torch.testing.assert_close(cnn(tokens, mask)[0], expected)


def test_cnn_gives_one_character_a_vector_of_its_own() -> None:
    # AllenNLP's encoder of this name gives zeros.
    cnn = encoder(ngram_filter_sizes=(3,), conv_layer_activation=Activation.by_name("linear")())
    tokens, mask = words(torch.tensor([1, 1]), longest=1)
    first, second = cnn(tokens, mask)
    assert (first != 0).all() and not torch.equal(first, second)


def test_cnn_does_not_depend_on_padding() -> None:
    cnn = encoder()
    tokens, mask = words(LENGTHS)
    together = cnn(tokens, mask)
    for row, length in enumerate(LENGTHS.tolist()):
        alone = cnn(tokens[row : row + 1, :length], mask[row : row + 1, :length])
        torch.testing.assert_close(together[row], alone[0])


def test_cnn_of_2018_depends_on_the_longest_word_of_its_batch() -> None:
    cnn = encoder(pool_over_padding=True)
    # Above 0 on padding, so that it wins against a word that is below.
    for index in range(len(WIDTHS)):
        getattr(cnn, f"conv_layer_{index}").bias.data.fill_(3.0)
    tokens, mask = words(torch.tensor([1, 9]))
    alone = cnn(tokens[:1, :1], mask[:1, :1])
    assert not torch.allclose(cnn(tokens, mask)[:1], alone)


@pytest.mark.parametrize("pool_over_padding", [False, True])
def test_cnn_does_not_read_what_stands_on_padding(pool_over_padding: bool) -> None:
    cnn = encoder(pool_over_padding=pool_over_padding)
    tokens, mask = words(LENGTHS)
    changed = torch.where(mask.unsqueeze(-1), tokens, 100.0)
    torch.testing.assert_close(cnn(tokens, mask), cnn(changed, mask))


def test_cnn_gives_padding_tokens_zeros() -> None:
    tokens, mask = words(torch.tensor([0, 3]))
    assert (encoder()(tokens, mask)[0] == 0).all()


def test_cnn_takes_masks_of_numbers() -> None:
    tokens, mask = words(LENGTHS)
    torch.testing.assert_close(encoder()(tokens, mask.long()), encoder()(tokens, mask))


def test_cnn_projects_to_output_dim() -> None:
    cnn = encoder(output_dim=7)
    assert cnn.get_output_dim() == 7
    assert cnn(*words(LENGTHS)).shape == (4, 7)


def test_cnn_is_registered_and_tells_its_sizes() -> None:
    params = {"type": "cnn", "embedding_dim": 4, "num_filters": 5, "ngram_filter_sizes": [2, 3]}
    built = Seq2VecEncoder.from_params(Params(params))
    assert isinstance(built, CnnEncoder)
    assert (built.get_input_dim(), built.get_output_dim()) == (4, 10)
