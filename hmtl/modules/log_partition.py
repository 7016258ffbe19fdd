"""The log of the summed scores of all tag sequences of a linear-chain CRF, in two ways."""

from typing import Any, Optional, Tuple

import torch
from torch.autograd.function import once_differentiable


def log_partition_by_sums(
    logits: torch.Tensor,
    transitions: torch.Tensor,
    start: torch.Tensor,
    end: torch.Tensor,
    mask: torch.Tensor,
) -> torch.Tensor:
    """
    With sums of logarithms at each step, as they stand in a textbook.

    # Parameters

    logits : `torch.Tensor`
        Shape `(batch_size, num_tokens, num_tags)`.
    transitions : `torch.Tensor`
        Entry (i, j) scores tag j after tag i. Shape `(num_tags, num_tags)`.
    start, end : `torch.Tensor`
        What a first and a last tag score. Shape `(num_tags,)`.
    mask : `torch.BoolTensor`
        True on real tokens, padding on the right. Shape `(batch_size, num_tokens)`.

    # Returns

    log_partition : `torch.Tensor`
        In nats; 0 for an empty sequence. Shape `(batch_size,)`.
    """
    # Shape: (num_tokens, batch_size, num_tags), for one contiguous slice a step
    steps = logits.transpose(0, 1)
    running = mask.transpose(0, 1).unsqueeze(-1)
    # Shape: (batch_size, num_tags)
    alpha = start + steps[0]
    for step in range(1, len(steps)):
        # Shape: (batch_size, from num_tags, to num_tags)
        ways = alpha.unsqueeze(2) + steps[step].unsqueeze(1) + transitions
        alpha = torch.where(running[step], torch.logsumexp(ways, dim=1), alpha)
    totals = torch.logsumexp(alpha + end, dim=-1)
    return torch.where(mask[:, 0], totals, torch.zeros_like(totals))


def log_partition(
    logits: torch.Tensor,
    transitions: torch.Tensor,
    start: torch.Tensor,
    end: torch.Tensor,
    mask: torch.Tensor,
) -> torch.Tensor:
    """
    The same, of the same parameters, by the forward-backward algorithm (Rabiner, 1989): a product of
    matrices a step, and a gradient that is computed from the marginal probabilities of tags and pairs of
    tags instead of being traced through every step.

    A way to a tag whose share falls below the smallest normal number counts as that number; it takes
    transitions more than 87 nats apart (in single precision).
    """
    return _LogPartition.apply(logits, transitions, start, end, mask)


class _LogPartition(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        logits: torch.Tensor,
        transitions: torch.Tensor,
        start: torch.Tensor,
        end: torch.Tensor,
        mask: torch.Tensor,
    ) -> torch.Tensor:
        tiny = torch.finfo(logits.dtype).tiny
        # Shape: (num_tokens, batch_size, num_tags)
        emitted, emitted_shift = shifted_exp(logits.transpose(0, 1), dim=-1)
        weights, weights_shift = shifted_exp(transitions)
        first, first_shift = shifted_exp(start)
        last, last_shift = shifted_exp(end)
        running = mask.transpose(0, 1).unsqueeze(-1)
        alphas, sums = forward_shares(emitted, weights, first, running)
        totals = (alphas[-1] * last).sum(dim=-1)
        scales = (sums.log() + emitted_shift).squeeze(-1) + weights_shift
        log_partition = (scales * running.squeeze(-1)).sum(dim=0) + totals.clamp_min(tiny).log()
        ctx.save_for_backward(emitted, weights, last, alphas, mask)
        return (log_partition + first_shift + last_shift - weights_shift) * mask[:, 0]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> Tuple[Optional[torch.Tensor], ...]:
        emitted, weights, last, alphas, mask = ctx.saved_tensors
        running = mask.transpose(0, 1).unsqueeze(-1)
        betas, inners = backward_shares(emitted, weights, last, running)
        # Shape: (num_tokens, batch_size, 1)
        scale = (gradient * mask[:, 0]).unsqueeze(-1) * running
        # Shape: (num_tokens, batch_size, num_tags), the probability of each tag
        marginals = _in_shares(alphas * betas)
        of_end = (marginals[-1] * scale[0]).sum(dim=0)
        marginals = marginals * scale
        return (
            marginals.transpose(0, 1),
            _gradient_of_transitions(alphas, weights, inners, scale),
            marginals[0].sum(dim=0),
            of_end,
            None,
        )


def forward_shares(
    emitted: torch.Tensor, weights: torch.Tensor, first: torch.Tensor, running: torch.Tensor
) -> Tuple[torch.Tensor, torch.Tensor]:
    """
    At each token, which share of the ways up to it ends in which tag, and the sums by which shares were
    divided to be shares. On padding they stay as they were. Shapes `(num_tokens, batch_size, num_tags)`
    and `(num_tokens, batch_size, 1)`.
    """
    tiny = torch.finfo(emitted.dtype).tiny
    alphas = torch.empty_like(emitted)
    sums = torch.empty_like(emitted[..., :1])
    reached = first.clamp_min(tiny) * emitted[0]
    for step in range(len(emitted)):
        if step:
            reached = torch.mm(alphas[step - 1], weights).clamp_min_(tiny).mul_(emitted[step])
        torch.sum(reached, dim=-1, keepdim=True, out=sums[step])
        reached /= sums[step]
        if step:
            torch.where(running[step], reached, alphas[step - 1], out=alphas[step])
        else:
            alphas[0] = reached
    return alphas, sums


def backward_shares(
    emitted: torch.Tensor, weights: torch.Tensor, last: torch.Tensor, running: torch.Tensor
) -> Tuple[torch.Tensor, torch.Tensor]:
    """
    At each token and for each tag, how the ways on from there weigh, up to a factor; and that times how
    the token weighs in that tag. Shapes `(num_tokens, batch_size, num_tags)`.
    """
    tiny = torch.finfo(emitted.dtype).tiny
    betas, inners = torch.empty_like(emitted), torch.empty_like(emitted)
    back = weights.t()
    betas[-1] = last
    for step in range(len(emitted) - 1, 0, -1):
        torch.mul(emitted[step], betas[step], out=inners[step])
        weighed = torch.mm(inners[step], back).clamp_min_(tiny)
        weighed /= weighed.amax(dim=-1, keepdim=True)
        torch.where(running[step], weighed, betas[step], out=betas[step - 1])
    return betas, inners


def _gradient_of_transitions(
    alphas: torch.Tensor, weights: torch.Tensor, inners: torch.Tensor, scale: torch.Tensor
) -> torch.Tensor:
    """The summed probabilities of all pairs of neighbouring tags."""
    before, inners = alphas[:-1], inners[1:]
    tiny = torch.finfo(alphas.dtype).tiny
    totals = ((before @ weights) * inners).sum(dim=-1, keepdim=True).clamp_min(tiny)
    weighed = (before * (scale[1:] / totals)).flatten(0, 1)
    return weights * (weighed.t() @ inners.flatten(0, 1))


def _in_shares(weights: torch.Tensor) -> torch.Tensor:
    sums = weights.sum(dim=-1, keepdim=True)
    return weights / sums.clamp_min(torch.finfo(weights.dtype).tiny)


def shifted_exp(scores: torch.Tensor, dim: int | None = None) -> Tuple[torch.Tensor, torch.Tensor]:
    """Exponentials of at most 1, and the logarithm of what they were divided by."""
    shift = scores.max() if dim is None else scores.amax(dim=dim, keepdim=True)
    return (scores - shift).exp(), shift
