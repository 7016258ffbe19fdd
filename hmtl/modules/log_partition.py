"""The log of the summed scores of all tag sequences of a linear-chain CRF, in three ways."""

from functools import lru_cache, wraps
from typing import Any, Callable, List, Optional, Tuple

import torch
from torch.autograd.function import once_differentiable

from hmtl.common.moving import moved
from hmtl.common.precision import exactly
from hmtl.modules.few_calls import takes_few_calls

Backward = Callable[[Any, torch.Tensor], Tuple[Optional[torch.Tensor], ...]]


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
    tags instead of being traced through every step. Where few calls are wanted, the steps' matrices are
    multiplied in pairs, and their products again, so that calls grow with the logarithm of the length.

    A way to a tag whose share falls below the smallest normal number counts as that number; it takes
    transitions more than 87 nats apart (in single precision).
    """
    num_matrices = 2 ** _num_rounds(logits.size(1)) * logits.size(0)
    if takes_few_calls(logits, num_matrices * transitions.numel()):
        return _ScannedLogPartition.apply(logits, transitions, start, end, mask)
    return _LogPartition.apply(logits, transitions, start, end, mask)


def _exactly_back(backward: Backward) -> Backward:
    """What is said of the forward pass by whoever calls it holds on the way back, too."""

    @wraps(backward)
    def exact(ctx: Any, gradient: torch.Tensor) -> Tuple[Optional[torch.Tensor], ...]:
        with exactly(gradient.device):
            return backward(ctx, gradient)

    return exact


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
    @_exactly_back
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


class _ScannedLogPartition(torch.autograd.Function):
    """
    A token's matrix says how each tag before it weighs with each of its own; on padding it changes nothing.
    The matrices stand in an order in which what is to be multiplied are the first and the second half. They
    and their products, about as many numbers again, are kept for the gradient.
    """

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
        # One shift for all of these.
        scores, shift = shifted_exp(torch.cat([transitions, start.unsqueeze(0), end.unsqueeze(0)]))
        weights, first, last = scores[:-2], scores[-2], scores[-1]
        running = mask.transpose(0, 1).unsqueeze(-1)
        order, has_token, place = _orders(logits.size(1), logits.device)
        # Shape: (num_matrices * batch_size, 1, 1); the first token, which stands on padding, has none.
        is_step = (running.index_select(0, order) & has_token).flatten(0, 1).unsqueeze(-1)
        # Shape: (num_matrices * batch_size, num_tags before, num_tags)
        matrices = emitted.index_select(0, order).flatten(0, 1).unsqueeze(-2) * weights
        same = torch.eye(len(weights), dtype=weights.dtype, device=weights.device)
        rounds, largest = [torch.where(is_step, matrices.clamp_min_(tiny), same)], []
        while len(rounds[-1]) > len(logits):
            before, after = rounds[-1].chunk(2)
            product = torch.bmm(before, after).clamp_min_(tiny)
            # Each divided by its largest entry: what it was is added to the result.
            largest.append(product.amax(dim=(-2, -1), keepdim=True))
            rounds.append(product.div_(largest[-1]))
        # Shape: (batch_size, 1, num_tags)
        begun = (first.clamp_min(tiny) * emitted[0]).unsqueeze(-2)
        ended = torch.bmm(begun, rounds[-1]).mul_(last)
        totals = ended.sum(dim=-1, keepdim=True).clamp_min_(tiny)
        log_partition = totals.log().flatten()
        if largest:
            divisors = torch.cat(largest).log_().view(-1, len(logits))
            log_partition = log_partition + divisors.sum(dim=0)
        shifts = ((emitted_shift + shift) * running).sum(dim=0).squeeze(-1)
        ctx.save_for_backward(last, mask, is_step, begun, ended, totals, *rounds, *largest)
        ctx.place = place
        # Of the first token there is no transition, but a start and an end.
        return (log_partition + shifts + shift) * mask[:, 0]

    @staticmethod
    @once_differentiable
    @_exactly_back
    def backward(ctx: Any, gradient: torch.Tensor) -> Tuple[Optional[torch.Tensor], ...]:
        last, mask, is_step, begun, ended, totals, *saved = ctx.saved_tensors
        rounds, largest = saved[: len(saved) // 2 + 1], saved[len(saved) // 2 + 1 :]
        # Shape: (batch_size, 1, 1)
        scale = (gradient * mask[:, 0]).view(-1, 1, 1) / totals
        of_end = (ended * scale).sum(dim=0).squeeze(0)
        begun = begun * scale
        # Shape: (batch_size, num_tags)
        of_first = begun.squeeze(-2) * torch.matmul(rounds[-1], last)
        of_product = begun.transpose(-2, -1) * last
        for matrices, largest_entry in zip(rounds[-2::-1], largest[::-1]):
            before, after = matrices.chunk(2)
            of_product = of_product / largest_entry
            of_factors = torch.empty_like(matrices)
            of_before, of_after = of_factors.chunk(2)
            torch.bmm(of_product, after.transpose(-2, -1), out=of_before)
            torch.bmm(before.transpose(-2, -1), of_product, out=of_after)
            of_product = of_factors
        # Shape: (num_matrices * batch_size, num_tags, num_tags), the probability of each pair of tags
        pairs = of_product * rounds[0] * is_step
        of_others = pairs.sum(dim=-2).view(-1, *of_first.shape).index_select(0, ctx.place)
        of_logits = torch.cat([of_first.unsqueeze(0), of_others]).transpose(0, 1)
        return of_logits, pairs.sum(dim=0), of_first.sum(dim=0), of_end, None


def _num_rounds(num_tokens: int) -> int:
    """How often the matrices of all tokens but the first have to be halved."""
    return (num_tokens - 2).bit_length() if num_tokens > 1 else 0


@lru_cache(maxsize=256)
def _orders(num_tokens: int, device: torch.device) -> Tuple[torch.Tensor, ...]:
    """
    Which token each matrix is of, 0 for none: neighbours in time are half of all matrices apart, and so again
    in each half. Which matrices are of one. And where the matrix of each token but the first stands.
    """
    order: List[int] = [1]
    for _ in range(_num_rounds(num_tokens)):
        order = [2 * token - 1 for token in order] + [2 * token for token in order]
    tokens = [token if token < num_tokens else 0 for token in order]
    place = [order.index(token) for token in range(1, num_tokens)]
    of_token = torch.tensor(tokens)
    found = of_token, of_token.view(-1, 1, 1) != 0, torch.tensor(place, dtype=torch.long)
    return tuple(moved(each, device) for each in found)


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
