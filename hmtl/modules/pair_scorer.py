"""Scores for pairs of an item of a sequence and one before it."""

from typing import Optional

import torch
from allennlp.common import Lazy
from torch.utils.checkpoint import checkpoint

from hmtl.modules.feedforward import SplitFeedForward
from hmtl.modules.few_calls import takes_few_calls
from hmtl.modules.shifted_products import shifted_products
from hmtl.modules.span_attention import select

# Distances have ten buckets: 0, 1, 2, 3, 4, 5-7, 8-15, 16-31, 32-63, 64 and more (Lee et al., 2017,
# after Clark and Manning, 2016).
NUM_DISTANCE_BUCKETS = 10
LAST_DISTANCE_OF_ITS_OWN = 4
LONGEST_BUCKETED = 64

# Of how many chosen pairs the products are made at once: few enough to stay in a cache, many enough that the
# gradient of all items, for which each piece makes room, does not count.
CHOSEN_PAIRS_AT_ONCE = 2048


class PairScorer(torch.nn.Module):
    """
    Scores each item of a sequence with each of the `max_distance` items before it, or with chosen ones, by a
    feed-forward network over `[item ; earlier ; item * earlier ; feature of their distance]` (Lee
    et al., 2017).

    The first layer is split over these parts, and the product part is made in small pieces that are
    made again for the gradient, so memory holds one hidden layer per pair and never the pairs'
    vectors. Where few calls are wanted and the products of all pairs are few enough, they are made at once.

    # Parameters

    item_dim : `int`
        The width of the items.
    feature_size : `int`
        The width of the feature for a distance.
    max_distance : `int`
        How far back to look, in items.
    feedforward : `Lazy[SplitFeedForward]`
    num_kinds : `int`, optional (default = `0`)
        Of how many kinds pairs are; each has a feature beside that of the distance. Kinds of pairs are told
        only of chosen ones.
    """

    def __init__(
        self,
        item_dim: int,
        feature_size: int,
        max_distance: int,
        feedforward: Lazy[SplitFeedForward],
        num_kinds: int = 0,
    ) -> None:
        super().__init__()
        self.max_distance = max_distance
        self.distance_embedding = torch.nn.Embedding(NUM_DISTANCE_BUCKETS, feature_size)
        input_dims = {
            "item": item_dim,
            "earlier": item_dim,
            "product": item_dim,
            "distance": feature_size,
        }
        self.kind_embedding: Optional[torch.nn.Embedding] = None
        if num_kinds:
            self.kind_embedding = torch.nn.Embedding(num_kinds, feature_size)
            input_dims["kind"] = feature_size
        self.feedforward = feedforward.construct(input_dims=input_dims)
        self.output = torch.nn.Linear(self.feedforward.get_output_dim(), 1)
        farthest = max(max_distance, LONGEST_BUCKETED)
        buckets = [distance_bucket(distance) for distance in range(1, farthest + 1)]
        self.buckets: torch.Tensor
        self.register_buffer("buckets", torch.tensor(buckets), persistent=False)

    def forward(self, items: torch.Tensor) -> torch.Tensor:
        """
        # Parameters

        items : `torch.Tensor`
            Shape `(batch_size, num_items, item_dim)`.

        # Returns

        scores : `torch.Tensor`
            At `[:, i, d]` that of item `i` with item `i - 1 - d`, and zero where there is none.
            `reach` is the smaller of `max_distance` and `num_items - 1`. Shape `(batch_size,
            num_items, reach)`.
        """
        batch_size, num_items, item_dim = items.shape
        reach = max(0, min(self.max_distance, num_items - 1))
        if reach == 0:
            return items.new_zeros(batch_size, num_items, 0)
        if takes_few_calls(items, items.numel() * reach):
            return self._all_at_once(items, reach)
        # Position before batch entry, so that a shift by one item is a shift by batch_size rows.
        # Shape: (num_items * batch_size, item_dim)
        rows = items.transpose(0, 1).reshape(num_items * batch_size, item_dim)
        hidden = self.feedforward.finish(self._project(rows, batch_size, reach))
        # Shape: (num_pairs * batch_size)
        scores = self.output(hidden).squeeze(-1)
        return _by_item(scores.view(-1, batch_size), num_items, reach)

    def of_chosen(
        self, items: torch.Tensor, chosen: torch.Tensor, kinds: Optional[torch.Tensor] = None
    ) -> torch.Tensor:
        """
        # Parameters

        items : `torch.Tensor`
            Shape `(batch_size, num_items, item_dim)`.
        chosen : `torch.LongTensor`
            For each item the positions of earlier ones, negative where there is none. Shape `(batch_size,
            num_items, num_chosen)`.
        kinds : `torch.LongTensor`, optional
            The kind of each pair, where these have kinds. Shape `(batch_size, num_items, num_chosen)`.

        # Returns

        scores : `torch.Tensor`
            Those of each item with each that is chosen for it; where there is none, they mean nothing. Shape
            `(batch_size, num_items, num_chosen)`.
        """
        batch_size, num_items, num_chosen = chosen.shape
        if chosen.numel() == 0:
            return items.new_zeros(chosen.shape)
        project = self.feedforward.project_part
        position = torch.arange(num_items, device=items.device).unsqueeze(1)
        distances = (position - chosen).clamp(1, len(self.buckets))
        earlier = project("earlier", items)
        features = project("distance", self.distance_embedding.weight)
        arguments = [items, chosen.clamp(min=0), self.buckets[distances - 1]]
        if self.kind_embedding is not None:
            assert kinds is not None
            # A feature for each distance with each kind.
            of_kinds = project("kind", self.kind_embedding.weight)
            features = (features.unsqueeze(1) + of_kinds).flatten(0, 1)
            arguments[2] = arguments[2] * len(of_kinds) + kinds

        def first_layer(
            own: torch.Tensor, others: torch.Tensor, feature: torch.Tensor
        ) -> torch.Tensor:
            return (
                project("product", own.unsqueeze(2) * select(items, others))
                + select(earlier, others)
                + project("item", own).unsqueeze(2)
                + torch.nn.functional.embedding(feature, features)
            )

        if takes_few_calls(items, items.numel() * num_chosen):
            projected = first_layer(*arguments)
        else:
            size = max(1, CHOSEN_PAIRS_AT_ONCE // (batch_size * num_chosen))
            pieces = zip(*(argument.split(size, dim=1) for argument in arguments), strict=True)
            projected = torch.cat(
                [
                    checkpoint(first_layer, *piece, use_reentrant=False, preserve_rng_state=False)
                    for piece in pieces
                ],
                dim=1,
            )
        return self.output(self.feedforward.finish(projected)).squeeze(-1)

    def _all_at_once(self, items: torch.Tensor, reach: int) -> torch.Tensor:
        """As `forward`; the distances in between stand from the largest to the smallest."""
        project = self.feedforward.project_part
        features = self.distance_embedding(self.buckets[:reach].flip(0))
        # Shape: (batch_size, num_items, reach, hidden_dim)
        projected = (
            project("product", items.unsqueeze(2) * _before_each(items, reach))
            + _before_each(project("earlier", items), reach)
            + project("item", items).unsqueeze(2)
            + project("distance", features)
        )
        scores = self.output(self.feedforward.finish(projected)).squeeze(-1).flip(-1)
        exists = torch.ones_like(scores[0], dtype=torch.bool).tril(-1)
        return scores.masked_fill(~exists, 0.0)

    def _project(self, rows: torch.Tensor, batch_size: int, reach: int) -> torch.Tensor:
        """All pairs' first layer, but its bias. Shape `(num_pairs * batch_size, hidden_dim)`."""
        project = self.feedforward.project_part
        item = project("item", rows)
        features = self.distance_embedding(self.buckets[:reach])
        # The projections tell the precision in force (under autocast, not that of the parameters).
        return shifted_products(
            rows.to(item.dtype),
            self.feedforward.part_weight("product").to(item.dtype),
            item,
            project("earlier", rows),
            project("distance", features),
            batch_size,
        )


def _before_each(items: torch.Tensor, reach: int) -> torch.Tensor:
    """
    The `reach` items before each, the farthest first, zeros where there is none. A view of shape
    `(batch_size, num_items, reach, dim)`.
    """
    padded = torch.nn.functional.pad(items, (0, 0, reach, -1))
    return padded.unfold(1, reach, 1).transpose(2, 3)


def distance_bucket(distance: int) -> int:
    """The bucket of a distance in items, which is at least 0."""
    if distance <= LAST_DISTANCE_OF_ITS_OWN:
        return distance
    # 5-7 have a binary logarithm of 2 and a bit, and take the bucket after that of 4.
    log2 = distance.bit_length() - 1
    return min(log2 + LAST_DISTANCE_OF_ITS_OWN - 1, NUM_DISTANCE_BUCKETS - 1)


def _by_item(scores: torch.Tensor, num_items: int, reach: int) -> torch.Tensor:
    """
    From pairs in the order of their distance, then item (shape `(num_pairs, batch_size)`), to a
    table of shape `(batch_size, num_items, reach)`.
    """
    item = torch.arange(num_items, device=scores.device).unsqueeze(1)
    distance = torch.arange(1, reach + 1, device=scores.device)
    # Distance d has num_items - d pairs, and so many stand before its first.
    before = (distance - 1) * num_items - (distance - 1) * distance // 2
    exists = item >= distance
    # Shape: (num_items, reach)
    pair = torch.where(exists, before + item - distance, 0)
    # Shape: (num_items, reach, batch_size)
    table = scores.index_select(0, pair.flatten()).view(num_items, reach, -1)
    return table.permute(2, 0, 1).masked_fill(~exists, 0.0)
