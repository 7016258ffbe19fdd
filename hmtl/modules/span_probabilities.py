"""How probable a labelled span is under a linear-chain CRF: the share of the tag sequences that hold it."""

from typing import NamedTuple, Sequence

import torch

from hmtl.formats.tags import OUTSIDE, span_steps, split_tag
from hmtl.modules.log_partition import backward_shares, forward_shares, shifted_exp


class SpanSteps(NamedTuple):
    """
    What tags mean as spans, as 0 and 1.

    # Parameters

    begins, goes_on, ends : `torch.Tensor`
        `hmtl.formats.tags.span_steps` of the tags i and j at entry (i, j); the last index stands for what is
        beyond a sequence. Shape `(num_tags + 1, num_tags + 1)`.
    of_label : `torch.Tensor`
        Which tags are of which label. Shape `(num_labels, num_tags)`.
    """

    begins: torch.Tensor
    goes_on: torch.Tensor
    ends: torch.Tensor
    of_label: torch.Tensor

    @classmethod
    def of(cls, tags: Sequence[str], labels: Sequence[str], scheme: str) -> "SpanSteps":
        """Return those of a coding scheme, in double precision."""
        around = [*tags, OUTSIDE]
        # Shape: (num_tags + 1, num_tags + 1, 3)
        steps = torch.tensor([[span_steps(one, two, scheme) for two in around] for one in around])
        types = [split_tag(tag, scheme)[1] for tag in tags]
        of_label = torch.tensor([[each == label for each in types] for label in labels])
        begins, goes_on, ends = steps.double().unbind(dim=-1)
        return cls(begins, goes_on, ends, of_label.double())


def span_probabilities(
    logits: torch.Tensor,
    transitions: torch.Tensor,
    start: torch.Tensor,
    end: torch.Tensor,
    mask: torch.Tensor,
    spans: torch.Tensor,
    steps: SpanSteps,
) -> torch.Tensor:
    """
    The summed scores of all tag sequences that hold a span, with its label and both its boundaries, divided
    by those of all: one forward and one backward pass (Rabiner, 1989) for the batch, and as many steps as
    the longest span has tokens for all spans at once (constrained forward sums, Culotta and McCallum, 2004).

    # Parameters

    logits, transitions, start, end, mask :
        As in `hmtl.modules.log_partition.log_partition`, in double precision; scores of what is forbidden are
        very low.
    spans : `torch.LongTensor`
        Of each the instance, the first and the last token (inclusive), and the index of its label. Shape
        `(num_spans, 4)`.
    steps : `SpanSteps`

    # Returns

    probabilities : `torch.Tensor`
        Shape `(num_spans,)`.
    """
    # Shape: (num_tokens, batch_size, num_tags)
    emitted, _ = shifted_exp(logits.transpose(0, 1), dim=-1)
    weights, _ = shifted_exp(transitions)
    first, _ = shifted_exp(start)
    last, _ = shifted_exp(end)
    running = mask.transpose(0, 1).unsqueeze(-1)
    alphas, sums = forward_shares(emitted, weights, first, running)
    _, inners = backward_shares(emitted, weights, last, running)
    shares = emitted / sums
    instance, begin, final, label = spans.unbind(dim=-1)
    begins, goes_on, ends, of_label = steps
    # What `alphas` would be if only sequences with the span were there. Shape: (num_spans, num_tags)
    before = alphas[(begin - 1).clamp_min(0), instance] @ (weights * begins[:-1, :-1])
    held = torch.where(begin.unsqueeze(-1) > 0, before, first * begins[-1, :-1])
    held = held * shares[begin, instance] * of_label[label]
    onwards = weights * goes_on[:-1, :-1]
    longest = int((final - begin).max())
    for step in range(1, longest + 1):
        place = torch.minimum(begin + step, final)
        moved = (held @ onwards) * shares[place, instance]
        held = torch.where((begin + step <= final).unsqueeze(-1), moved, held)
    # Both the sequences with the span and all of them, as they go on after it.
    is_last = (final == mask.sum(dim=1)[instance] - 1).unsqueeze(-1)
    after = inners[(final + 1).clamp_max(len(inners) - 1), instance]
    on = torch.where(is_last, last * ends[:-1, -1], after @ (weights * ends[:-1, :-1]).t())
    on_in_all = torch.where(is_last, last, after @ weights.t())
    in_all = (alphas[final, instance] * on_in_all).sum(dim=-1)
    tiny = torch.finfo(logits.dtype).tiny
    return ((held * on).sum(dim=-1) / in_all.clamp_min(tiny)).clamp_max(1.0)
