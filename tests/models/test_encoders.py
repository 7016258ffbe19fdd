from typing import Any, Optional

import pytest
import torch
from allennlp.common import Lazy, Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import TextFieldTensors
from allennlp.modules import Seq2SeqEncoder, TextFieldEmbedder
from allennlp.modules.text_field_embedders import BasicTextFieldEmbedder
from allennlp.modules.token_embedders import Embedding

from hmtl.models.encoders import Level, StackedEncoders

EMBEDDING_DIM = 5
NUM_WORDS = 9
# Words by index, 0 being padding.
WORDS = torch.tensor([[3, 1, 4, 1, 5], [2, 6, 8, 0, 0]])

NO_HEAD: Any = None


def embedder() -> TextFieldEmbedder:
    return BasicTextFieldEmbedder({"tokens": Embedding(EMBEDDING_DIM, NUM_WORDS)})


def text(words: torch.Tensor = WORDS) -> TextFieldTensors:
    return {"tokens": {"tokens": words}}


def level(
    below: Optional[str] = None,
    hidden_size: Optional[int] = 3,
    dropout: float = 0.0,
    **encoder: Any,
) -> Level:
    if hidden_size is None:
        return Level(NO_HEAD, None, below, dropout)
    params = {"type": "lstm", "hidden_size": hidden_size, "bidirectional": True, **encoder}
    return Level(NO_HEAD, Lazy(Seq2SeqEncoder, Params(params)), below, dropout)


def reference_hierarchy() -> dict[str, Level]:
    # Widths that are all different.
    return {
        "ner": level(None, 2),
        "emd": level("ner", 3),
        "relation": level("emd", 4),
        "coref": level("emd", 6),
    }


@pytest.fixture
def encoders() -> StackedEncoders:
    return StackedEncoders(embedder(), reference_hierarchy()).eval()


def test_sizes_follow_from_the_parts(encoders: StackedEncoders) -> None:
    assert encoders.input_dims == {"ner": 5, "emd": 5 + 4, "relation": 5 + 6, "coref": 5 + 6}
    assert encoders.encoded_dims == {"ner": 4, "emd": 6, "relation": 8, "coref": 12}


def test_each_level_reads_base_embedding_and_level_below(encoders: StackedEncoders) -> None:
    encoding = encoders(text())
    below = {"ner": None, "emd": "ner", "relation": "emd", "coref": "emd"}
    assert encoding.embedded.shape == (2, 5, EMBEDDING_DIM)
    assert encoding.mask.sum(dim=1).tolist() == [5, 3]
    for name, lower in below.items():
        expected = encoding.embedded
        if lower is not None:
            expected = torch.cat([expected, encoding.levels[lower].encoded], dim=-1)
        torch.testing.assert_close(encoding.levels[name].inputs, expected)
        written = encoders.encoders[name](expected, encoding.mask)
        torch.testing.assert_close(encoding.levels[name].encoded, written)


def test_a_level_without_shortcut_reads_the_level_below_alone() -> None:
    levels = reference_hierarchy()
    levels["emd"].shortcut = False
    encoders = StackedEncoders(embedder(), levels).eval()
    assert encoders.input_dims == {"ner": 5, "emd": 4, "relation": 5 + 6, "coref": 5 + 6}
    encoding = encoders(text())
    torch.testing.assert_close(encoding.levels["emd"].inputs, encoding.levels["ner"].encoded)


def test_a_bottom_level_reads_the_base_embedding_with_or_without_shortcut() -> None:
    levels = reference_hierarchy()
    levels["ner"].shortcut = False
    encoders = StackedEncoders(embedder(), levels).eval()
    encoding = encoders(text())
    torch.testing.assert_close(encoding.levels["ner"].inputs, encoding.embedded)


def test_a_level_without_encoder_has_no_shortcut_to_do_without() -> None:
    levels = {"ner": level(), "emd": level("ner", hidden_size=None)}
    levels["emd"].shortcut = False
    with pytest.raises(
        ConfigurationError, match=r"model\.emd\.shortcut is false, but .* no encoder"
    ):
        StackedEncoders(embedder(), levels)


