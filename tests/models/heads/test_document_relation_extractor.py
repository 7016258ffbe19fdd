"""Relations between entities: each number of the head against loops over what the papers define."""

import math
from typing import Any

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import Instance, Vocabulary
from allennlp.data.fields import MetadataField

from hmtl.data.batch_stream import collate
from hmtl.data.readers.docred import DocredReader
from hmtl.fine_tuning.transfer import NEW, fill
from hmtl.models.heads import document_relation_extractor
from hmtl.models.heads.document_relation_extractor import (
    DocumentRelationExtractor,
    adaptive_threshold_losses,
)
from hmtl.models.heads.head import Head

DIM, LABELS, TYPES = 6, ["P17", "P131", "P19"], ["PER", "LOC"]
# (words, entities, relations): the first with nested mentions, one mention twice, and a type of no training.
DOCUMENTS: list[tuple[int, list[Any], list[tuple[int, int, str]]]] = [
    (
        7,
        [
            [("PER", (0, 1)), ("PER", (4, 4)), ("PER", (4, 4))],
            [("LOC", (1, 1))],
            [("LAW", (2, 6)), ("LOC", (5, 5))],
        ],
        [(0, 1, "P17"), (0, 1, "P19"), (2, 0, "P131")],
    ),
    (3, [[("LOC", (0, 0))], [("PER", (2, 2))]], []),
    (2, [[("LOC", (0, 1))]], []),
    (4, [], []),
]


def build(**changes: Any) -> DocumentRelationExtractor:
    torch.manual_seed(0)
    vocab = Vocabulary()
    for namespace, labels in (("document_relation_labels", LABELS), ("entity_labels", TYPES)):
        for label in labels:
            vocab.add_token_to_namespace(label, namespace)
    sizes = {"hidden_dim": 6, "block_size": 3, "attention_dim": 5, "type_dim": 2}
    params = Params({"type": "document_relation_extractor", **sizes, **changes})
    head = Head.from_params(params, vocab=vocab, encoded_dim=DIM)
    assert isinstance(head, DocumentRelationExtractor)
    for parameter in head.parameters():
        torch.nn.init.normal_(parameter)
    return head.double().eval()


def batch(head: DocumentRelationExtractor, with_gold: bool = True) -> dict[str, Any]:
    """The documents as the head is given them."""
    longest = max(length for length, _, _ in DOCUMENTS)
    instances = []
    for length, entities, relations in DOCUMENTS:
        words = [f"w{index}" for index in range(length)]
        fields = dict(head.entity_fields(words, entities))
        if with_gold:
            read = DocredReader().text_to_instance([words], entities, relations, "d")
            fields |= {"relations": read["relations"], "metadata": read["metadata"]}
        instance = Instance(fields)
        vocab = Vocabulary()
        for label in head.labels:
            vocab.add_token_to_namespace(label, "document_relation_labels")
        instance.index_fields(vocab)
        instances.append(instance)
    encoded = torch.randn(len(DOCUMENTS), longest, DIM, generator=torch.manual_seed(1)).double()
    lengths = torch.tensor([length for length, _, _ in DOCUMENTS])
    mask = torch.arange(longest) < lengths.unsqueeze(1)
    # What stands on padding must not matter.
    encoded = encoded + 50 * ~mask.unsqueeze(-1)
    return {"inputs": encoded, "encoded": encoded, "mask": mask, **collate(instances)}


def naive_scores(
    head: DocumentRelationExtractor, encoded: torch.Tensor, entities: list[Any]
) -> Any:
    """By head and tail the scores of all classes, entry by entry."""
    vectors = []
    for mentions in entities:
        each = []
        for kind, (start, end) in mentions:
            mean = sum(encoded[start : end + 1]) / (end + 1 - start)
            row = TYPES.index(kind) + 1 if kind in TYPES else 0
            each.append(torch.cat([mean, head.type_vectors.weight[row]]))
        vectors.append(
            torch.tensor(
                [math.log(sum(math.exp(v[i].item()) for v in each)) for i in range(len(each[0]))]
            ).double()
        )
    found = {}
    for h, first in enumerate(vectors):
        for t, second in enumerate(vectors):
            if h == t:
                continue
            shares = []
            for vector in (first, second):
                scores = [
                    math.exp(head.query(vector) @ head.key(token) / math.sqrt(5))
                    for token in encoded
                ]
                shares.append([score / sum(scores) for score in scores])
            product = [a * b for a, b in zip(*shares)]
            context = sum(weight * token for weight, token in zip(product, encoded)) / sum(product)
            one = (head.head_entity(first) + head.head_context(context)).tanh()
            two = (head.tail_entity(second) + head.tail_context(context)).tanh()
            # Entries are multiplied within blocks of three.
            products = [
                one[3 * b + i] * two[3 * b + j] for b in (0, 1) for i in range(3) for j in range(3)
            ]
            found[h, t] = head.classifier.weight @ torch.stack(products) + head.classifier.bias
    return found


