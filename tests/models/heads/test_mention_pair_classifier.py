from typing import Any

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary

from hmtl.models.heads.head import Head
from hmtl.models.heads.mention_pair_classifier import MentionPairClassifier

ENCODED_DIM = 3
TYPES = ["ART", "PHYS"]
Mention = tuple[str, tuple[int, int]]

# The second lies in the first; the last has a label that the level below does not know.
MENTIONS: list[Mention] = [("PER", (0, 2)), ("GPE", (1, 1)), ("PER", (4, 4)), ("NEW", (5, 6))]
RELATIONS = [(2, 1, "ART"), (2, 1, "PHYS"), (6, 4, "PHYS"), (3, 0, "ART")]


def build(**changes: Any) -> MentionPairClassifier:
    vocab = Vocabulary()
    for name in TYPES:
        vocab.add_token_to_namespace(name, "relation_ace_labels")
    params = Params({"type": "mention_pair_classifier", "hidden_dim": 4, "label_dim": 2, **changes})
    labels = ["PER", "GPE"]
    head = Head.from_params(params, vocab=vocab, encoded_dim=ENCODED_DIM, mention_labels=labels)
    assert isinstance(head, MentionPairClassifier)
    return head.double().eval()


def sentence(
    num_tokens: int, relations: list[tuple[int, int, str]], mentions: list[Mention]
) -> dict:
    rows = [(first, second, TYPES.index(label)) for first, second, label in relations]
    encoded = torch.randn(1, num_tokens, ENCODED_DIM).double()
    return {
        "inputs": encoded,
        "encoded": encoded,
        "mask": torch.ones(1, num_tokens, dtype=torch.bool),
        "relations": torch.tensor(rows, dtype=torch.long).reshape(1, -1, 3),
        "metadata": [
            {
                "relations": [list(each) for each in relations],
                "mentions": [[label, list(span)] for label, span in mentions],
            }
        ],
    }


def batch(sentences: list[dict]) -> dict:
    """Pads as the fields do: relations with -1, all else with 0."""
    padded: dict = {"metadata": [entry for item in sentences for entry in item["metadata"]]}
    for name in ("inputs", "encoded", "mask", "relations"):
        padded[name] = torch.nn.utils.rnn.pad_sequence(
            [item[name][0] for item in sentences],
            batch_first=True,
            padding_value=-1 if name == "relations" else 0,
        )
    return padded


def naive_logits(
    head: MentionPairClassifier, encoded: torch.Tensor, mentions: list[Mention]
) -> dict[tuple[int, int], torch.Tensor]:
    """By the places of two mentions in the list, a pair at a time."""

    def vector(mention: Mention) -> torch.Tensor:
        label, (start, end) = mention
        number = 1 + head.mention_labels.index(label) if label in head.mention_labels else 0
        embedded = head.label_embedding.weight[number]
        return torch.cat([encoded[start], encoded[end], embedded])

    logits = {}
    for i, one in enumerate(mentions):
        for j, other in enumerate(mentions):
            if i == j:
                continue
            hidden = head.first_projection(vector(one)) + head.second_projection(vector(other))
            between = encoded[min(one[1][1], other[1][1]) + 1 : max(one[1][0], other[1][0])]
            if len(between):
                hidden = hidden + head.context_projection(between).max(dim=0).values
            gelu = torch.nn.functional.gelu
            logits[i, j] = head.type_projection(gelu(head.hidden_layer(gelu(hidden))))
    return logits


def test_logits_and_gradients_agree_with_a_loop_over_pairs() -> None:
    torch.manual_seed(0)
    head = build()
    example = sentence(7, RELATIONS, MENTIONS)
    example["encoded"].requires_grad_()
    found = head(compute_metrics=False, **example)["logits"]
    expected = torch.stack(list(naive_logits(head, example["encoded"][0], MENTIONS).values()))
    torch.testing.assert_close(found, expected)
    parameters = [example["encoded"], *head.parameters()]
    gradients = torch.autograd.grad(found.square().sum(), parameters)
    for gradient, other in zip(
        gradients, torch.autograd.grad(expected.square().sum(), parameters), strict=True
    ):
        torch.testing.assert_close(gradient, other)


