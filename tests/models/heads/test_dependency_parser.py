import inspect
import itertools
import random
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from allennlp.common import Params
from allennlp.data import Vocabulary

from hmtl.models.heads.dependency_parser import DependencyParser, best_trees
from hmtl.models.heads.head import Head

ENCODED_DIM = 4
RELATIONS = ["root", "nsubj", "nsubj:pass", "obj"]


def build(**changes: Any) -> DependencyParser:
    vocab = Vocabulary()
    for label in RELATIONS:
        vocab.add_token_to_namespace(label, "dependency_labels")
    sizes = {"arc_dim": 5, "label_dim": 3, **changes}
    params = Params({"type": "dependency_parser", **sizes})
    head = Head.from_params(params, vocab=vocab, encoded_dim=ENCODED_DIM)
    assert isinstance(head, DependencyParser)
    for parameter in head.parameters():
        torch.nn.init.normal_(parameter)
    return head.double().eval()


def is_tree(heads: tuple[int, ...]) -> bool:
    """Whether every token gets to the root, and one of them at once."""
    reached = {0}
    for _ in heads:
        reached |= {token for token, head in enumerate(heads, start=1) if head in reached}
    return len(reached) == len(heads) + 1 and heads.count(0) == 1


def trees(length: int) -> Iterator[tuple[int, ...]]:
    return filter(is_tree, itertools.product(range(length + 1), repeat=length))


def random_tree(length: int) -> tuple[int, ...]:
    """Of tokens counted from 1, each hung below one that hangs already."""
    order = random.sample(range(1, length + 1), length)
    heads = {order[0]: 0}
    for place, token in enumerate(order[1:], start=1):
        heads[token] = random.choice(order[:place])
    return tuple(heads[token] for token in range(1, length + 1))


def sentence(heads: tuple[int, ...]) -> dict[str, Any]:
    labels = [random.randrange(len(RELATIONS)) for _ in heads]
    encoded = 2 * torch.randn(1, len(heads), ENCODED_DIM).double()
    arcs = [
        (head - 1 if head else token, token, label)
        for token, (head, label) in enumerate(zip(heads, labels))
    ]
    tree = [(head - 1 if head else None, RELATIONS[label]) for head, label in zip(heads, labels)]
    return {
        "inputs": encoded,
        "encoded": encoded,
        "mask": torch.ones(1, len(heads), dtype=torch.bool),
        "arcs": torch.tensor([arcs]),
        "metadata": [{"tree": tree, "words": ["w"] * len(heads)}],
    }


def batch(sentences: list[dict[str, Any]]) -> dict[str, Any]:
    padded: dict[str, Any] = {"metadata": [each["metadata"][0] for each in sentences]}
    for name, value in (("inputs", 0), ("encoded", 9.0), ("mask", 0), ("arcs", -1)):
        tensors = [each[name][0] for each in sentences]
        padded[name] = torch.nn.utils.rnn.pad_sequence(tensors, True, value)
    return padded


@pytest.mark.parametrize("length", [1, 2, 3, 4])
def test_decoded_trees_are_the_best_of_all_with_one_root(length: int) -> None:
    torch.manual_seed(length)
    # The first is a root for most; only then does one root have a price.
    scores = torch.randn(60, length, length + 1).double()
    scores[:30, :, 0] += 3
    scores[:, range(length), range(1, length + 1)] = -torch.inf
    mask = torch.ones(60, length, dtype=torch.bool)
    all_trees = list(trees(length))
    for each, heads in zip(scores.tolist(), best_trees(scores, mask).tolist()):
        best = max(all_trees, key=lambda tree: sum(row[head] for row, head in zip(each, tree)))
        assert tuple(heads) == best


def test_more_cycles_than_python_recurs_by_default() -> None:
    length, limit = 120, sys.getrecursionlimit()
    scores = torch.zeros(1, length, length + 1)
    first = torch.arange(0, length, 2)
    scores[0, first, first + 2] = scores[0, first + 1, first + 1] = 5
    scores[:, range(length), range(1, length + 1)] = -torch.inf
    sys.setrecursionlimit(len(inspect.stack()) + 50)
    try:
        (heads,) = best_trees(scores, torch.ones(1, length, dtype=torch.bool)).tolist()
    finally:
        sys.setrecursionlimit(limit)
    assert is_tree(tuple(heads))


