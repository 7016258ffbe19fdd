import math
import random
from contextlib import nullcontext
from itertools import combinations_with_replacement

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary

from hmtl.metrics.coref_scores import CorefScores
from hmtl.models.heads.coreference_resolver import (
    OTHER_SPEAKER,
    SAME_SPEAKER,
    UNKNOWN,
    CoreferenceResolver,
    antecedent_loss,
    link_clusters,
)
from hmtl.models.heads.head import Head
from hmtl.modules import pair_scorer
from hmtl.modules.few_calls import few_calls_everywhere
from hmtl.modules.pair_scorer import distance_bucket
from hmtl.modules.same_words import NUM_PAIR_KINDS, OTHER_WORDS, SAME_LAST_WORD, SAME_WORDS

INPUT_DIM = 5
ENCODED_DIM = 4
MAX_SPAN_WIDTH = 3


def build(**changes) -> CoreferenceResolver:
    feedforward = {"num_layers": 2, "hidden_dims": 6, "activations": "tanh", "dropout": 0.3}
    params = {
        "type": "coreference_resolver",
        "mention_feedforward": dict(feedforward),
        "antecedent_feedforward": dict(feedforward),
        "feature_size": 2,
        "max_span_width": MAX_SPAN_WIDTH,
        "spans_per_word": 0.7,
        "max_antecedents": 4,
        **changes,
    }
    head = Head.from_params(
        Params(params), vocab=Vocabulary(), input_dim=INPUT_DIM, encoded_dim=ENCODED_DIM
    )
    assert isinstance(head, CoreferenceResolver)
    for parameter in head.parameters():
        # Scores large enough that antecedents are chosen and losses differ.
        torch.nn.init.normal_(parameter)
    return head.double().eval()


def candidates(num_tokens: int) -> list[tuple[int, int]]:
    return [
        (start, end)
        for start, end in combinations_with_replacement(range(num_tokens), 2)
        if end - start < MAX_SPAN_WIDTH
    ]


def document(
    num_tokens: int, clusters: list[list[tuple[int, int]]], speakers: bool = False
) -> dict:
    """Of two speakers, with words of none among theirs, if speakers are asked for."""
    spans = candidates(num_tokens)
    cluster_of = {span: index for index, cluster in enumerate(clusters) for span in cluster}
    of_tokens = {"speakers": torch.randint(3, (1, num_tokens))} if speakers else {}
    return {
        **of_tokens,
        "inputs": torch.randn(1, num_tokens, INPUT_DIM).double(),
        "encoded": torch.randn(1, num_tokens, ENCODED_DIM).double(),
        "mask": torch.ones(1, num_tokens, dtype=torch.bool),
        "spans": torch.tensor([spans]),
        "span_labels": torch.tensor([[cluster_of.get(span, -1) for span in spans]]),
        "metadata": [{"clusters": clusters, "words": random.choices("aAbcd", k=num_tokens)}],
    }


def batch(documents: list[dict]) -> dict:
    """Pads as AllenNLP's fields do: spans with -1, labels with 0."""
    padded: dict = {"metadata": [entry for item in documents for entry in item["metadata"]]}
    for name in documents[0].keys() - {"metadata"}:
        tensors = [item[name][0] for item in documents]
        padded[name] = torch.nn.utils.rnn.pad_sequence(
            tensors, batch_first=True, padding_value=-1 if name == "spans" else 0
        )
    return padded


COARSE_OR_NOT = pytest.mark.parametrize("coarse_to_fine", [False, True])
CLUSTERS = [[(0, 1), (3, 3), (7, 8)], [(2, 2), (5, 6)]]


def naive_vector(head: CoreferenceResolver, example: dict, span: tuple[int, int]) -> torch.Tensor:
    start, end = span
    inputs, encoded = example["inputs"][0], example["encoded"][0]
    vectors = head.span_vectors
    weights = vectors.attention.score(inputs[start : end + 1]).softmax(dim=0)
    width = vectors.width_embedding.weight[min(end - start, MAX_SPAN_WIDTH - 1)]
    attended = (weights * inputs[start : end + 1]).sum(dim=0)
    vector = torch.cat([encoded[start], encoded[end], width, attended])
    if vectors.kind_embedding is None:
        return vector
    words = words_of(example, (0, len(inputs) - 1))
    how_often = [words_of(example, other) for other in candidates(len(words))]
    bucket = {0: 0, 1: 0, 2: 1, 3: 2, 4: 2}
    whole = bucket.get(how_often.count(words_of(example, span)), 3)
    kind = 4 * whole + bucket.get(words.count(words[end]), 3)
    return torch.cat([vector, vectors.kind_embedding.weight[kind]])


