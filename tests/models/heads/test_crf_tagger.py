import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary

from hmtl.formats.tags import tags_to_spans
from hmtl.models.heads.crf_tagger import CrfTagger
from hmtl.models.heads.head import Head

ENCODED_DIM = 4
TAGS = ["O", "B-PER", "I-PER", "L-PER", "U-PER", "U-GPE"]


def build(tags: list[str] = TAGS, **changes) -> CrfTagger:
    vocab = Vocabulary()
    for tag in tags:
        vocab.add_token_to_namespace(tag, "ner_labels")
    params = Params({"type": "crf_tagger", "label_namespace": "ner_labels", **changes})
    head = Head.from_params(params, vocab=vocab, encoded_dim=ENCODED_DIM)
    assert isinstance(head, CrfTagger)
    for parameter in head.parameters():
        torch.nn.init.normal_(parameter)
    return head.double().eval()


def sentence(gold: list[str]) -> dict:
    encoded = 2 * torch.randn(1, len(gold), ENCODED_DIM).double()
    indices = [TAGS.index(tag) if tag in TAGS else 0 for tag in gold]
    return {
        "inputs": encoded,
        "encoded": encoded,
        "mask": torch.ones(1, len(gold), dtype=torch.bool),
        "tags": torch.tensor([indices]),
        "metadata": [{"tags": gold}],
    }


def batch(sentences: list[dict]) -> dict:
    padded: dict = {"metadata": [entry for item in sentences for entry in item["metadata"]]}
    for name in ("inputs", "encoded", "mask", "tags"):
        tensors = [item[name][0] for item in sentences]
        padded[name] = torch.nn.utils.rnn.pad_sequence(tensors, batch_first=True)
    return padded


def test_gold_tags_without_their_strings_are_counted() -> None:
    head, sentences = build(), batch([sentence(["U-PER", "O"]), sentence(["U-GPE"])])
    head(**sentences, compute_metrics=True)
    expected = head.get_metrics(reset=True)
    # As AllenNLP's readers have it.
    head(
        **{**sentences, "metadata": [{"words": ["a", "b"]}, {"words": ["c"]}]}, compute_metrics=True
    )
    assert head.get_metrics() == expected


GOLD = [["B-PER", "I-PER", "L-PER", "O", "U-GPE"], ["U-PER"], ["O", "B-PER", "L-PER"]]


def test_sentences_alone_are_as_in_a_padded_batch() -> None:
    torch.manual_seed(0)
    head = build()
    examples = [sentence(gold) for gold in GOLD]
    padded = batch(examples)
    # What stands on padding must not matter.
    padded["encoded"] = padded["encoded"] + 50 * ~padded["mask"].unsqueeze(-1)
    together = head(compute_metrics=False, **padded)
    alone = [head(compute_metrics=False, **example) for example in examples]
    torch.testing.assert_close(together["loss"], sum(output["loss"] for output in alone))
    assert head.loss_divisor(together) is None
    decoded = head.decode(together)
    for index, output in enumerate(alone):
        for name, (expected,) in head.decode(output).items():
            assert decoded[name][index] == expected


def test_loss_is_the_negative_log_likelihood_of_the_gold_tags() -> None:
    torch.manual_seed(1)
    head = build()
    example = batch([sentence(gold) for gold in GOLD])
    logits = head.tag_projection(example["encoded"])
    expected = -head.crf.log_likelihood(logits, example["tags"], example["mask"]).sum()
    torch.testing.assert_close(head(compute_metrics=False, **example)["loss"], expected)


def test_decoded_tags_are_well_formed_and_their_spans_beside_them() -> None:
    torch.manual_seed(2)
    head = build()
    head.decode(head(compute_metrics=False, **sentence(["O"] * 40)))
    (tags,), (spans,) = head.decode(head(compute_metrics=False, **sentence(["O"] * 40))).values()
    marked = {index for _, (start, end) in spans for index in range(start, end + 1)}
    assert spans and marked == {index for index, tag in enumerate(tags) if tag != "O"}


def answer(head: CrfTagger, tags: list[str]) -> None:
    """Let the head answer this, whatever it is asked."""
    decoded = {"tags": [tags], "spans": [tags_to_spans(tags, head.coding_scheme)]}
    head.decode = lambda output_dict: decoded  # type: ignore[method-assign]


def test_metrics_count_spans_and_tags() -> None:
    head = build()
    predicted = ["B-PER", "L-PER", "O", "U-GPE"]
    answer(head, predicted)
    # A tag that the vocabulary lacks is a miss.
    head(compute_metrics=True, **sentence(["B-PER", "L-PER", "U-LAW", "U-PER"]))
    metrics = head.get_metrics(reset=True, full=True)
    assert metrics["accuracy"] == 2 / 4
    assert metrics["precision-overall"] == 1 / 2
    assert metrics["recall-overall"] == 1 / 3
    assert metrics["recall-PER"] == 1 / 2
    assert metrics["recall-LAW"] == 0.0
    assert set(head.get_metrics()) == {
        "accuracy",
        "precision-overall",
        "recall-overall",
        "f1-measure-overall",
    }


