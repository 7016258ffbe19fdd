"""The head that labels whole texts, against loops over texts."""

import math
from typing import Any

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import Instance, Vocabulary
from allennlp.data.fields import LabelField, MultiLabelField

from hmtl.models.heads.classifier import Classifier
from hmtl.models.heads.head import Head

LABELS = ["a", "b", "c"]
DIM = 4


def head(**block: Any) -> Classifier:
    vocab = Vocabulary()
    for label in LABELS:
        vocab.add_token_to_namespace(label, "labels")
    torch.manual_seed(1)
    built = Head.from_params(
        Params({"type": "classifier", **block}), vocab=vocab, encoded_dim=DIM, input_dim=DIM
    )
    assert isinstance(built, Classifier)
    return built.eval()


def batch() -> tuple[torch.Tensor, torch.BoolTensor]:
    """Encodings of texts of 3, 1 and 2 tokens, with something else than zeros where there is no token."""
    torch.manual_seed(2)
    mask = torch.tensor([[True, True, True], [True, False, False], [True, True, False]])
    return torch.randn(3, 3, DIM), mask  # type: ignore[return-value]


def run(model: Classifier, compute_metrics: bool = True, **gold: Any) -> dict[str, torch.Tensor]:
    encoded, mask = batch()
    return model(encoded, encoded, mask, compute_metrics, **gold)


def pooled(tokens: list[torch.Tensor], model: Classifier) -> torch.Tensor:
    if model.pooling == "max":
        return torch.stack([max(values) for values in zip(*tokens)])
    weights = [1.0] * len(tokens)
    if model.pooling == "attention":
        weights = [math.exp(model.attention(token).item()) for token in tokens]
    return sum((w * t for w, t in zip(weights, tokens)), torch.zeros(DIM)) / sum(weights)


@pytest.mark.parametrize("pooling", ["mean", "max", "attention"])
def test_a_text_is_scored_by_its_own_tokens_alone(pooling: str) -> None:
    model = head(pooling=pooling)
    encoded, mask = batch()
    for text, own, logits in zip(encoded, mask, run(model)["logits"]):
        expected = model.projection(pooled(list(text[own]), model))
        torch.testing.assert_close(logits, expected)


def test_loss_is_the_mean_over_texts_each_weighted_by_its_label() -> None:
    model = head(class_weights={"b": 3.0})
    gold = [1, 0, 1]
    output = run(model, label=torch.tensor(gold))
    chances = output["logits"].softmax(-1).tolist()
    losses = [
        -math.log(chances[text][label]) * (3 if label == 1 else 1)
        for text, label in enumerate(gold)
    ]
    assert output["loss"].item() == pytest.approx(sum(losses) / 3, rel=1e-5)
    assert model.loss_divisor(output) == 3


def test_loss_of_several_labels_weighs_those_that_a_text_has() -> None:
    model = head(multi_label=True, class_weights={"b": 3.0})
    gold = torch.tensor([[0, 1, 1], [0, 0, 0], [1, 0, 0]])
    output = run(model, labels=gold)
    chances = output["logits"].sigmoid().tolist()
    losses = [
        -math.log(chances[text][label]) * (3 if label == 1 else 1)
        if gold[text, label]
        else -math.log(1 - chances[text][label])
        for text in range(3)
        for label in range(3)
    ]
    assert output["loss"].item() == pytest.approx(sum(losses) / 9, rel=1e-5)


def test_answers_of_one_label_and_of_several() -> None:
    logits = torch.tensor([[0.0, 2.0, 1.0], [-3.0, -1.0, -2.0]])
    assert head().decode({"logits": logits}) == {"label": ["b", "b"]}
    several = head(multi_label=True, threshold=0.6)
    assert several.decode({"logits": logits}) == {"labels": [["b", "c"], []]}
    assert several.answers is not None and several.answers.kind == "labels"


def test_a_label_that_training_never_saw_is_a_miss_and_no_loss() -> None:
    model = head()
    alone = run(model, False, label=torch.tensor([0, -100, 1]))["loss"]
    without = run(model, False, label=torch.tensor([0, 0, 1]))
    lost = -without["logits"][1].log_softmax(-1)[0] / 3
    torch.testing.assert_close(alone, without["loss"] - lost)
    best = run(model, False)["logits"].argmax(-1).tolist()
    metadata = [{"labels": [LABELS[best[0]]]}, {"labels": ["new"]}, {"labels": [LABELS[best[2]]]}]
    run(model, label=torch.tensor([best[0], -100, best[2]]), metadata=metadata)
    assert model.get_metrics(reset=True)["accuracy"] == pytest.approx(2 / 3)
    assert "f1-measure-a" not in model.get_metrics()
    run(model, label=torch.tensor([best[0], -100, best[2]]))
    assert model.get_metrics()["accuracy"] == pytest.approx(2 / 3)


def test_balanced_weights_are_counted_and_kept() -> None:
    def texts(several: bool) -> list[Instance]:
        fields = [
            {"labels": MultiLabelField(list(labels))} if several else {"label": LabelField(labels)}
            for labels in (["a", "ab", "", "a"] if several else "aaab")
        ]
        return [Instance(field) for field in fields]  # type: ignore[arg-type]

    for several, expected in ((False, [4 / 9, 4 / 3, 4 / 3]), (True, [1 / 3, 3.0, 4.0])):
        model = head(class_weights="balanced", multi_label=several)
        instances = texts(several)
        vocab = Vocabulary()
        for label in LABELS:
            vocab.add_token_to_namespace(label, "labels")
        for instance in instances:
            instance.index_fields(vocab)
        model.prepare(iter(instances))
        torch.testing.assert_close(model.state_dict()["label_weights"], torch.tensor(expected))
    # Those that the config says are not: a model fine-tuned with others would take them over.
    assert "label_weights" not in head(class_weights={"b": 3.0}).state_dict()


@pytest.mark.parametrize(
    "block, message",
    [
        ({"pooling": "sum"}, "pooling is 'sum'; choose one of mean, max, attention"),
        ({"threshold": 1.0}, "threshold is 1.0; write a probability"),
        ({"class_weights": "even"}, "class_weights is 'even'; write 'balanced'"),
        ({"class_weights": {"d": 2.0}}, "class_weights names 'd', .*: a, b, c"),
        ({"class_weights": {"a": 0}}, r"class_weights.a is 0.*; write more than 0"),
    ],
)
def test_unfit_values_are_refused(block: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        head(**block)


def test_a_reader_of_one_label_does_not_fit_several() -> None:
    with pytest.raises(ConfigurationError, match="multi_label: true, but its reader gives one"):
        run(head(multi_label=True), label=torch.tensor([0, 1, 2]))
    with pytest.raises(ConfigurationError, match="multi_label: false, but its reader gives a list"):
        run(head(), labels=torch.zeros(3, 3))


def test_probabilities_are_a_softmax_or_sigmoids_and_thresholds_choose_by_them() -> None:
    one, several = head(), head(multi_label=True)
    output = run(one)
    (label,) = one.decode(output).values()
    expected = [max(text.softmax(0).tolist()) for text in output["logits"]]
    assert one.probabilities(output, label) == pytest.approx(expected)
    output = run(several)
    several.thresholds = {"a": 0.999, "b": 0.001, "c": 0.001}
    labels = several.decode(output)["labels"]
    assert labels == [["b", "c"]] * 3
    expected = [text.sigmoid().tolist()[1:] for text in output["logits"]]
    for found, wanted in zip(several.probabilities(output, labels), expected):
        assert found == pytest.approx(wanted)
