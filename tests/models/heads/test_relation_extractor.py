import math
from collections.abc import Callable

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary

from hmtl.models.heads.head import Head
from hmtl.models.heads.relation_extractor import RelationExtractor

ENCODED_DIM = 3
TYPES = ["ART", "PHYS"]
NAMESPACE = "relation_ace_labels"


def build(**changes) -> RelationExtractor:
    vocab = Vocabulary()
    for name in TYPES:
        vocab.add_token_to_namespace(name, NAMESPACE)
    params = Params({"type": "relation_extractor", "hidden_dim": 4, **changes})
    head = Head.from_params(params, vocab=vocab, encoded_dim=ENCODED_DIM)
    assert isinstance(head, RelationExtractor)
    return head.double().eval()


def sentence(num_tokens: int, relations: list[tuple[int, int, str]], **metadata) -> dict:
    rows = [(first, second, TYPES.index(label)) for first, second, label in relations]
    encoded = torch.randn(1, num_tokens, ENCODED_DIM).double()
    return {
        "inputs": encoded,
        "encoded": encoded,
        "mask": torch.ones(1, num_tokens, dtype=torch.bool),
        "relations": torch.tensor(rows, dtype=torch.long).reshape(1, -1, 3),
        "metadata": [{"relations": [list(relation) for relation in relations], **metadata}],
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


# Two relations of one pair of tokens, one that a token has with itself, both directions of a pair.
RELATIONS = [(0, 3, "ART"), (0, 3, "PHYS"), (2, 2, "PHYS"), (1, 0, "ART"), (0, 1, "ART")]


def naive_logits(
    head: RelationExtractor, encoded: torch.Tensor, act: Callable = torch.relu
) -> torch.Tensor:
    """sigmoid(V^T act(U^T h_i + W^T h_j + b))_k before the sigmoid, a pair of tokens at a time."""
    rows = [
        act(head.first_projection.T @ h_i + head.second_projection.T @ h_j + head.bias)
        for h_i in encoded
        for h_j in encoded
    ]
    pairs = torch.stack([head.type_projection.T @ row for row in rows])
    return pairs.view(len(encoded), len(encoded), len(TYPES))


@pytest.mark.parametrize(
    "changes, act", [({}, torch.relu), ({"activation": "tanh"}, torch.tanh)], ids=["relu", "tanh"]
)
def test_logits_and_gradients_agree_with_a_loop(changes: dict, act: Callable) -> None:
    torch.manual_seed(0)
    head = build(**changes)
    example = sentence(4, RELATIONS)
    example["encoded"].requires_grad_()
    logits = head(compute_metrics=False, **example)["logits"][0]
    expected = naive_logits(head, example["encoded"][0], act)
    torch.testing.assert_close(logits, expected)
    parameters = [example["encoded"], *head.parameters()]
    found = torch.autograd.grad(logits.square().sum(), parameters)
    for gradient, other in zip(
        found, torch.autograd.grad(expected.square().sum(), parameters), strict=True
    ):
        torch.testing.assert_close(gradient, other)


def test_loss_is_the_cross_entropy_over_the_padded_square() -> None:
    torch.manual_seed(1)
    head = build()
    examples = [sentence(4, RELATIONS), sentence(2, []), sentence(1, [(0, 0, "ART")])]
    output = head(compute_metrics=False, **batch(examples))
    targets = torch.zeros(3, 4, 4, len(TYPES)).double()
    logits = torch.zeros_like(targets)
    for index, example in enumerate(examples):
        length = example["encoded"].size(1)
        logits[index, :length, :length] = naive_logits(head, example["encoded"][0])
        for first, second, label in example["relations"][0].tolist():
            targets[index, first, second, label] = 1
    expected = torch.nn.functional.binary_cross_entropy_with_logits(logits, targets)
    # Times a hundred, as published.
    torch.testing.assert_close(output["loss"], 100.0 * expected)


def test_loss_that_is_a_sum_adds_up_each_sentences_pairs() -> None:
    torch.manual_seed(1)
    head = build(loss="sum")
    examples = [sentence(4, RELATIONS), sentence(2, []), sentence(1, [(0, 0, "ART")])]
    expected = []
    for example in examples:
        logits = naive_logits(head, example["encoded"][0])
        targets = torch.zeros_like(logits)
        for first, second, label in example["relations"][0].tolist():
            targets[first, second, label] = 1
        cost = torch.nn.functional.binary_cross_entropy_with_logits
        expected.append(cost(logits, targets, reduction="sum"))
    found = head(compute_metrics=False, **batch(examples))["loss"]
    torch.testing.assert_close(found, torch.stack(expected).mean())


def test_gradient_of_the_loss() -> None:
    torch.manual_seed(2)
    head = build()
    example = batch([sentence(3, [(0, 2, "ART")]), sentence(1, [])])

    def loss(encoded: torch.Tensor) -> torch.Tensor:
        return head(compute_metrics=False, **{**example, "encoded": encoded})["loss"]

    assert torch.autograd.gradcheck(loss, [example["encoded"].detach().requires_grad_()])


def test_sentences_alone_are_as_in_a_padded_batch() -> None:
    # The loss is not: it is a mean over the padded square, by its definition.
    torch.manual_seed(3)
    head = build()
    examples = [sentence(5, []), sentence(3, [(0, 2, "ART")]), sentence(1, [])]
    padded = batch(examples)
    # What stands on padding must not matter.
    padded["encoded"] = padded["encoded"] + 50 * ~padded["mask"].unsqueeze(-1)
    together = head(compute_metrics=False, **padded)
    decoded = head.decode(together)["relations"]
    assert any(decoded)
    for index, example in enumerate(examples):
        alone = head(compute_metrics=False, **example)
        length = example["encoded"].size(1)
        torch.testing.assert_close(together["logits"][index, :length, :length], alone["logits"][0])
        assert decoded[index] == head.decode(alone)["relations"][0]


def test_the_loss_does_not_read_what_stands_on_padding() -> None:
    torch.manual_seed(3)
    head = build()
    padded = batch([sentence(5, []), sentence(3, [(0, 2, "ART")])])
    noisy = {**padded, "encoded": padded["encoded"] + 50 * ~padded["mask"].unsqueeze(-1)}
    torch.testing.assert_close(
        head(compute_metrics=False, **padded)["loss"], head(compute_metrics=False, **noisy)["loss"]
    )


@pytest.mark.parametrize("loss", ["mean", "sum"])
def test_loss_of_a_batch_is_made_of_those_of_its_parts(loss: str) -> None:
    torch.manual_seed(4)
    head = build(loss=loss)
    whole = batch([sentence(4, RELATIONS), sentence(2, []), sentence(3, [(0, 2, "ART")])])
    parts = [{name: value[of] for name, value in whole.items()} for of in (slice(1), slice(1, 3))]
    output, *outputs = [head(compute_metrics=False, **each) for each in (whole, *parts)]
    total = sum(head.loss_divisor(each) * each["loss"] for each in outputs)
    torch.testing.assert_close(output["loss"], total / head.loss_divisor(output))


def test_a_batch_without_any_relation_has_a_loss() -> None:
    output = build()(compute_metrics=True, **batch([sentence(2, []), sentence(3, [])]))
    assert output["loss"].isfinite() and output["loss"] > 0


@pytest.mark.parametrize(
    "changes, threshold", [({}, 0.5), ({"threshold": 0.3}, 0.3), ({"threshold": 0.7}, 0.7)]
)
def test_relations_are_decoded_above_the_threshold(changes, threshold) -> None:
    torch.manual_seed(4)
    head = build(**changes)
    example = sentence(6, [])
    output = head(compute_metrics=False, **example)
    expected = [
        (first, second, label)
        for first in range(6)
        for second in range(6)
        for index, label in enumerate(TYPES)
        if torch.sigmoid(output["logits"][0, first, second, index]) > threshold
    ]
    assert 0 < len(expected) < 72
    assert head.decode(output) == {"relations": [expected]}


@pytest.mark.parametrize("real", [0, 1, 2])
def test_no_relation_is_decoded_that_has_a_token_of_padding(real) -> None:
    logits = torch.full((1, 3, 3, len(TYPES)), 9.0)
    output = {"logits": logits, "mask": torch.arange(3).unsqueeze(0) < real}
    pairs = [(first, second) for first in range(real) for second in range(real)]
    expected = [(*pair, label) for pair in pairs for label in TYPES]
    assert build().decode(output) == {"relations": [expected]}


@pytest.mark.parametrize("gold, has_gold", [([], False), ([(0, 1, "ART")], True)])
def test_sentence_with_a_relation_has_gold(gold: list, has_gold: bool) -> None:
    assert build().has_gold(sentence(2, gold)["metadata"][0]) is has_gold


def test_initializers_reach_the_parameters() -> None:
    regexes = [["bias", {"type": "constant", "val": 0.25}]]
    assert build(initializer={"regexes": regexes}).bias.eq(0.25).all()


def test_prediction_needs_no_gold() -> None:
    example = sentence(3, [])
    output = build()(example["inputs"], example["encoded"], example["mask"], compute_metrics=True)
    assert "loss" not in output


def predicting(head: RelationExtractor, relations: list[tuple[int, int, str]]) -> None:
    """Makes the head decode these relations, whatever it reads."""
    head.decode = lambda output_dict: {"relations": [relations]}  # type: ignore[method-assign]


def test_metrics_count_a_gold_type_that_the_vocabulary_lacks_as_a_miss() -> None:
    head = build()
    predicting(head, [(0, 1, "ART")])
    example = sentence(2, [(0, 1, "ART")])
    example["metadata"][0]["relations"].append([1, 0, "UNSEEN"])
    head(compute_metrics=True, **example)
    metrics = head.get_metrics(reset=True)
    assert (metrics["precision-overall"], metrics["recall-overall"]) == (1.0, 0.5)
    assert head.get_metrics()["recall-overall"] == 0.0


def test_the_headline_is_all_that_is_told_in_training() -> None:
    assert set(build().get_metrics()) == {
        "precision-overall",
        "recall-overall",
        "f1-measure-overall",
        "unpadded-loss",
    }


@pytest.mark.parametrize("loss", ["mean", "sum"])
def test_unpadded_loss_is_the_mean_of_what_sentences_cost_alone(loss: str) -> None:
    torch.manual_seed(5)
    head = build(loss=loss)
    examples = [sentence(4, RELATIONS), sentence(2, []), sentence(1, [(0, 0, "ART")])]
    alone = [head(compute_metrics=False, **example)["loss"].item() for example in examples]
    for batches in ([examples], [examples[:1], examples[1:]]):
        for each in batches:
            head(compute_metrics=True, **batch(each))
        found = head.get_metrics(reset=True)["unpadded-loss"]
        assert found == pytest.approx(sum(alone) / 3, rel=1e-12)
    assert head.get_metrics()["unpadded-loss"] == 0.0


def test_sentence_of_no_token_costs_nothing_alone() -> None:
    head = build()
    example = sentence(1, [])
    head(compute_metrics=True, **{**example, "mask": torch.zeros(1, 1, dtype=torch.bool)})
    assert head.get_metrics()["unpadded-loss"] == 0.0


def test_mentions_are_those_of_each_sentence() -> None:
    head = build()
    gold = [(0, 1, "ART")]
    head.decode = lambda output_dict: {"relations": [gold, gold]}  # type: ignore[method-assign]
    mentions = [[("PER", (0, 0)), ("GPE", (1, 1))], [("GPE", (0, 0)), ("PER", (1, 1))]]
    example = batch([sentence(2, gold, mentions=each) for each in mentions])
    head(compute_metrics=True, predicted_mentions=mentions, **example)
    assert head.get_metrics(full=True)["strict-f1-measure"] == 1.0


def test_mentions_of_the_arguments_make_a_strict_score() -> None:
    head = build()
    gold = [(1, 3, "PHYS"), (3, 1, "ART")]
    predicting(head, gold)
    example = sentence(4, gold, mentions=[["PER", [0, 1]], ["GPE", [3, 3]]])
    # The first argument's mention begins a token too late.
    head(compute_metrics=True, predicted_mentions=[[("PER", (1, 1)), ("GPE", (3, 3))]], **example)
    metrics = head.get_metrics(reset=True, full=True)
    assert metrics["boundaries-f1-measure"] == metrics["f1-measure-overall"] == 1.0
    assert metrics["strict-f1-measure"] == 0.0
    head(compute_metrics=True, predicted_mentions=[[("PER", (0, 1)), ("GPE", (3, 3))]], **example)
    assert head.get_metrics(full=True)["strict-f1-measure"] == 1.0


def test_metrics_go_on_from_the_counters_and_are_reset_when_asked() -> None:
    head, other, fresh = build(), build(), build()
    predicting(head, [(0, 1, "ART")])
    head(compute_metrics=True, **sentence(2, [(0, 1, "ART")]))
    for name, counter in head.counters().items():
        other.counters()[name].load_state_dict(counter.state_dict())
    metrics = head.get_metrics(reset=True, full=True)
    assert metrics["f1-measure-overall"] == metrics["recall-ART"] == 1.0
    assert metrics["unpadded-loss"] > 0.0
    assert other.get_metrics(full=True) == metrics
    assert head.get_metrics(full=True) == fresh.get_metrics(full=True)


@pytest.mark.parametrize("without", ["predicted", "gold"])
def test_there_is_no_strict_score_without_mentions_on_both_sides(without) -> None:
    head = build()
    gold = {} if without == "gold" else {"mentions": [["PER", [0, 0]]]}
    predicted = {} if without == "predicted" else {"predicted_mentions": [[("PER", (0, 0))]]}
    head(compute_metrics=True, **predicted, **sentence(2, [(0, 1, "ART")], **gold))
    assert "strict-precision" not in head.get_metrics(full=True)


def test_a_training_step_reads_nothing_back_from_the_device() -> None:
    # Tensors on the meta device have shapes and no values: whatever asks for a value fails.
    example = batch([sentence(4, RELATIONS), sentence(2, [])])
    tensors = {
        name: value.to("meta") for name, value in example.items() if isinstance(value, torch.Tensor)
    }
    head = build().train().to("meta")
    head(compute_metrics=False, metadata=example["metadata"], **tensors)["loss"].backward()
    assert all(parameter.grad is not None for parameter in head.parameters())


@pytest.mark.parametrize(
    "hidden_dim, num_types, gigabytes", [(64, 96, 0.64), (64, 7, 0.31), (200, 7, 0.91)]
)
def test_memory_is_about_what_was_measured(hidden_dim, num_types, gigabytes) -> None:
    # A training step on one sentence of 600 tokens, on a CPU.
    head = build(hidden_dim=hidden_dim)
    head.type_projection = torch.nn.Parameter(torch.empty(hidden_dim, num_types))
    assert head.training_memory(1, 600) == pytest.approx(1e9 * gigabytes, rel=0.15)
    assert head.training_memory(3, 1200) == 12 * head.training_memory(1, 600)


def test_a_loss_that_is_none_of_the_known_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match="loss is 'focal'; write one of mean, sum"):
        build(loss="focal")


