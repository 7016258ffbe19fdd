"""The best tag sequence of a linear-chain CRF (Viterbi, 1967), for a whole batch, in two ways."""

import torch


def viterbi(
    logits: torch.Tensor,
    transitions: torch.Tensor,
    start: torch.Tensor,
    end: torch.Tensor,
    mask: torch.Tensor,
) -> torch.Tensor:
    """
    Step by step, looking up from where a tag was reached only for the tags that are taken.

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

    tags : `torch.LongTensor`
        0 on padding. Shape `(batch_size, num_tokens)`.
    """
    # Shape: (batch_size, num_tags)
    score = start + logits[:, 0]
    scores = [score]
    for step in range(1, logits.size(1)):
        # Shape: (batch_size, from num_tags, to num_tags)
        ways = score.unsqueeze(2) + transitions
        # Which tag each best way comes from is looked up below, for the one way that is taken.
        reached = ways.amax(dim=1) + logits[:, step]
        score = torch.where(mask[:, step].unsqueeze(-1), reached, score)
        scores.append(score)
    current = (score + end).argmax(dim=1)
    path = [current]
    for step in range(len(scores) - 1, 0, -1):
        # Shape: (batch_size, from num_tags)
        ways = scores[step - 1] + transitions.t()[current]
        # On padding the tag stays, so that walking back starts at the last real one.
        current = torch.where(mask[:, step], ways.argmax(dim=1), current)
        path.append(current)
    # Shape: (batch_size, num_tokens)
    return torch.stack(path[::-1], dim=1) * mask


def viterbi_in_few_calls(
    logits: torch.Tensor,
    transitions: torch.Tensor,
    start: torch.Tensor,
    end: torch.Tensor,
    mask: torch.Tensor,
) -> torch.Tensor:
    """
    The same, in two calls a token, and the way back in a number that grows with the logarithm of the
    length. (To reach all tags from all tags over pairs of tokens, and so on, would take as many times the
    memory as there are tags.)
    """
    same = torch.full_like(transitions, torch.finfo(transitions.dtype).min / 1e4)
    same.fill_diagonal_(0.0)
    # On padding the tag stays.
    # Shape: (num_tokens, batch_size, from num_tags, to num_tags)
    moves = torch.where(
        mask.t()[..., None, None], logits.transpose(0, 1).unsqueeze(2) + transitions, same
    )
    score = start + logits[:, 0]
    origins = []
    for move in moves[1:]:
        score, origin = (score.unsqueeze(2) + move).max(dim=1)
        origins.append(origin)
    # Shape: (batch_size, 1)
    last = (score + end).argmax(dim=1, keepdim=True)
    if not origins:
        return last * mask
    # At each token but the last, which tag it has for each tag of the token that is `reach` later.
    # Shape: (num_tokens - 1, batch_size, num_tags)
    back = torch.stack(origins)
    reach = 1
    while reach < len(back):
        # Behind the last token nothing changes any more.
        back = torch.cat([back[:-reach].gather(-1, back[reach:]), back[-reach:]])
        reach *= 2
    path = back.gather(-1, last.expand(len(back), -1, -1)).squeeze(-1)
    return torch.cat([path.t(), last], dim=1) * mask