def test_loss_is_the_cross_entropy_of_all_pairs_and_types_by_sentence() -> None:
    torch.manual_seed(1)
    head = build()
    examples = [
        sentence(7, RELATIONS, MENTIONS),
        sentence(3, [], MENTIONS[:1]),
        sentence(2, [], []),
    ]
    total = torch.zeros(()).double()
    for pair, logits in naive_logits(head, examples[0]["encoded"][0], MENTIONS).items():
        first, second = (MENTIONS[each][1][1] for each in pair)
        gold = torch.tensor([float((first, second, label) in RELATIONS) for label in TYPES])
        cost = torch.nn.functional.binary_cross_entropy_with_logits
        total = total + cost(logits, gold.double(), reduction="sum")
    # (3, 0) relates tokens at which no mention ends: nothing can be learned of it.
    found = head(compute_metrics=False, **batch(examples))["loss"]
    torch.testing.assert_close(found, total / 3)


def test_sentences_alone_are_as_in_a_padded_batch() -> None:
    torch.manual_seed(3)
    head = build(threshold=0.45)
    examples = [
        sentence(7, RELATIONS, MENTIONS),
        sentence(2, [], []),
        sentence(6, [], MENTIONS[:3]),
    ]
    padded = batch(examples)
    # What stands on padding must not matter.
    padded["encoded"] = padded["encoded"] + 50 * ~padded["mask"].unsqueeze(-1)
    together = head.decode(head(compute_metrics=False, **padded))["relations"]
    alone = [head.decode(head(compute_metrics=False, **each))["relations"][0] for each in examples]
    assert together == alone and any(alone)


def test_loss_of_a_batch_is_made_of_those_of_its_parts() -> None:
    torch.manual_seed(4)
    head = build()
    whole = batch([sentence(7, RELATIONS, MENTIONS), sentence(6, [], MENTIONS[:3])])
    parts = [{name: value[of] for name, value in whole.items()} for of in (slice(1), slice(1, 2))]
    output, *outputs = [head(compute_metrics=False, **each) for each in (whole, *parts)]
    total = sum(head.loss_divisor(each) * each["loss"] for each in outputs)
    torch.testing.assert_close(output["loss"], total / head.loss_divisor(output))


def test_relations_are_of_mentions_and_above_the_threshold() -> None:
    torch.manual_seed(5)
    head = build()
    output = head(compute_metrics=False, **sentence(7, [], MENTIONS))
    output["logits"] = output["logits"] + 0.1 * torch.randn_like(output["logits"])
    expected, probable = set(), {}
    for (_, first, second), row in zip(output["pairs"].tolist(), output["logits"].sigmoid()):
        for label, probability in zip(TYPES, row.tolist()):
            if probability > 0.5:
                expected.add((first, second, label))
                probable[first, second, label] = probability
    assert 0 < len(expected) < 24
    assert head.decode(output) == {"relations": [sorted(expected)]}
    answers = head.decode(output)["relations"]
    assert head.probabilities(output, answers) == [
        pytest.approx([probable[each] for each in answers[0]])
    ]


def test_mentions_that_end_alike_are_one_argument() -> None:
    torch.manual_seed(2)
    head = build(threshold=1e-6)
    mentions: list[Mention] = [("PER", (0, 2)), ("GPE", (2, 2)), ("PER", (3, 3))]
    output = head(compute_metrics=False, **sentence(4, [], mentions))
    (found,) = head.decode(output)["relations"]
    assert len(found) == len(set(found)) == 2 * len([(2, 2), (2, 3), (3, 2)])
    of_both = output["logits"].sigmoid()[[1, 3]]
    best = of_both.max(dim=0)
    assert best.indices.tolist() == [1, 0]
    answers = [[(2, 3, "ART"), (2, 3, "PHYS")]]
    assert head.probabilities(output, answers) == [pytest.approx(best.values.tolist())]


