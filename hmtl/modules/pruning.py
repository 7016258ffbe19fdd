"""Keeping the best items of a sequence."""

from typing import Tuple

import torch


def keep_best(
    scores: torch.Tensor, mask: torch.Tensor, counts: torch.Tensor, most: int
) -> Tuple[torch.Tensor, torch.Tensor]:
    """
    Chooses the items with the highest scores, and leaves them in the order in which they stood.

    # Parameters

    scores : `torch.Tensor`
        Shape `(batch_size, num_items)`.
    mask : `torch.BoolTensor`
        True on real items. Shape `(batch_size, num_items)`.
    counts : `torch.LongTensor`
        How many to keep of each sequence (all, where it has fewer). Shape `(batch_size,)`.
    most : `int`
        At least the largest of `counts`, at most `num_items`: it fixes the shape of the result
        without asking the device.

    # Returns

    kept : `torch.LongTensor`
        The positions of the kept items, rising; padded on the right with a valid position.
        Shape `(batch_size, most)`.
    kept_mask : `torch.BoolTensor`
        True on kept items. Shape `(batch_size, most)`.
    """
    num_items = scores.size(1)
    best = scores.masked_fill(~mask, -torch.inf).topk(most, dim=1).indices
    counts = torch.minimum(counts, mask.sum(dim=1))
    # Shape: (batch_size, most)
    kept_mask = torch.arange(most, device=scores.device) < counts.unsqueeze(1)
    # What is not kept sorts behind what is, so the mask stands as it is.
    kept = best.masked_fill(~kept_mask, num_items).sort(dim=1).values
    return kept.clamp(max=num_items - 1), kept_mask
