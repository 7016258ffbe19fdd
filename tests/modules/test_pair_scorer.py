from collections.abc import Iterator
from contextlib import nullcontext

import pytest
import torch
from allennlp.common import Lazy, Params
from allennlp.nn.util import bucket_values

from hmtl.modules import shifted_products as shifted_products_module
from hmtl.modules.feedforward import SplitFeedForward
from hmtl.modules.few_calls import few_calls_everywhere
from hmtl.modules.pair_scorer import PairScorer, distance_bucket
from hmtl.modules.shifted_products import shifted_products


def build(max_distance: int) -> PairScorer:
    params = Params({"num_layers": 2, "hidden_dims": [4, 3], "activations": "tanh"})
    return PairScorer(5, 2, max_distance, Lazy(SplitFeedForward, params)).double()


def naive_scores(scorer: PairScorer, items: torch.Tensor) -> torch.Tensor:
    """Every pair's vector is made, and one after the other."""
    batch_size, num_items, _ = items.shape
    reach = max(0, min(scorer.max_distance, num_items - 1))
    scores = torch.zeros(batch_size, num_items, reach, dtype=items.dtype)
    for document in range(batch_size):
        for index in range(num_items):
            for distance in range(1, min(reach, index) + 1):
                item, earlier = items[document, index], items[document, index - distance]
                feature = scorer.distance_embedding.weight[distance_bucket(distance)]
                pair = torch.cat([item, earlier, item * earlier, feature])
                score = scorer.output(scorer.feedforward(pair)).squeeze()
                scores[document, index, distance - 1] = score
    return scores


@pytest.fixture(params=["few numbers", "few calls"])
def way(request) -> Iterator[None]:
    """The way of the CPU and that of accelerators."""
    with few_calls_everywhere() if request.param == "few calls" else nullcontext():
        yield


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("rows_at_once", [1, 7, 1000])
@pytest.mark.parametrize(
    "batch_size, num_items, max_distance", [(1, 6, 3), (3, 5, 9), (2, 12, 8), (1, 2, 1)]
)
def test_pair_scores_and_gradients_agree_with_a_loop(
    monkeypatch, rows_at_once, batch_size, num_items, max_distance
) -> None:
    monkeypatch.setattr(shifted_products_module, "ROWS_AT_ONCE", rows_at_once)
    scorer = build(max_distance)
    items = torch.randn(batch_size, num_items, 5, dtype=torch.double, requires_grad=True)
    parameters = [items, *scorer.parameters()]
    scores, expected = scorer(items), naive_scores(scorer, items)
    torch.testing.assert_close(scores, expected)
    upstream = torch.randn_like(scores)
    gradients = torch.autograd.grad((scores * upstream).sum(), parameters)
    expected_gradients = torch.autograd.grad((expected * upstream).sum(), parameters)
    for gradient, expected_gradient in zip(gradients, expected_gradients, strict=True):
        torch.testing.assert_close(gradient, expected_gradient)


@pytest.mark.parametrize("num_items", [0, 1])
def test_pair_scores_of_too_few_items_are_none(num_items) -> None:
    assert build(3)(torch.randn(2, num_items, 5).double()).shape == (2, num_items, 0)


@pytest.mark.parametrize("stride", [1, 2])
def test_gradient_of_shifted_products(stride) -> None:
    rows = 6 * stride

    def random(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, dtype=torch.double, requires_grad=True)

    tensors = (random(rows, 3), random(2, 3), random(rows, 2), random(rows, 2), random(4, 2))
    assert torch.autograd.gradcheck(shifted_products, (*tensors, stride))


def test_pair_scores_under_autocast_are_near_those_without() -> None:
    scorer, items = build(3).float(), torch.randn(2, 6, 5, requires_grad=True)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        scores = scorer(items)
    scores.sum().backward()
    assert items.grad is not None and items.grad.isfinite().all()
    torch.testing.assert_close(scores.float(), scorer(items), atol=0.05, rtol=0.05)


def test_distance_buckets_are_those_of_the_2018_library() -> None:
    distances = torch.arange(200)
    expected = bucket_values(distances, num_total_buckets=10).tolist()
    assert [distance_bucket(distance) for distance in distances.tolist()] == expected


def test_pair_scorer_saves_no_buckets() -> None:
    assert "buckets" not in build(3).state_dict()