def words_of(example: dict, span: tuple[int, int]) -> list[str]:
    return [word.lower() for word in example["metadata"][0]["words"][span[0] : span[1] + 1]]


def naive_kind(
    head: CoreferenceResolver, example: dict, span: tuple[int, int], other: tuple[int, int]
) -> int:
    speakers = words = 0
    if head.takes_speakers:
        own, its = example["speakers"][0, [span[0], other[0]]].tolist()
        speakers = UNKNOWN if not own or not its else SAME_SPEAKER if own == its else OTHER_SPEAKER
    if head.string_match:
        words = naive_match(example, span, other)
    return speakers * (NUM_PAIR_KINDS if head.string_match else 1) + words


def naive_match(example: dict, span: tuple[int, int], other: tuple[int, int]) -> int:
    own, its = words_of(example, span), words_of(example, other)
    return SAME_WORDS if own == its else SAME_LAST_WORD if own[-1] == its[-1] else OTHER_WORDS


def naive_forward(
    head: CoreferenceResolver,
    example: dict,
    spans: list[tuple[int, int]],
    keep: int,
    max_antecedents: int = 4,
) -> tuple[torch.Tensor, list[tuple[int, int]], list[int]]:
    """Loss, kept spans and chosen antecedents of one document, a pair at a time."""
    vectors = {span: naive_vector(head, example, span) for span in spans}
    mention = {span: head.mention_scorer(vectors[span][None])[0] for span in spans}
    kept = sorted(sorted(spans, key=lambda span: mention[span].item(), reverse=True)[:keep])
    clusters = example["metadata"][0]["clusters"]
    cluster_of = {span: index for index, cluster in enumerate(clusters) for span in cluster}
    scorer = head.antecedent_scorer
    loss, chosen = torch.zeros((), dtype=torch.double), []
    for index, span in enumerate(kept):
        scores, gold = [torch.zeros((), dtype=torch.double)], []
        earlier = list(range(index - 1, max(-1, index - 1 - max_antecedents), -1))
        if head.coarse_scorer is not None:
            weight = head.coarse_scorer.weight
            coarse = [vectors[other] @ weight @ vectors[span] for other in kept[:index]]
            rank = [coarse[other] + mention[kept[other]] for other in range(index)]
            best = sorted(range(index), key=lambda other: rank[other].item(), reverse=True)
            earlier = sorted(best[:max_antecedents], reverse=True)
        elif head.string_match:
            reach = min(max_antecedents, len(kept) - 1)
            near = set(range(index - reach // 2, index))
            match = [3 if o in near else naive_match(example, span, kept[o]) for o in range(index)]
            best = sorted(range(index), key=lambda other: (match[other], other), reverse=True)
            earlier = sorted(best[:reach], reverse=True)
        for other_index in earlier:
            other = kept[other_index]
            feature = scorer.distance_embedding.weight[distance_bucket(index - other_index)]
            i, j = vectors[span], vectors[other]
            pair = torch.cat([i, j, i * j, feature])
            if scorer.kind_embedding is not None:
                kind = naive_kind(head, example, span, other)
                pair = torch.cat([pair, scorer.kind_embedding.weight[kind]])
            score = scorer.output(scorer.feedforward(pair)).squeeze()
            if head.coarse_scorer is not None:
                score = score + coarse[other_index]
            scores.append(score + mention[span] + mention[other])
            if span in cluster_of and cluster_of.get(other) == cluster_of[span]:
                gold.append(len(scores) - 1)
        log_probs = torch.stack(scores).log_softmax(dim=0)
        loss = loss - log_probs[gold or [0]].logsumexp(dim=0)
        best_choice = int(torch.stack(scores).argmax())
        chosen.append(earlier[best_choice - 1] if best_choice else -1)
    return loss, kept, chosen


@pytest.mark.parametrize(
    "features, few_calls",
    [
        ((), False),
        (("coarse_to_fine",), True),
        (("speakers",), False),
        (("coarse_to_fine", "speakers"), False),
        (("string_match",), False),
        (("string_match",), True),
        (("coarse_to_fine", "speakers", "string_match"), False),
    ],
)
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("num_tokens, max_antecedents", [(9, 4), (9, 50), (4, 1), (12, 3)])
def test_loss_gradients_and_choices_agree_with_a_loop(
    monkeypatch, seed, num_tokens, max_antecedents, features, few_calls
) -> None:
    torch.manual_seed(seed)
    random.seed(seed)
    clusters = [[s for s in cluster if s[1] < num_tokens] for cluster in CLUSTERS]
    example = document(num_tokens, clusters, "speakers" in features)
    head = build(max_antecedents=max_antecedents, **dict.fromkeys(features, True))
    monkeypatch.setattr(pair_scorer, "CHOSEN_PAIRS_AT_ONCE", 7)
    tensors = [example["inputs"].requires_grad_(), example["encoded"].requires_grad_()]
    with few_calls_everywhere() if few_calls else nullcontext():
        output = head(compute_metrics=False, **example)
    keep = math.floor(0.7 * num_tokens)
    loss, kept, chosen = naive_forward(head, example, candidates(num_tokens), keep, max_antecedents)
    predictions = head.decode(output)
    assert predictions["top_spans"] == [kept]
    assert predictions["predicted_antecedents"] == [chosen]
    torch.testing.assert_close(output["loss"], loss)
    parameters = [*tensors, *head.parameters()]
    gradients = torch.autograd.grad(output["loss"], parameters)
    expected_gradients = torch.autograd.grad(loss, parameters)
    for gradient, expected in zip(gradients, expected_gradients, strict=True):
        torch.testing.assert_close(gradient, expected)


def test_coarse_scores_of_zero_leave_all_pairs_as_they_are() -> None:
    torch.manual_seed(4)
    examples = batch([document(12, CLUSTERS), document(3, [])])
    coarse, published = build(coarse_to_fine=True, max_antecedents=9), build(max_antecedents=9)
    torch.nn.init.zeros_(coarse.get_parameter("coarse_scorer.weight"))
    published.load_state_dict(coarse.state_dict(), strict=False)
    output = coarse(compute_metrics=False, **examples)
    for name, expected in published(compute_metrics=False, **examples).items():
        torch.testing.assert_close(output[name], expected)


def test_coarse_scores_under_autocast_are_near_those_without() -> None:
    torch.manual_seed(6)
    head, example = build(coarse_to_fine=True, max_antecedents=50).float(), document(9, CLUSTERS)
    for name in ("inputs", "encoded"):
        example[name] = example[name].float() / 4
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output = head(compute_metrics=False, **example)
    output["loss"].backward()
    gradients = [parameter.grad for parameter in head.parameters()]
    assert all(gradient is not None and gradient.isfinite().all() for gradient in gradients)
    expected = head(compute_metrics=False, **example)["loss"]
    torch.testing.assert_close(output["loss"], expected, atol=0.1, rtol=0.1)


def test_spans_that_are_mentions_are_learned_and_answered_alone() -> None:
    torch.manual_seed(0)
    example = document(9, [*CLUSTERS, [(8, 8)]])
    head, linking_only = build(singleton_threshold=0.6), build()
    # So that some spans are linked and others are not.
    torch.nn.init.constant_(head.antecedent_scorer.output.bias, -6.0)
    linking_only.load_state_dict(head.state_dict())
    linking = linking_only(compute_metrics=False, **example)
    output = head(compute_metrics=False, **example)
    (mask,) = output["top_span_mask"]
    gold = {span for cluster in example["metadata"][0]["clusters"] for span in cluster}
    expected, alone = linking["loss"], []
    (answers,) = head.decode(output)["clusters"]
    linked = {span for cluster in answers if len(cluster) > 1 for span in cluster}
    for (start, end), score, kept in zip(
        output["top_spans"][0].tolist(), output["mention_scores"][0], mask
    ):
        assert kept
        probability = score.sigmoid()
        expected = expected - (probability if (start, end) in gold else 1 - probability).log()
        if probability > 0.6 and (start, end) not in linked:
            alone.append([(start, end)])
    torch.testing.assert_close(output["loss"], expected)
    assert alone and [cluster for cluster in answers if len(cluster) == 1] == alone
    assert head.coref_scores.keep_singletons


def test_all_candidates_that_are_mentions_are_learned() -> None:
    torch.manual_seed(0)
    example = batch([document(9, CLUSTERS), document(4, [[(0, 0), (2, 2)]])])
    head, linking_only = build(mention_loss=0.2), build()
    linking_only.load_state_dict(head.state_dict())
    expected = linking_only(compute_metrics=False, **example)["loss"]
    scores = head._score_candidates(
        example["inputs"], example["encoded"], example["spans"].clamp(min=0)
    )
    for own, gold, entry in zip(scores, example["spans"].tolist(), example["metadata"]):
        mentions = {span for cluster in entry["clusters"] for span in cluster}
        for score, span in zip(own, map(tuple, gold)):
            if span != (-1, -1):
                probability = score.sigmoid() if span in mentions else 1 - score.sigmoid()
                expected = expected - 0.2 * probability.log()
    torch.testing.assert_close(head(compute_metrics=False, **example)["loss"], expected)


def test_a_negative_weight_of_the_mention_loss_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match="mention_loss is -1.0; write a weight of 0 or"):
        build(mention_loss=-1.0)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"singleton_threshold": 0.5},
        {"coarse_to_fine": True},
        {"speakers": True},
        {"string_match": True},
    ],
)
def test_documents_alone_are_as_in_a_padded_batch(changes) -> None:
    torch.manual_seed(1)
    random.seed(1)
    head, speakers = build(**changes), "speakers" in changes
    short = document(3, [[(0, 0), (2, 2)]], speakers)
    examples = [document(9, CLUSTERS, speakers), short, document(1, [], speakers)]
    together = head(compute_metrics=False, **batch(examples))
    alone = [head(compute_metrics=False, **example) for example in examples]
    torch.testing.assert_close(together["loss"], sum(output["loss"] for output in alone))
    assert head.loss_divisor(together) is None
    predictions = head.decode(together)
    for index, output in enumerate(alone):
        for name, (expected,) in head.decode(output).items():
            assert predictions[name][index] == expected


