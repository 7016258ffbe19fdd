"""Maxima over stretches of tokens: any stretch for the price of two look-ups."""

import torch


def range_maxima(
    values: torch.Tensor, instances: torch.Tensor, starts: torch.Tensor, ends: torch.Tensor
) -> torch.Tensor:
    """
    Return the maximum over the tokens of each stretch, by dimension.

    # Parameters

    values : `torch.Tensor`
        Shape `(batch_size, num_tokens, dim)`.
    instances, starts, ends : `torch.LongTensor`
        Of each stretch the instance, the first token and the last one, inclusive. Shape `(num_stretches,)`.

    # Returns

    maxima : `torch.Tensor`
        Zero for a stretch that ends before it starts. Shape `(num_stretches, dim)`.
    """
    lengths = ends - starts + 1
    # A sparse table: level k holds the maxima over 2^k tokens, and two of these, which may overlap, make up
    # any stretch.
    table = [values]
    while 2 ** len(table) < values.size(1):
        last, step = table[-1], 2 ** (len(table) - 1)
        later = torch.cat([last[:, step:], last[:, -1:].expand(-1, step, -1)], dim=1)
        table.append(torch.maximum(last, later))
    stacked = torch.stack(table)
    # The binary logarithm of whole numbers, without rounding.
    powers = 2 ** torch.arange(len(table), device=values.device)
    level = (lengths.clamp_min(1).unsqueeze(1) >= powers).sum(dim=1) - 1
    starts = starts.clamp(0, values.size(1) - 1)
    seconds = (ends + 1 - powers[level]).clamp(0, values.size(1) - 1)
    maxima = torch.maximum(stacked[level, instances, starts], stacked[level, instances, seconds])
    return maxima.masked_fill((lengths < 1).unsqueeze(1), 0.0)