def test_a_level_may_read_the_labels_of_the_level_below() -> None:
    levels = reference_hierarchy()
    # There is nothing below the lowest.
    levels["ner"].label_embedding_dim = levels["emd"].label_embedding_dim = 2
    encoders = StackedEncoders(embedder(), levels).eval()
    encoders.embed_labels("emd", 3)
    assert encoders.input_dims == {"ner": 5, "emd": 5 + 4 + 2, "relation": 5 + 6, "coref": 5 + 6}

    def certain(name: str, encoded: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        assert name == "ner" and encoded.shape == (2, 5, 4) and mask.sum() == 8
        return torch.tensor([0.0, 1.0, 0.0]).expand(2, 5, 3)

    encoding = encoders(text(), label_probabilities=certain)
    weight = encoders.label_embeddings.get_parameter("emd.weight")[:, 1]
    read = [encoding.embedded, encoding.levels["ner"].encoded, weight.expand(2, 5, 2)]
    torch.testing.assert_close(encoding.levels["emd"].inputs, torch.cat(read, dim=-1))


@pytest.mark.parametrize(
    "hidden_size, width, message",
    [(3, 0, "write 1 or more"), (None, 2, r"no encoder .* model\.emd\.encoder")],
)
def test_label_embeddings_that_nothing_reads(
    hidden_size: Optional[int], width: int, message: str
) -> None:
    levels = {"ner": level(), "emd": level("ner", hidden_size)}
    levels["emd"].label_embedding_dim = width
    with pytest.raises(ConfigurationError, match=rf"model\.emd\.label_embedding_dim .* {message}"):
        StackedEncoders(embedder(), levels)


def test_one_pass_over_all_levels_equals_one_for_each(encoders: StackedEncoders) -> None:
    together = encoders(text())
    for name in encoders.below:
        alone = encoders(text(), up_to=name)
        torch.testing.assert_close(alone.levels[name].encoded, together.levels[name].encoded)


@pytest.mark.parametrize(
    "up_to, levels",
    [
        ("ner", ["ner"]),
        ("emd", ["ner", "emd"]),
        ("relation", ["ner", "emd", "relation"]),
        ("coref", ["ner", "emd", "coref"]),
        (None, ["ner", "emd", "relation", "coref"]),
    ],
)
def test_only_levels_up_to_the_asked_one_are_computed(
    encoders: StackedEncoders, up_to: Optional[str], levels: list[str]
) -> None:
    assert list(encoders(text(), up_to).levels) == levels


@pytest.mark.parametrize(
    "names, lowest",
    [
        ([], "ner"),
        (["emd", "ner"], "emd"),
        (["coref", "ner"], "coref"),
        (["coref", "relation"], None),
    ],
)
def test_the_lowest_level_that_runs_through_several(
    encoders: StackedEncoders, names: list[str], lowest: Optional[str]
) -> None:
    assert encoders.lowest_with(names) == lowest


def test_order_in_the_config_does_not_matter() -> None:
    torch.manual_seed(0)
    levels = reference_hierarchy()
    shuffled = {name: levels[name] for name in ("coref", "relation", "emd", "ner")}
    encoders = StackedEncoders(embedder(), shuffled).eval()
    assert list(encoders.below) == ["ner", "emd", "coref", "relation"]
    assert encoders.input_dims["coref"] == 5 + 6
    assert list(encoders(text()).levels) == ["ner", "emd", "coref", "relation"]


def test_level_without_encoder_shares_the_one_below() -> None:
    levels = {"ner": level(None, 2), "news": level("ner", None), "emd": level("news", 3)}
    encoders = StackedEncoders(embedder(), levels).eval()
    encoding = encoders(text())
    assert encoding.levels["news"].encoded is encoding.levels["ner"].encoded
    assert encoding.levels["news"].inputs is encoding.levels["ner"].inputs
    assert (encoders.input_dims["news"], encoders.encoded_dims["news"]) == (5, 4)
    assert encoders.input_dims["emd"] == 5 + 4


def test_level_without_encoder_on_the_ground_reads_base_embedding() -> None:
    encoders = StackedEncoders(embedder(), {"ner": level(None, None)}).eval()
    encoding = encoders(text())
    assert encoding.levels["ner"].encoded is encoding.embedded
    assert encoders.encoded_dims == {"ner": EMBEDDING_DIM}


def test_encoding_does_not_depend_on_padding(encoders: StackedEncoders) -> None:
    padded = encoders(text())
    alone = encoders(text(WORDS[1:, :3]))
    for name in encoders.below:
        torch.testing.assert_close(padded.levels[name].encoded[1:, :3], alone.levels[name].encoded)


def test_input_dropout_acts_on_what_head_and_encoder_read() -> None:
    encoders = StackedEncoders(embedder(), {"coref": level(None, 2, dropout=0.5)})
    torch.manual_seed(0)
    encoding = encoders(text())
    inputs = encoding.levels["coref"].inputs
    assert (inputs == 0).any() and not torch.equal(inputs, encoding.embedded)
    kept = inputs != 0
    torch.testing.assert_close(inputs[kept], 2 * encoding.embedded[kept])
    encoders.eval()
    assert torch.equal(encoders(text()).levels["coref"].inputs, encoders(text()).embedded)


@pytest.mark.parametrize("own_only, dropped", [(True, {"ner"}), (False, {"ner", "news", "emd"})])
def test_input_dropout_may_act_in_own_batches_only(own_only: bool, dropped: set[str]) -> None:
    levels = {"ner": level(None, 2, dropout=0.9), "emd": level("ner", 3)}
    levels["ner"].input_dropout_in_own_batches_only = own_only
    encoders = StackedEncoders(embedder(), levels)
    torch.manual_seed(0)
    inputs = {name: encoders(text(), name).levels["ner"].inputs for name in levels}
    zeroed = {name for name in levels if (inputs[name] == 0).any()}
    assert zeroed == dropped & levels.keys()


def test_input_dropout_in_own_batches_acts_for_all_heads_that_share_the_encoder() -> None:
    levels = {"ner": level(None, 2, dropout=0.9), "news": level("ner", None)}
    levels["ner"].input_dropout_in_own_batches_only = True
    torch.manual_seed(0)
    encoding = StackedEncoders(embedder(), levels)(text(), "news")
    assert (encoding.levels["news"].inputs == 0).any()


def test_input_dropout_without_encoder_is_refused() -> None:
    with pytest.raises(
        ConfigurationError, match=r"model\.ner\.input_dropout is 0\.5, .* no encoder"
    ):
        StackedEncoders(embedder(), {"ner": level(None, None, dropout=0.5)})


def test_written_size_that_fits_is_accepted() -> None:
    levels = {"ner": level(None, 2, input_size=5), "emd": level("ner", 3, input_size=9)}
    assert StackedEncoders(embedder(), levels).input_dims == {"ner": 5, "emd": 9}


def test_written_size_that_does_not_fit_is_refused_with_both_numbers() -> None:
    levels = {"ner": level(None, 2), "emd": level("ner", 3, input_size=1316)}
    with pytest.raises(
        ConfigurationError,
        match=r"model\.emd\.encoder .* size 1316, .* size 9 = 5 \(text_field_embedder\) \+ 4 \(encoding "
        r"of ner\)\. Write 9",
    ):
        StackedEncoders(embedder(), levels)


def test_input_dropout_must_be_a_probability() -> None:
    with pytest.raises(ConfigurationError, match=r"model\.ner\.input_dropout is 3; write a prob"):
        StackedEncoders(embedder(), {"ner": level(None, 2, dropout=3)})


def test_value_that_no_encoder_can_take_is_refused_by_its_path() -> None:
    with pytest.raises(
        ConfigurationError, match=r"model\.ner\.encoder: hidden_size must be greater"
    ):
        StackedEncoders(embedder(), {"ner": level(None, 0)})


@pytest.mark.filterwarnings("ignore:enable_nested_tensor")
@pytest.mark.parametrize(
    "encoder",
    [
        {"type": "gru", "hidden_size": 3},
        {"type": "stacked_bidirectional_lstm", "hidden_size": 3, "num_layers": 2},
        {"type": "pass_through"},
        {"type": "pytorch_transformer", "num_layers": 1, "num_attention_heads": 1},
        {
            "type": "feedforward",
            "feedforward": {"num_layers": 1, "hidden_dims": 3, "activations": "relu"},
        },
    ],
    ids=lambda encoder: encoder["type"],
)
def test_other_encoders_are_given_their_sizes(encoder: dict) -> None:
    above = Level(NO_HEAD, Lazy(Seq2SeqEncoder, Params(encoder)), "ner")
    encoders = StackedEncoders(embedder(), {"ner": level(None, 2), "emd": above}).eval()
    width = encoders.encoded_dims["emd"]
    assert encoders(text()).levels["emd"].encoded.shape == (2, 5, width)


def test_unknown_level_below_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"model\.emd\.stacks_on names 'nre', which is no"):
        StackedEncoders(embedder(), {"ner": level(), "emd": level("nre")})


def test_circle_is_refused() -> None:
    levels = {"ner": level("coref"), "emd": level("ner"), "coref": level("emd")}
    with pytest.raises(ConfigurationError, match="in a circle: ner -> coref -> emd -> ner"):
        StackedEncoders(embedder(), levels)
