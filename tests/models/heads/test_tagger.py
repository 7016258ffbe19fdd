from typing import Any

import pytest
import torch
from allennlp.common import Params
from allennlp.data import Vocabulary

from hmtl.data.readers.unseen_labels import NO_LABEL
from hmtl.models.heads.head import Head
from hmtl.models.heads.tagger import Tagger

ENCODED_DIM = 4
LABELS = ["NOUN", "VERB", "X"]


@pytest.fixture
def head() -> Tagger:
    vocab = Vocabulary()
    for label in LABELS:
        vocab.add_token_to_namespace(label, "pos_labels")
    params = Params({"type": "tagger", "label_namespace": "pos_labels"})
    built = Head.from_params(params, vocab=vocab, encoded_dim=ENCODED_DIM)
    assert isinstance(built, Tagger)
    torch.manual_seed(1)
    for parameter in built.parameters():
        torch.nn.init.normal_(parameter)
    return built.double().eval()


def batch_of(tags: list[list[int]]) -> dict[str, Any]:
    torch.manual_seed(2)
    length = max(map(len, tags))
    encoded = torch.randn(len(tags), length, ENCODED_DIM).double()
    padded = [row + [0] * (length - len(row)) for row in tags]
    mask = torch.tensor([[place < len(row) for place in range(length)] for row in tags])
    return {"inputs": encoded, "encoded": encoded, "mask": mask, "tags": torch.tensor(padded)}


def test_loss_is_the_mean_over_real_tokens_of_those_that_have_a_label(head: Tagger) -> None:
    tags = [[0, 1, 2], [NO_LABEL]]
    example = batch_of(tags)
    log_probabilities = head.projection(example["encoded"]).log_softmax(-1)
    expected = -sum(log_probabilities[0, place, tag] for place, tag in enumerate(tags[0])) / 4
    output = head(compute_metrics=False, **example)
    torch.testing.assert_close(output["loss"], expected)
    assert head.loss_divisor(output) == 4


def test_padding_is_neither_decoded_nor_counted(head: Tagger) -> None:
    example = batch_of([[0, 1, 2], [1]])
    decoded = head.decode(head(compute_metrics=True, **example))["tags"]
    assert [len(tags) for tags in decoded] == [3, 1]
    best = head.projection(example["encoded"]).argmax(-1)
    gold = example["tags"][example["mask"]]
    expected = (best[example["mask"]] == gold).double().mean().item()
    assert head.get_metrics(reset=True)["accuracy"] == expected
    assert head.get_metrics()["accuracy"] == 0.0


def test_label_that_was_never_seen_is_a_miss(head: Tagger) -> None:
    example = {**batch_of([[0, NO_LABEL]]), "metadata": [{"tags": ["NOUN", "ADJ"]}]}
    head.decode = lambda output_dict: {"tags": [["NOUN", "X"]]}  # type: ignore[method-assign]
    head(compute_metrics=True, **example)
    metrics = head.get_metrics(full=True)
    assert metrics["accuracy"] == 0.5
    assert metrics["recall-ADJ"] == 0.0


def test_the_level_above_is_told_the_softmax_of_all_labels(head: Tagger) -> None:
    example = batch_of([[0, 1, 2], [1]])
    expected = head.projection(example["encoded"]).softmax(-1)
    assert torch.equal(head.label_probabilities(example["encoded"], example["mask"]), expected)


def test_the_probability_of_a_label_is_its_softmax(head: Tagger) -> None:
    output = head(compute_metrics=False, **batch_of([[0, 1, 2], [1]]))
    tags = head.decode(output)["tags"]
    for row, found, logits in zip(tags, head.probabilities(output, tags), output["logits"]):
        shares = logits[: len(row)].softmax(-1)
        expected = [share[LABELS.index(tag)].item() for share, tag in zip(shares, row)]
        assert found == pytest.approx(expected)