def naive_loss(scores: list[float], gold: set[int]) -> float:
    """Zhou et al. (2021), equation 10: the threshold is class 0."""
    loss = 0.0
    for kind in gold:
        loss -= math.log(math.exp(scores[kind]) / sum(math.exp(scores[k]) for k in gold | {0}))
    others = [k for k in range(len(scores)) if k not in gold]
    return loss - math.log(math.exp(scores[0]) / sum(math.exp(scores[k]) for k in others))


@pytest.mark.parametrize("numbers_in_a_chunk", [1, 40, 2**23])
def test_scores_loss_and_answers_are_those_of_loops(
    monkeypatch: pytest.MonkeyPatch, numbers_in_a_chunk: int
) -> None:
    monkeypatch.setattr(document_relation_extractor, "CHUNK_NUMBERS", numbers_in_a_chunk)
    head = build()
    given = batch(head)
    in_chunks: list[int] = []
    logits_of = head._logits

    def counted(pairs: torch.Tensor, *others: torch.Tensor) -> torch.Tensor:
        in_chunks.append(len(pairs))
        return logits_of(pairs, *others)

    monkeypatch.setattr(head, "_logits", counted)
    output = head(compute_metrics=True, **given)
    # A pair is 18 products.
    assert max(in_chunks) <= max(1, numbers_in_a_chunk // 18)
    losses: list[float] = []
    answers: list[list[tuple[int, int, str]]] = []
    rows = iter(output["logits"])
    places = iter(output["pairs"].tolist())
    for number, (length, entities, relations) in enumerate(DOCUMENTS):
        scores = naive_scores(head, given["encoded"][number, :length], entities)
        answers.append([])
        for (h, t), expected in sorted(scores.items()):
            assert next(places) == [number, h, t]
            torch.testing.assert_close(next(rows), expected)
            gold = {LABELS.index(label) + 1 for a, b, label in relations if (a, b) == (h, t)}
            losses.append(naive_loss(expected.tolist(), gold))
            answers[-1] += [(h, t, LABELS[k - 1]) for k in (1, 2, 3) if expected[k] > expected[0]]
    assert next(rows, None) is None
    assert output["loss"].item() == pytest.approx(sum(losses) / len(losses))
    assert head.loss_divisor(output) == len(losses) == 8
    assert head.decode(output)["relations"] == answers and any(answers)
    right = sum(len(set(each) & set(gold)) for each, (_, _, gold) in zip(answers, DOCUMENTS))
    metrics = head.get_metrics(reset=True)
    assert metrics["recall-overall"] == right / 3
    assert metrics["precision-overall"] == right / sum(map(len, answers))
    # The same without gold, as in prediction.
    again = head(compute_metrics=False, **batch(head, with_gold=False))
    torch.testing.assert_close(again["logits"], output["logits"])
    probabilities = head.probabilities(again, answers)
    assert [len(each) for each in probabilities] == [len(each) for each in answers]
    assert all(0.5 < each < 1.0 for own in probabilities for each in own)


def test_gradients_are_the_same_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    gradients = []
    for size in (2**23, 20):
        monkeypatch.setattr(document_relation_extractor, "CHUNK_NUMBERS", size)
        head = build(dropout=0.0).train()
        given = batch(head)
        encoded = given["encoded"].requires_grad_()
        head(compute_metrics=False, **{**given, "inputs": encoded})["loss"].backward()
        gradients.append([encoded.grad, *(each.grad for each in head.parameters())])
        # A type that training never saw is none, and nothing is learned of it.
        assert head.type_vectors.weight.grad is not None
        assert not bool(head.type_vectors.weight.grad[0].any())
    assert all(bool(each.isfinite().all()) and bool(each.any()) for each in gradients[0])
    for one, other in zip(*gradients):
        torch.testing.assert_close(one, other)


def test_threshold_is_learned_to_part_gold_types_from_others() -> None:
    logits = torch.tensor([[0.0, 2.0, -1.0, 0.5], [1.0, 0.0, 0.0, 0.0]], requires_grad=True)
    gold = torch.tensor([[False, True, False, False], [False, False, False, False]])
    losses = adaptive_threshold_losses(logits, gold)
    expected = [naive_loss(row, kinds) for row, kinds in zip(logits.tolist(), ({1}, set()))]
    assert losses.tolist() == pytest.approx(expected)
    losses.sum().backward()
    assert logits.grad is not None and bool(logits.grad.isfinite().all())


def test_loss_of_half_precision_is_in_single() -> None:
    logits, gold = torch.randn(2, 4).bfloat16(), torch.zeros(2, 4, dtype=torch.bool)
    assert adaptive_threshold_losses(logits, gold).dtype is torch.float32


def test_large_vectors_are_pooled_without_overflow() -> None:
    head = build()
    encoded = 2000 * torch.randn(1, 4, DIM).double()
    mentions = torch.tensor([[[0, 0], [1, 1], [2, 3]]])
    owners, types = torch.tensor([[0, 0, 1]]), torch.tensor([[0, 0, 1]])
    found = head._entities(encoded, mentions, owners, types, 2)[0, :, :DIM]
    torch.testing.assert_close(found[0], encoded[0, :2].logsumexp(dim=0))
    torch.testing.assert_close(found[1], encoded[0, 2:].mean(dim=0))


def test_dropout_acts_on_the_encoding_and_on_both_sides_of_a_pair() -> None:
    head, dropped = build(), []
    head.dropout.register_forward_pre_hook(lambda module, given: dropped.append(given[0].shape))
    head(compute_metrics=False, **{k: v[:1] for k, v in batch(head, with_gold=False).items()})
    assert dropped == [(1, 7, DIM), (6, 6), (6, 6)]


def test_documents_without_a_pair_cost_nothing() -> None:
    head = build()
    given = batch(head)
    alone = {name: each[2:] for name, each in given.items()}
    output = head(compute_metrics=True, **alone)
    assert output["loss"].item() == 0.0 and head.decode(output) == {"relations": [[], []]}


def test_relations_of_training_count_for_ign_f1_by_names(tmp_path: Any) -> None:
    head = build()
    words, entities = (
        ["Ada", "Wren", "of", "Selby"],
        [[("PER", (0, 1)), ("PER", (0, 0))], [("LOC", (3, 3))]],
    )
    read = DocredReader().text_to_instance([words], entities, [(0, 1, "P19")], "train")
    assert head.known_facts.numel() == 0
    head.prepare([read])
    assert head.parameter_axes((), ())["classifier.bias"] == ([0, *LABELS],)
    # Two names of the head, one of the tail.
    assert head.known_facts.numel() == 2
    other = build()
    # Fine-tuning on other data begins without them.
    axes = [each.parameter_axes((), range(DIM))["known_facts"] for each in (other, head)]
    assert fill(other.known_facts, axes[0], head.known_facts, axes[1])[1] == NEW
    other.load_state_dict(head.state_dict())
    assert other.known_facts.tolist() == head.known_facts.tolist()
    asked = DocredReader().text_to_instance(
        [["Selby", ":", "Ada", "Hart"]],
        # Of two names one is known.
        [[("LOC", (0, 0))], [("PER", (2, 3)), ("PER", (2, 2))]],
        [(1, 0, "P19"), (1, 0, "P17")],
        "dev",
    )
    metadata = asked["metadata"]
    assert isinstance(metadata, MetadataField)
    other._count([[(1, 0, "P19"), (1, 0, "P17")]], [dict(metadata.metadata)])
    metrics = other.get_metrics()
    assert metrics["precision-overall"] == metrics["ign-precision"] == 1.0
    assert other.scores.correct_known == 1


def test_blocks_that_do_not_fit_are_refused() -> None:
    with pytest.raises(
        ConfigurationError, match="block_size is 4 and hidden_dim 6; write a block_size"
    ):
        build(block_size=4)
