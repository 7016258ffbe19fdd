import math
from itertools import combinations

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary

from hmtl.models.heads.head import Head
from hmtl.models.heads.span_classifier import SpanClassifier

ENCODED_DIM, LABELS = 4, ["PER", "ORG"]
PER, ORG = 0, 1


def build(**changes) -> SpanClassifier:
    vocab = Vocabulary()
    for label in LABELS:
        vocab.add_token_to_namespace(label, "span_labels")
    params = Params({"type": "span_classifier", "label_namespace": "span_labels", **changes})
    head = Head.from_params(params, vocab=vocab, encoded_dim=ENCODED_DIM)
    assert isinstance(head, SpanClassifier)
    for parameter in head.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return head.double().eval()


def example(lengths: list[int], spans: list[list[tuple[int, int, int]]]) -> dict:
    encoded = torch.randn(len(lengths), max(lengths), ENCODED_DIM).double()
    rows = max(map(len, spans))
    padded = [[*each, *[(-1, -1, -1)] * (rows - len(each))] for each in spans]
    return {
        "inputs": encoded,
        "encoded": encoded,
        "mask": torch.arange(max(lengths)) < torch.tensor(lengths).unsqueeze(1),
        "spans": torch.tensor(padded).reshape(len(lengths), rows, 3),
        "metadata": [
            {"spans": [[LABELS[kind], [start, end]] for start, end, kind in each]} for each in spans
        ],
    }


@pytest.mark.parametrize("width", [None, 2])
def test_loss_is_that_of_each_span_alone_summed(width: int | None) -> None:
    torch.manual_seed(0)
    head = build(max_span_width=width)
    gold = [[(0, 2, PER), (1, 1, ORG)], [(0, 0, ORG)], []]
    batch = example([4, 1, 2], gold)
    expected = 0.0
    for encoded, length, spans in zip(batch["encoded"], [4, 1, 2], gold):
        classes = {(start, end): kind + 1 for start, end, kind in spans}
        for start in range(length):
            for end in range(start, length if width is None else min(length, start + width)):
                first, last = (
                    head.start_projection(encoded[start]),
                    head.end_projection(encoded[end]),
                )
                one, other = (
                    torch.cat([torch.nn.functional.gelu(each), torch.ones(1)])
                    for each in (first, last)
                )
                inside = head.token_projection(encoded[start : end + 1]).sum(dim=0)
                by_class = zip(head.biaffine, inside)
                scores = [(one @ matrix @ other + more).item() for matrix, more in by_class]
                total = math.log(sum(map(math.exp, scores)))
                expected += total - scores[classes.get((start, end), 0)]
    output = head(compute_metrics=False, **batch)
    assert output["loss"].item() == pytest.approx(expected)
    assert head.loss_divisor(output) is None


def test_dropout_acts_on_the_encoding() -> None:
    head, batch, dropped = build(), example([4, 1], [[(0, 1, PER)], []]), []
    head.dropout.register_forward_pre_hook(lambda module, given: dropped.append(given[0]))
    head(compute_metrics=False, **batch)
    assert len(dropped) == 1 and dropped[0] is batch["encoded"]


def probable(*spans: tuple[int, int, int, float]) -> dict[str, torch.Tensor]:
    """Scores in which these spans are so much better than none."""
    logits = torch.zeros(1, 1 + len(LABELS), 6, 6)
    logits[:, 0] = 1.0
    for start, end, kind, score in spans:
        logits[0, 1 + kind, start, end] = 1.0 + score
        # What is added to all classes of a span alike makes none of them more probable.
        logits[0, :, start, end] += 9.0 - 3 * score
    return {"logits": logits, "mask": torch.tensor([[True] * 5 + [False]])}


def test_most_probable_spans_come_first_and_none_crosses_an_earlier_one() -> None:
    # Crosses the first; lies in it; ends before it begins; stands on padding.
    scores = probable(
        (1, 3, PER, 3.0), (0, 2, ORG, 2.0), (2, 3, ORG, 1.0), (4, 2, PER, 9.0), (4, 5, PER, 9.0)
    )
    answers = build().decode(scores)["spans"]
    assert answers == [[("PER", (1, 3)), ("ORG", (2, 3))]]
    shares = [math.exp(4) / (math.exp(4) + math.e + 1), math.exp(2) / (math.exp(2) + math.e + 1)]
    assert build().probabilities(scores, answers) == [pytest.approx(shares)]
    assert build(decoding="flat").decode(scores)["spans"] == [[("PER", (1, 3))]]
    assert build(max_span_width=2).decode(scores)["spans"] == [[("ORG", (2, 3))]]
    outer_first = build().decode(probable((0, 1, PER, 3.0), (0, 3, ORG, 2.0)))["spans"]
    assert outer_first == [[("ORG", (0, 3)), ("PER", (0, 1))]]


@pytest.mark.parametrize("decoding", ["nested", "flat"])
def test_decoded_spans_never_cross(decoding: str) -> None:
    torch.manual_seed(1)
    logits = torch.randn(8, 1 + len(LABELS), 9, 9)
    output = {"logits": logits, "mask": torch.ones(8, 9, dtype=torch.bool)}
    for spans in build(decoding=decoding).decode(output)["spans"]:
        assert spans
        for (_, one), (_, other) in combinations(spans, 2):
            shared = set(range(one[0], one[1] + 1)) & set(range(other[0], other[1] + 1))
            smaller = min(one[1] - one[0], other[1] - other[0]) + 1
            assert len(shared) in ((0,) if decoding == "flat" else (0, smaller))


def test_label_that_the_vocabulary_lacks_is_a_miss() -> None:
    head = build()
    head.decode = lambda output_dict: {"spans": [[("PER", (0, 1))]]}  # type: ignore[method-assign]
    batch = example([3], [[(0, 1, PER)]])
    batch["metadata"][0]["spans"].append(["LAW", [2, 2]])
    head(compute_metrics=True, **batch)
    metrics = head.get_metrics(reset=True, full=True)
    assert metrics["precision-overall"] == 1.0 and metrics["recall-LAW"] == 0.0
    assert head.get_metrics() == {
        f"{figure}-overall": 0.0 for figure in ("precision", "recall", "f1-measure")
    }


def test_same_scores_with_labels_in_another_order_are_the_same_parameters() -> None:
    head = build()
    axes = head.parameter_axes(["in"], ["out"] * ENCODED_DIM)
    for name in ("biaffine", "token_projection.weight", "token_projection.bias"):
        assert axes[name][0] == [0, *LABELS]
    assert set(axes) < {name for name, _ in head.named_parameters()}


@pytest.mark.parametrize(
    "wrong, message",
    [({"decoding": "both"}, "choose 'nested'"), ({"max_span_width": 0}, "a token at least")],
)
def test_wrong_settings_are_refused(wrong: dict, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        build(**wrong)