def test_training_reads_gold_mentions_and_evaluation_those_that_are_found() -> None:
    torch.manual_seed(7)
    head = build()
    example = sentence(7, RELATIONS, MENTIONS)
    found = head(compute_metrics=False, predicted_mentions=[MENTIONS[:2]], **example)
    assert found["pairs"].tolist() == [[0, 2, 1], [0, 1, 2]]
    of_gold = head(compute_metrics=False, **example)
    # Whatever is found, the loss is that of the gold mentions.
    torch.testing.assert_close(found["loss"], of_gold["loss"])
    head.eval_on_gold_mentions = True
    assert len(head(compute_metrics=False, predicted_mentions=[[]], **example)["pairs"]) == 12
    assert len(head.train()(compute_metrics=False, **example)["pairs"]) == 12


def test_labels_are_dropped_in_training_alone() -> None:
    head = build(label_dropout=1.0)
    example = sentence(7, RELATIONS, MENTIONS)
    unknown = [("NEW", span) for _, span in MENTIONS]
    without = head(compute_metrics=False, predicted_mentions=[unknown], **example)["logits"]
    assert not torch.allclose(head(compute_metrics=False, **example)["logits"], without)
    torch.testing.assert_close(head.train()(compute_metrics=False, **example)["logits"], without)


def test_labels_of_a_pair_are_dropped_each_by_itself() -> None:
    torch.manual_seed(9)
    head = build(label_dropout=0.5).train()
    labels = head._pairs([[("PER", (i, i)) for i in range(9)]], torch.device("cpu")).labels
    assert {tuple(each) for each in labels.tolist()} == {(0, 0), (0, 1), (1, 0), (1, 1)}


def test_dropout_acts_on_the_encoding_and_on_what_pairs_are_compared_in() -> None:
    head, example, dropped = build(), sentence(7, RELATIONS, MENTIONS), []
    head.dropout.register_forward_pre_hook(lambda module, given: dropped.append(given[0].shape))
    head(compute_metrics=False, predicted_mentions=[[]], **{**example, "relations": None})
    assert dropped == [(1, 7, ENCODED_DIM), (0, 4), (0, 4)]


def test_found_mentions_count_for_the_strict_score() -> None:
    head = build()
    example = sentence(7, [(2, 1, "ART")], MENTIONS)
    # Everything is answered, of two mentions that end where the gold ones do; one begins elsewhere.
    torch.nn.init.constant_(head.type_projection.bias, 50.0)
    found: list[Mention] = [("PER", (1, 2)), ("GPE", (1, 1))]
    head(compute_metrics=True, predicted_mentions=[found], **example)
    metrics = head.get_metrics(full=True)
    assert metrics["recall-overall"] == 1.0 and metrics["strict-recall"] == 0.0


def test_no_mention_is_no_relation() -> None:
    head = build()
    example = sentence(3, [(0, 1, "ART")], [])
    output = head(compute_metrics=True, predicted_mentions=[[]], **example)
    assert head.decode(output) == {"relations": [[]]}
    assert head.probabilities(output, [[]]) == [[]]
    assert head.get_metrics()["recall-overall"] == 0.0


def test_a_training_step_reads_nothing_back_from_the_device() -> None:
    # Tensors on the meta device have shapes and no values: whatever asks for a value fails.
    example = batch([sentence(7, RELATIONS, MENTIONS), sentence(2, [], [])])
    tensors = {
        name: value.to("meta") for name, value in example.items() if isinstance(value, torch.Tensor)
    }
    head = build(dropout=0.5).train().to("meta")
    head(compute_metrics=False, metadata=example["metadata"], **tensors)["loss"].backward()
    assert all(parameter.grad is not None for parameter in head.parameters())


def test_axes_name_every_parameter_as_it_is_shaped() -> None:
    head = build()
    axes = head.parameter_axes(["x"], range(ENCODED_DIM))
    # What a label means is known by name, that of no label that is known by its place.
    assert axes["label_embedding.weight"][0] == [None, "PER", "GPE"]
    for name, parameter in head.named_parameters():
        for size, axis in zip(parameter.shape, axes.get(name, ())):
            assert axis is None or len(axis) == size


def test_without_a_level_of_mentions_there_is_no_such_head() -> None:
    with pytest.raises(ConfigurationError, match="write its name as mentions_from of this level"):
        build(mention_labels=[])


def test_a_reader_without_mentions_is_named() -> None:
    example = sentence(2, [], [])
    del example["metadata"][0]["mentions"]
    with pytest.raises(ConfigurationError, match="its task's reader gives none"):
        build()(compute_metrics=False, **example)