@COARSE_OR_NOT
def test_gradients_are_finite_in_a_padded_batch(coarse_to_fine) -> None:
    head = build(coarse_to_fine=coarse_to_fine)
    head(compute_metrics=False, **batch([document(9, CLUSTERS), document(1, [])]))[
        "loss"
    ].backward()
    gradients = [parameter.grad for parameter in head.parameters()]
    assert all(gradient is not None and gradient.isfinite().all() for gradient in gradients)


@COARSE_OR_NOT
def test_at_least_one_span_is_kept_and_a_lone_span_has_no_loss(coarse_to_fine) -> None:
    head = build(spans_per_word=0.1, coarse_to_fine=coarse_to_fine)
    output = head(compute_metrics=True, **document(1, []))
    assert head.decode(output)["top_spans"] == [[(0, 0)]]
    assert head.decode(output)["clusters"] == [[]]
    assert output["loss"] == 0.0


def test_no_more_spans_are_kept_than_there_are() -> None:
    output = build(spans_per_word=5.0)(compute_metrics=False, **document(2, []))
    assert output["top_spans"].tolist() == [[[0, 0], [0, 1], [1, 1]]]


@pytest.mark.parametrize("spans_per_word, num_tokens", [(0.4, 365), (0.3, 10), (0.7, 90)])
def test_spans_kept_are_the_floor_of_a_multiple_of_the_length(spans_per_word, num_tokens) -> None:
    head = build(spans_per_word=spans_per_word)
    lengths = (num_tokens, num_tokens + 9)
    output = head(compute_metrics=False, **batch([document(length, []) for length in lengths]))
    expected = [math.floor(spans_per_word * length) for length in lengths]
    assert output["top_span_mask"].sum(dim=1).tolist() == expected