def test_label_without_a_threshold_of_its_own_has_that_of_all() -> None:
    head = build(threshold=0.7)
    head.thresholds = {TYPES[0]: 0.3}
    least = head.least_logits(torch.zeros(1).double())
    expected = torch.tensor([0.3, *[0.7] * (len(TYPES) - 1)]).double().logit()
    torch.testing.assert_close(least, expected)


@pytest.mark.parametrize("threshold", [0.0, 1.0, 50])
def test_a_threshold_that_is_no_probability_is_an_error(threshold) -> None:
    with pytest.raises(ConfigurationError, match="write a probability between 0 and 1"):
        build(threshold=threshold)


def test_a_namespace_without_types_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match="label_namespace 'types' holds no labels"):
        build(label_namespace="types")


def test_the_probability_of_a_relation_is_the_sigmoid_of_its_logit() -> None:
    torch.manual_seed(4)
    head = build()
    output = head(compute_metrics=False, **batch([sentence(4, []), sentence(2, [])]))
    relations = head.decode(output)["relations"]
    found = head.probabilities(output, relations)
    assert all(relations)
    for instance, (own, probabilities) in enumerate(zip(relations, found, strict=True)):
        for (first, second, label), probability in zip(own, probabilities, strict=True):
            logit = output["logits"][instance, first, second, head.labels.index(label)]
            assert probability == pytest.approx(1 / (1 + math.exp(-logit)))
