"""Vectors for spans of tokens, and a score for each span of a document at a small cost."""

from typing import Dict, Optional

import torch
from allennlp.common import Lazy

from hmtl.modules.feedforward import SplitFeedForward
from hmtl.modules.span_attention import SpanAttention, select, windows


class SpanVectors(torch.nn.Module):
    """
    A span as `[encoding of its first token ; encoding of its last token ; feature of its width ;
    attended mean of its tokens' embeddings]` (Lee et al., 2017), and a feature of its kind, where spans have
    kinds.

    # Parameters

    input_dim : `int`
        The width of the embeddings that are averaged.
    encoded_dim : `int`
        The width of the encodings.
    feature_size : `int`
        The width of the feature for a span's width.
    max_width : `int`
        How many widths (1, 2, ... tokens) have a feature of their own; a wider span shares the
        last.
    num_kinds : `int`, optional (default = `0`)
        Of how many kinds spans are; each has a feature, as wide as that of a width.
    """

    def __init__(
        self,
        input_dim: int,
        encoded_dim: int,
        feature_size: int,
        max_width: int,
        num_kinds: int = 0,
    ) -> None:
        super().__init__()
        self.max_width = max_width
        self.width_embedding = torch.nn.Embedding(max_width, feature_size)
        self.attention = SpanAttention(input_dim)
        self._parts = {
            "start": encoded_dim,
            "end": encoded_dim,
            "width": feature_size,
            "attended": input_dim,
        }
        self.kind_embedding: Optional[torch.nn.Embedding] = None
        if num_kinds:
            self.kind_embedding = torch.nn.Embedding(num_kinds, feature_size)
            self._parts["kind"] = feature_size

    def get_parts(self) -> Dict[str, int]:
        """The parts of a vector and their widths, in order."""
        return dict(self._parts)

    def get_output_dim(self) -> int:
        """The width of a vector."""
        return sum(self._parts.values())

    def forward(
        self,
        inputs: torch.Tensor,
        encoded: torch.Tensor,
        spans: torch.Tensor,
        max_width: int,
        kinds: Optional[torch.Tensor] = None,
    ) -> torch.Tensor:
        """
        # Parameters

        inputs : `torch.Tensor`
            Shape `(batch_size, num_tokens, input_dim)`.
        encoded : `torch.Tensor`
            Shape `(batch_size, num_tokens, encoded_dim)`.
        spans : `torch.LongTensor`
            First and last token, inclusive. Shape `(batch_size, num_spans, 2)`.
        max_width : `int`
            At least the number of tokens of the widest span.
        kinds : `torch.LongTensor`, optional
            Those of the spans, where they have kinds. Shape `(batch_size, num_spans)`.

        # Returns

        vectors : `torch.Tensor`
            Shape `(batch_size, num_spans, output_dim)`.
        """
        starts, ends = spans.unbind(dim=-1)
        widths = (ends - starts).clamp(max=self.max_width - 1)
        parts = [
            select(encoded, starts),
            select(encoded, ends),
            self.width_embedding(widths),
            self.attention(inputs, spans, max_width),
        ]
        if self.kind_embedding is not None:
            parts.append(self.kind_embedding(kinds))
        return torch.cat(parts, dim=-1)


class SpanScorer(torch.nn.Module):
    """
    Scores spans by a feed-forward network over their vectors.

    # Parameters

    parts : `Dict[str, int]`
        The parts of a vector and their widths, as `SpanVectors.get_parts` gives them.
    feedforward : `Lazy[SplitFeedForward]`
    """

    def __init__(self, parts: Dict[str, int], feedforward: Lazy[SplitFeedForward]) -> None:
        super().__init__()
        self.feedforward = feedforward.construct(input_dims=parts)
        self.output = torch.nn.Linear(self.feedforward.get_output_dim(), 1)

    def forward(self, span_vectors: torch.Tensor) -> torch.Tensor:
        """
        # Parameters

        span_vectors : `torch.Tensor`
            Shape `(batch_size, num_spans, dim)`.

        # Returns

        scores : `torch.Tensor`
            Shape `(batch_size, num_spans)`.
        """
        return self.output(self.feedforward(span_vectors)).squeeze(-1)

    def all_spans(
        self,
        vectors: SpanVectors,
        inputs: torch.Tensor,
        encoded: torch.Tensor,
        kinds: Optional[torch.Tensor] = None,
    ) -> torch.Tensor:
        """
        Scores all spans of up to `vectors.max_width` tokens, without making a vector for any: the
        first layer is applied to each token, and a span adds up what its tokens gave.

        # Parameters

        vectors : `SpanVectors`
            What would make the spans' vectors.
        inputs : `torch.Tensor`
            Shape `(batch_size, num_tokens, input_dim)`.
        encoded : `torch.Tensor`
            Shape `(batch_size, num_tokens, encoded_dim)`.
        kinds : `torch.LongTensor`, optional
            Those of the spans, where they have kinds. Shape `(batch_size, num_tokens, max_width)`.

        # Returns

        scores : `torch.Tensor`
            At `[:, i, w]` the span from token `i` to token `i + w`; what reaches past the last
            token means nothing. Shape `(batch_size, num_tokens, max_width)`.
        """
        project = self.feedforward.project_part
        # Shape: (batch_size, num_tokens, max_width, hidden_dim)
        projected = (
            vectors.attention.all_spans(inputs, project("attended", inputs), vectors.max_width)
            + windows(project("end", encoded), vectors.max_width)
            + project("start", encoded).unsqueeze(2)
            + project("width", vectors.width_embedding.weight)
        )
        if vectors.kind_embedding is not None:
            assert kinds is not None
            of_kinds = project("kind", vectors.kind_embedding.weight)
            projected = projected + torch.nn.functional.embedding(kinds, of_kinds)
        return self.output(self.feedforward.finish(projected)).squeeze(-1)