@pytest.mark.parametrize("eval_on_gold_mentions", [False, True])
def test_prediction_needs_no_gold(eval_on_gold_mentions) -> None:
    example = document(9, CLUSTERS)
    del example["span_labels"], example["metadata"]
    head = build(eval_on_gold_mentions=eval_on_gold_mentions)
    output = head(compute_metrics=True, **example)
    assert "loss" not in output
    assert len(head.decode(output)["clusters"]) == 1


@pytest.mark.parametrize(
    "scores, antecedent", [([0.0, 2.0, 2.0], 0), ([0.0, 2.0, 1.0], 1), ([0.0, 0.0, -1.0], 1)]
)
def test_last_of_exactly_tied_antecedents_is_taken(scores: list[float], antecedent: int) -> None:
    # As torch took it in 2018: the one that stands farthest before, and any before none at all.
    none = [0.0, -math.inf, -math.inf]
    output = {
        "top_spans": torch.tensor([[[0, 0], [1, 1], [2, 2]]]),
        "top_span_mask": torch.ones(1, 3, dtype=torch.bool),
        "antecedents": torch.tensor([[[-1, -1], [0, -1], [1, 0]]]),
        "antecedent_scores": torch.tensor([[none, none, scores]]),
    }
    assert build().decode(output)["predicted_antecedents"] == [[-1, -1, antecedent]]


