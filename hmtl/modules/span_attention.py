"""Attention inside spans: each is the mean of its tokens, weighted by how telling each token is."""

import torch

from hmtl.modules.few_calls import takes_few_calls


class SpanAttention(torch.nn.Module):
    """
    Scores each token once, and weighs the tokens of a span by the softmax of their scores within it
    (the head-finding attention of Lee et al., 2017).

    # Parameters

    input_dim : `int`
        The width of the tokens' vectors.
    """

    def __init__(self, input_dim: int) -> None:
        super().__init__()
        self.score = torch.nn.Linear(input_dim, 1)

    def forward(self, tokens: torch.Tensor, spans: torch.Tensor, max_width: int) -> torch.Tensor:
        """
        Means over given spans.

        # Parameters

        tokens : `torch.Tensor`
            Shape `(batch_size, num_tokens, input_dim)`.
        spans : `torch.LongTensor`
            First and last token, inclusive, both real tokens. Shape `(batch_size, num_spans, 2)`.
        max_width : `int`
            At least the number of tokens of the widest span.

        # Returns

        means : `torch.Tensor`
            Shape `(batch_size, num_spans, input_dim)`.
        """
        positions = spans[..., :1] + torch.arange(max_width, device=spans.device)
        outside = positions > spans[..., 1:]
        positions = positions.clamp(max=tokens.size(1) - 1)
        # Shape: (batch_size, num_spans, max_width)
        scores = select(self.score(tokens), positions).squeeze(-1)
        weights = scores.masked_fill(outside, -torch.inf).softmax(dim=-1)
        # Shape: (batch_size, num_spans, 1, max_width) x (batch_size, num_spans, max_width,
        # input_dim)
        return torch.matmul(weights.unsqueeze(-2), select(tokens, positions)).squeeze(-2)

    def all_spans(self, tokens: torch.Tensor, values: torch.Tensor, max_width: int) -> torch.Tensor:
        """
        Means over all spans of up to `max_width` tokens, of values that may be narrower than the
        tokens. The mean is linear, so a projection may as well be applied to the tokens before it.

        # Parameters

        tokens : `torch.Tensor`
            Shape `(batch_size, num_tokens, input_dim)`.
        values : `torch.Tensor`
            What to average. Shape `(batch_size, num_tokens, dim)`.
        max_width : `int`
            The number of tokens of the widest spans.

        # Returns

        means : `torch.Tensor`
            At `[:, i, w]` the span from token `i` to token `i + w`; what reaches past the last
            token means nothing. Shape `(batch_size, num_tokens, max_width, dim)`.
        """
        # Shape: (batch_size, num_tokens, 1, max_width)
        scores = windows(self.score(tokens), max_width).transpose(2, 3)
        later = torch.ones(max_width, max_width, dtype=torch.bool, device=tokens.device).triu(1)
        # Shape: (batch_size, num_tokens, max_width, max_width)
        weights = scores.masked_fill(later, -torch.inf).softmax(dim=-1)
        return torch.matmul(weights, windows(values, max_width))


def windows(values: torch.Tensor, size: int) -> torch.Tensor:
    """
    # Parameters

    values : `torch.Tensor`
        Shape `(batch_size, length, dim)`.
    size : `int`

    # Returns

    windows : `torch.Tensor`
        At `[:, i, w]` the value at `i + w`, and zero past the end. Shape `(batch_size, length,
        size, dim)`.
    """
    length = values.size(1)
    padded = torch.nn.functional.pad(values, (0, 0, 0, size - 1))
    if takes_few_calls(values):
        return padded.unfold(1, size, 1).transpose(2, 3)
    return torch.stack([padded[:, first : first + length] for first in range(size)], dim=2)


def select(values: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
    """
    # Parameters

    values : `torch.Tensor`
        Shape `(batch_size, length, dim)`.
    positions : `torch.LongTensor`
        Positions in the batch entry's own sequence. Shape `(batch_size, ...)`.

    # Returns

    selected : `torch.Tensor`
        Shape `(batch_size, ..., dim)`.
    """
    batch_size, length, dim = values.shape
    first_rows = torch.arange(batch_size, device=values.device) * length
    rows = positions + first_rows.view(batch_size, *[1] * (positions.dim() - 1))
    # Shape: (batch_size * number of positions, dim)
    selected = values.reshape(batch_size * length, dim).index_select(0, rows.flatten())
    return selected.view(*positions.shape, dim)