def test_metrics_go_on_from_the_counters_and_are_reset_when_asked() -> None:
    head, other, fresh = build(), build(), build()
    answer(head, GOLD[0])
    head(compute_metrics=True, **sentence(GOLD[0]))
    for name, counter in head.counters().items():
        other.counters()[name].load_state_dict(counter.state_dict())
    metrics = head.get_metrics(reset=True, full=True)
    assert metrics["accuracy"] == metrics["f1-measure-overall"] == metrics["recall-GPE"] == 1.0
    assert other.get_metrics(full=True) == metrics
    assert head.get_metrics(full=True) == fresh.get_metrics(full=True)


def test_dropout_acts_on_the_encoding_in_training_only() -> None:
    # In the reference the dropout of the second tagger was lost on the way (SPEC 8.5).
    torch.manual_seed(3)
    head = build(dropout=0.5)
    example = sentence(GOLD[0])
    calm = [head(compute_metrics=False, **example)["loss"].item() for _ in range(2)]
    head.train()
    noisy = [head(compute_metrics=False, **example)["loss"].item() for _ in range(2)]
    assert calm[0] == calm[1]
    assert len({*calm, *noisy}) == 3


@pytest.mark.parametrize("gold, has_gold", [(["O", "O"], False), (["O", "U-PER"], True)])
def test_sentence_with_a_span_has_gold(gold: list[str], has_gold: bool) -> None:
    assert build().has_gold(sentence(gold)["metadata"][0]) is has_gold


def test_initializers_reach_the_parameters() -> None:
    regexes = [["crf.transitions", {"type": "constant", "val": 0.25}]]
    vocab = Vocabulary.empty()
    vocab.add_token_to_namespace("U-PER", "labels")
    params = Params({"initializer": {"regexes": regexes}})
    head = CrfTagger.from_params(params, vocab=vocab, encoded_dim=ENCODED_DIM)
    assert head.crf.transitions.eq(0.25).all()


def test_prediction_needs_no_gold() -> None:
    example = sentence(GOLD[0])
    output = build()(example["inputs"], example["encoded"], example["mask"], compute_metrics=True)
    assert "loss" not in output


def test_a_training_step_reads_nothing_back_from_the_device() -> None:
    # Tensors on the meta device have shapes and no values: whatever asks for a value fails.
    example = batch([sentence(gold) for gold in GOLD])
    tensors = {
        name: value.to("meta") for name, value in example.items() if isinstance(value, torch.Tensor)
    }
    head = build().train().to("meta")
    head(compute_metrics=False, metadata=example["metadata"], **tensors)["loss"].backward()
    assert all(parameter.grad is not None for parameter in head.parameters())


def test_labels_stand_in_the_order_of_their_indices() -> None:
    assert build().labels == TAGS


def test_tags_of_another_scheme_are_an_error() -> None:
    with pytest.raises(ConfigurationError, match="constraint_type 'BIOUL' does not fit the tags"):
        build(tags=["O", "I-PER", "B-PER"])


@pytest.mark.parametrize(
    "tags, scheme", [(["O", "I-PER", "B-PER"], "BIO"), (["O", "U-PER"], "BIOUL"), (["O"], "BIO")]
)
def test_tags_without_constraint_show_how_they_are_read(tags: list[str], scheme: str) -> None:
    head = build(tags=tags, constraint_type=None)
    assert head.coding_scheme == scheme
    # Anything may be decoded: an I-PER after an O among it, which BIO forbids.
    assert not head.crf.get_buffer("forbidden").any()


def test_tags_of_no_scheme_are_an_error_without_constraint_as_well() -> None:
    with pytest.raises(
        ConfigurationError, match="'ner_labels' holds tags of no coding scheme.*'DT'"
    ):
        build(tags=["DT", "NN"], constraint_type=None)


def test_iob1_tags_are_read_as_iob1() -> None:
    head = build(tags=["O", "I-PER", "B-PER"], constraint_type="IOB1")
    answer(head, ["I-PER", "B-PER", "O"])
    example = sentence(["O", "O", "O"])
    example["metadata"][0]["tags"] = ["I-PER", "B-PER", "O"]
    head(compute_metrics=True, **example)
    metrics = head.get_metrics(full=True)
    assert metrics["f1-measure-PER"] == 1.0


def test_a_span_is_as_probable_as_it_is_alone_and_in_any_batch() -> None:
    torch.manual_seed(3)
    head = build()
    examples = [sentence(["O"] * length) for length in (6, 1, 9)]
    output = head(compute_metrics=False, **batch(examples))
    spans = head.decode(output)["spans"]
    assert sum(map(len, spans)) > 3
    together = head.probabilities(output, spans)
    for example, found, expected in zip(examples, spans, together, strict=True):
        alone = head.probabilities(head(compute_metrics=False, **example), [found])
        assert alone[0] == pytest.approx(expected)
        assert all(0.0 < each < 1.0 for each in expected)