@pytest.mark.parametrize("gold, has_gold", [([], False), (CLUSTERS, True)])
def test_document_with_a_cluster_has_gold(gold: list, has_gold: bool) -> None:
    assert build().has_gold({"clusters": gold}) is has_gold


def test_words_are_asked_for_where_they_are_compared() -> None:
    example = document(9, CLUSTERS)
    del example["metadata"][0]["words"]
    with pytest.raises(ConfigurationError, match="string_match compares words, but the task's"):
        build(string_match=True)(compute_metrics=False, **example)


def test_a_document_without_speakers_is_one_of_words_without() -> None:
    head, example = build(speakers=True), document(9, CLUSTERS)
    without = head(compute_metrics=False, **example)["antecedent_scores"]
    example["speakers"] = torch.zeros(1, 9, dtype=torch.long)
    assert torch.equal(head(compute_metrics=False, **example)["antecedent_scores"], without)


@pytest.mark.parametrize("reads, takes", [(True, False), (False, True)])
def test_speakers_that_only_one_of_reader_and_head_knows_are_an_error(reads, takes) -> None:
    with pytest.raises(ConfigurationError, match='write "speakers": true in both'):
        build(speakers=takes).train()(compute_metrics=False, **document(9, CLUSTERS, reads))


@COARSE_OR_NOT
def test_gold_mentions_replace_candidates_at_evaluation(coarse_to_fine) -> None:
    torch.manual_seed(2)
    # In no order, and one of them twice.
    wide = [[(4, 5), (0, 7), (4, 5)], [(8, 8), (2, 2), (1, 1)]]
    example = document(9, wide)
    head = build(eval_on_gold_mentions=True, coarse_to_fine=coarse_to_fine)
    output = head(compute_metrics=True, **example)
    mentions = sorted({span for cluster in wide for span in cluster})
    loss, kept, chosen = naive_forward(head, example, mentions, len(mentions))
    predictions = head.decode(output)
    assert predictions["top_spans"] == [kept] == [mentions]
    assert predictions["predicted_antecedents"] == [chosen]
    torch.testing.assert_close(output["loss"], loss)
    assert head.get_metrics()["mention_recall"] == 1.0


def test_gold_mentions_of_documents_alone_are_as_in_a_padded_batch() -> None:
    torch.manual_seed(3)
    head = build(eval_on_gold_mentions=True)
    examples = [document(9, CLUSTERS), document(9, [[(0, 8), (2, 2)]]), document(2, [])]
    together = head(compute_metrics=False, **batch(examples))
    alone = sum(head(compute_metrics=False, **example)["loss"] for example in examples)
    torch.testing.assert_close(together["loss"], alone)


@COARSE_OR_NOT
def test_gold_mentions_may_be_none_at_all(coarse_to_fine) -> None:
    head = build(eval_on_gold_mentions=True, coarse_to_fine=coarse_to_fine)
    output = head(compute_metrics=True, **document(4, []))
    assert output["loss"] == 0.0
    assert head.decode(output) == {
        "clusters": [[]],
        "top_spans": [[]],
        "predicted_antecedents": [[]],
    }