def test_sentences_alone_are_as_in_a_padded_batch() -> None:
    torch.manual_seed(0)
    random.seed(0)
    head = build()
    examples = [sentence(random_tree(length)) for length in (5, 1, 3)]
    padded = batch(examples)
    together = head(compute_metrics=False, **padded)
    alone = [head(compute_metrics=False, **each) for each in examples]
    sums = [output["loss"] * head.loss_divisor(output) for output in alone]
    torch.testing.assert_close(together["loss"] * head.loss_divisor(together), sum(sums))
    trees_together = head.decode(together)["tree"]
    assert trees_together == [head.decode(output)["tree"][0] for output in alone]
    for tree in trees_together:
        assert is_tree(tuple(0 if parent is None else parent + 1 for parent, _ in tree))


def test_loss_is_that_of_a_naive_loop() -> None:
    torch.manual_seed(1)
    random.seed(1)
    head = build()
    example = sentence((2, 0, 2, 3))
    example["arcs"] = example["arcs"][:, :3]  # the last token has no gold arc
    (encoded,), (arcs,) = example["encoded"], example["arcs"]
    relu = torch.relu
    possible_heads = [head.root, *encoded]
    expected = torch.zeros(()).double()
    for parent, token, label in arcs.tolist():
        gold = 0 if parent == token else parent + 1
        scores = []
        for place, vector in enumerate(possible_heads):
            dependent = relu(head.arc_dependent(encoded[token]))
            weights, bias = head.arc_weight[:-1], head.arc_weight[-1]
            score = (dependent @ weights + bias) @ relu(head.arc_head(vector))
            scores.append(score if place != token + 1 else torch.tensor(-torch.inf).double())
        expected = expected - torch.stack(scores).log_softmax(0)[gold]
        one = torch.ones(1).double()
        dependent = torch.cat([relu(head.label_dependent(encoded[token])), one])
        of_head = torch.cat([relu(head.label_head(possible_heads[gold])), one])
        labels = torch.stack([dependent @ weight @ of_head for weight in head.label_weight])
        expected = expected - labels.log_softmax(0)[label]
    torch.testing.assert_close(head(compute_metrics=False, **example)["loss"], expected / 4)


def test_labels_that_were_never_seen_count_as_misses() -> None:
    head = build()
    example = sentence((0, 1))
    gold = [(None, "root"), (0, "obl")]
    example["metadata"][0]["tree"] = gold
    predicted = [(None, "root"), (0, "obj")]
    head.decode = lambda output_dict: {"tree": [predicted]}  # type: ignore[method-assign]
    head(compute_metrics=True, **example)
    assert head.get_metrics(reset=True) == {"uas": 1.0, "las": 0.5}
    assert head.get_metrics(full=True)["uas"] == 0.0


def test_estimate_of_memory_grows_with_the_square_of_the_tokens() -> None:
    head = build()
    assert head.training_memory(2, 200) > 3 * head.training_memory(2, 100)
    assert head.training_memory(4, 100) == 2 * head.training_memory(2, 100)


def test_a_token_is_as_probable_as_its_head_and_then_its_relation() -> None:
    torch.manual_seed(6)
    head = build()
    example = sentence((2, 0, 2, 3))
    output = head(compute_metrics=False, **example)
    trees = head.decode(output)["tree"]
    (found,) = head.probabilities(output, trees)
    shares = output["arc_scores"][0].softmax(-1)
    for token, (own, (parent, label)) in enumerate(zip(found, trees[0], strict=True)):
        chosen = 0 if parent is None else parent + 1
        dependent, above = output["label_dependent"][0, token], output["label_head"][0, chosen]
        scores = torch.stack([dependent @ weight @ above for weight in head.label_weight])
        of_label = scores.softmax(-1)[RELATIONS.index(label)]
        assert own == pytest.approx((shares[token, chosen] * of_label).item())
