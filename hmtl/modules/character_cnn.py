"""Convolutions over the characters of a word."""

from typing import List, Optional, Sequence

import torch
from allennlp.modules import Seq2VecEncoder
from allennlp.nn import Activation


@Seq2VecEncoder.register("cnn", exist_ok=True)
class CnnEncoder(Seq2VecEncoder):
    """
    Convolutions of several widths over a sequence, each pooled to its maximum (Kim, 2014).

    It takes the place of AllenNLP's encoder of the same name. That one, in its last release, gives a word
    that is shorter than the filter (every "of", "I" and comma, at width 3) nothing but zeros. This one
    looks at each window that begins on a real character, zeros standing for what lies beyond the word,
    whatever else is in the batch.

    # Parameters

    embedding_dim : `int`
    num_filters : `int`
        For each width.
    ngram_filter_sizes : `Sequence[int]`, optional (default = `(2, 3, 4, 5)`)
        The widths.
    conv_layer_activation : `Activation`, optional (default = `relu`)
    output_dim : `int`, optional (default = `None`)
        Project the pooled values to this width; `None` leaves them as they are.
    pool_over_padding : `bool`, optional (default = `False`)
        Let windows that begin on padding take part in the maximum, and none that ends beyond the batch's
        longest word. The 2018 code did this, so a word's vector depended on the length of the longest word
        in its batch; its checkpoints are reproduced exactly only so.
    """

    def __init__(
        self,
        embedding_dim: int,
        num_filters: int,
        ngram_filter_sizes: Sequence[int] = (2, 3, 4, 5),
        conv_layer_activation: Optional[Activation] = None,
        output_dim: Optional[int] = None,
        pool_over_padding: bool = False,
    ) -> None:
        super().__init__()
        self.embedding_dim = embedding_dim
        self.widths: List[int] = list(ngram_filter_sizes)
        self.activation = conv_layer_activation or Activation.by_name("relu")()
        self.pool_over_padding = pool_over_padding
        for index, width in enumerate(self.widths):
            # These names are those of the checkpoints of 2018.
            self.add_module(
                f"conv_layer_{index}", torch.nn.Conv1d(embedding_dim, num_filters, width)
            )
        pooled_dim = num_filters * len(self.widths)
        self.output_dim = output_dim or pooled_dim
        self.projection_layer = torch.nn.Linear(pooled_dim, output_dim) if output_dim else None

    def get_input_dim(self) -> int:
        return self.embedding_dim

    def get_output_dim(self) -> int:
        return self.output_dim

    def forward(self, tokens: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """
        # Parameters

        tokens : `torch.Tensor`
            Shape `(batch_size, num_tokens, embedding_dim)`.
        mask : `torch.Tensor`
            1 or true on real tokens, padding on the right. Shape `(batch_size, num_tokens)`.

        # Returns

        vectors : `torch.Tensor`
            0 before the projection for a sequence without tokens. Shape `(batch_size, output_dim)`.
        """
        mask = mask.bool()
        # Shape: (batch_size, embedding_dim, num_tokens)
        channels = (tokens * mask.unsqueeze(-1)).transpose(1, 2)
        pooled = [
            self._pool(getattr(self, f"conv_layer_{index}"), width, channels, mask)
            for index, width in enumerate(self.widths)
        ]
        vectors = torch.cat(pooled, dim=-1) if len(pooled) > 1 else pooled[0]
        return vectors if self.projection_layer is None else self.projection_layer(vectors)

    def _pool(
        self,
        convolution: torch.nn.Conv1d,
        width: int,
        channels: torch.Tensor,
        mask: torch.Tensor,
    ) -> torch.Tensor:
        """The maximum over a filter's windows. Shape `(batch_size, num_filters)`."""
        num_tokens = mask.size(1)
        if self.pool_over_padding:
            padded = torch.nn.functional.pad(channels, (0, max(width - num_tokens, 0)))
            return self.activation(convolution(padded)).amax(dim=-1)
        padded = torch.nn.functional.pad(channels, (0, width - 1))
        # Shape: (batch_size, num_filters, num_tokens)
        activations = self.activation(convolution(padded))
        lowest = torch.finfo(activations.dtype).min
        pooled = activations.masked_fill(~mask.unsqueeze(1), lowest).amax(dim=-1)
        return pooled * mask[:, :1]