def test_batch_with_a_document_without_gold_clusters_is_not_counted() -> None:
    example = batch([document(9, CLUSTERS), document(4, [])])
    del example["metadata"][1]["clusters"]
    head = build(eval_on_gold_mentions=True)
    output = head(compute_metrics=True, **example)
    assert output["top_spans"].size(1) == math.floor(0.7 * 9)
    assert head.get_metrics()["mention_recall"] == 0.0


def test_gold_mentions_are_not_used_in_training() -> None:
    head = build(eval_on_gold_mentions=True).train()
    output = head(compute_metrics=False, **document(9, CLUSTERS))
    assert output["top_spans"].size(1) == math.floor(0.7 * 9)


def test_gold_mentions_can_be_switched_on_later() -> None:
    head = build()
    head.eval_on_gold_mentions = True
    assert head(compute_metrics=False, **document(9, CLUSTERS))["top_spans"].size(1) == 5


def test_metrics_count_predicted_against_gold_clusters() -> None:
    head = build(spans_per_word=9.0)
    output = head(compute_metrics=True, **document(9, CLUSTERS))
    expected = CorefScores()
    expected.update(head.decode(output)["clusters"][0], CLUSTERS)
    assert head.get_metrics() == {**expected.compute(), "mention_recall": 1.0}


def test_full_metrics_hold_each_scorer() -> None:
    metrics = build().get_metrics(full=True)
    for name in ("muc", "b_cubed", "ceafe"):
        assert set(metrics[name]) == {"precision", "recall", "f1_score"}


def test_metrics_go_on_from_the_counters_and_are_reset_when_asked() -> None:
    head, other, fresh = build(eval_on_gold_mentions=True), build(), build()
    head.coref_scores.update(CLUSTERS, CLUSTERS)
    head(compute_metrics=True, **document(9, CLUSTERS))
    for name, counter in head.counters().items():
        other.counters()[name].load_state_dict(counter.state_dict())
    metrics = head.get_metrics(reset=True, full=True)
    assert metrics["mention_recall"] == 1.0 and metrics["coref_f1"] > 0.0
    assert other.get_metrics(full=True) == metrics
    assert head.get_metrics(full=True) == fresh.get_metrics(full=True)


def test_nothing_is_counted_when_metrics_are_off() -> None:
    head = build()
    head(compute_metrics=False, **document(9, CLUSTERS))
    assert head.get_metrics()["mention_recall"] == 0.0


@COARSE_OR_NOT
def test_a_training_step_reads_nothing_back_from_the_device(coarse_to_fine) -> None:
    """Tensors on the meta device have shapes and no values: whatever asks for a value fails."""
    example = batch([document(9, CLUSTERS), document(4, [])])
    tensors = {
        name: value.to("meta") for name, value in example.items() if isinstance(value, torch.Tensor)
    }
    head = build(coarse_to_fine=coarse_to_fine).train().to("meta")
    loss = head(compute_metrics=False, metadata=example["metadata"], **tensors)["loss"]
    loss.backward()
    assert all(parameter.grad is not None for parameter in head.parameters())


def test_links_join_into_clusters() -> None:
    spans = [(0, 0), (1, 1), (2, 2), (3, 4), (5, 5)]
    assert link_clusters(spans, [-1, -1, 0, 1, 2]) == [
        [(0, 0), (2, 2), (5, 5)],
        [(1, 1), (3, 4)],
    ]


def test_loss_lets_any_gold_antecedent_do() -> None:
    scores = torch.tensor([[[0.0, -math.inf, -math.inf], [0.0, 1.0, -math.inf], [0.0, 2.0, 3.0]]])
    total = math.log(1 + math.exp(2) + math.exp(3))
    either = total - math.log(math.exp(2) + math.exp(3))
    antecedents = torch.tensor([[[-1, -1], [0, -1], [1, 0]]])
    labels, mask = torch.tensor([[0, 0, 0]]), torch.ones(1, 3, dtype=torch.bool)
    loss = antecedent_loss(scores, antecedents, labels, mask)
    assert loss.item() == pytest.approx(math.log(1 + math.e) - 1 + either, rel=1e-5)
    half = antecedent_loss(scores.half(), antecedents, labels, mask)
    torch.testing.assert_close(half, loss)


def test_sizes_written_out_may_agree_with_the_parts() -> None:
    span_dim = 2 * ENCODED_DIM + 2 + INPUT_DIM
    network = {"num_layers": 1, "hidden_dims": 3, "activations": "relu"}
    build(
        mention_feedforward={**network, "input_dim": span_dim},
        antecedent_feedforward={**network, "input_dim": 3 * span_dim + 2},
    )


def test_a_size_that_contradicts_the_parts_is_an_error() -> None:
    network = {"num_layers": 1, "hidden_dims": 3, "activations": "relu", "input_dim": 220}
    with pytest.raises(ConfigurationError, match="input_dim is 220, but .* make 15 = 4"):
        build(mention_feedforward=network)


def test_a_reader_with_wider_spans_is_an_error() -> None:
    example = document(9, CLUSTERS)
    example["metadata"][0]["max_span_width"] = MAX_SPAN_WIDTH + 1
    with pytest.raises(ConfigurationError, match="max_span_width is 4, but .* is 3"):
        build()(compute_metrics=False, **example)


def test_initializers_reach_the_parameters() -> None:
    regexes = [["linear_layers.*weight", {"type": "constant", "val": 0.25}]]
    params = {
        "mention_feedforward": {"num_layers": 1, "hidden_dims": 3, "activations": "relu"},
        "antecedent_feedforward": {"num_layers": 1, "hidden_dims": 3, "activations": "relu"},
        "feature_size": 2,
        "max_span_width": 3,
        "spans_per_word": 0.4,
        "max_antecedents": 4,
        "initializer": {"regexes": regexes},
    }
    head = CoreferenceResolver.from_params(
        Params(params), vocab=Vocabulary(), input_dim=5, encoded_dim=4
    )
    for scorer in (head.mention_scorer, head.antecedent_scorer):
        weight = scorer.feedforward.linear_layers[0].get_parameter("weight")
        assert weight.eq(0.25).all()


@pytest.mark.parametrize(
    "max_span_width, max_antecedents, hidden, coarse_to_fine, gigabytes",
    [
        (10, 50, 150, False, 0.50),
        (10, 150, 150, False, 1.08),
        (30, 50, 150, False, 0.73),
        (10, 50, 300, False, 0.90),
        (10, 50, 150, True, 0.70),
    ],
)
def test_memory_is_about_what_was_measured(
    max_span_width: int,
    max_antecedents: int,
    hidden: int,
    coarse_to_fine: bool,
    gigabytes: float,
) -> None:
    # A training step on one document of 3,000 tokens, on a CPU.
    feedforward = {"num_layers": 2, "hidden_dims": hidden, "activations": "relu", "dropout": 0.2}
    head = build(
        max_span_width=max_span_width,
        max_antecedents=max_antecedents,
        spans_per_word=0.4,
        coarse_to_fine=coarse_to_fine,
        mention_feedforward=dict(feedforward),
        antecedent_feedforward=dict(feedforward),
    )
    assert head.training_memory(1, 3000) == pytest.approx(1e9 * gigabytes, rel=0.15)


@COARSE_OR_NOT
def test_a_mention_is_as_probable_as_that_its_antecedent_is_in_its_cluster(coarse_to_fine) -> None:
    torch.manual_seed(5)
    head = build(coarse_to_fine=coarse_to_fine)
    output = head(compute_metrics=False, **batch([document(12, []), document(5, [])]))
    decoded = head.decode(output)
    probabilities = head.probabilities(output, decoded["clusters"])
    for instance, (clusters, found) in enumerate(zip(decoded["clusters"], probabilities)):
        assert clusters
        spans, shares = decoded["top_spans"][instance], output["antecedent_scores"].softmax(-1)
        for cluster, own in zip(clusters, found, strict=True):
            assert own[0] == own[1]
            for mention, probability in list(zip(cluster, own, strict=True))[1:]:
                place = spans.index(mention)
                earlier = output["antecedents"][instance, place].tolist()
                others = [spans.index(each) for each in cluster if each < mention]
                reached = [1 + earlier.index(each) for each in others if each in earlier]
                expected = sum(shares[instance, place, each].item() for each in reached)
                assert probability == pytest.approx(expected)
