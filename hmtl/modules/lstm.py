"""The LSTM encoder of every level: exact on padded batches without packing or sorting them."""

from typing import List

import torch
from allennlp.modules.seq2seq_encoders import Seq2SeqEncoder


@Seq2SeqEncoder.register("lstm", exist_ok=True)
class LstmEncoder(Seq2SeqEncoder):
    """
    A stacked, optionally bidirectional LSTM (Hochreiter and Schmidhuber, 1997) over right-padded
    sequences; its outputs on real tokens equal those of a packed `torch.nn.LSTM`, and are 0 on padding.

    It takes the place of AllenNLP's encoder of the same name and takes the same parameters. That one
    sorts and packs each batch, for which it reads the lengths back from the device at every step. This
    one lets the forward direction run on into the padding, where nothing reads its output, and gives
    the backward direction each sequence reversed within its own length.

    # Parameters

    input_size : `int`
        Width of the input vectors.
    hidden_size : `int`
        Width of the output vectors, per direction.
    num_layers : `int`, optional (default = `1`)
    bias : `bool`, optional (default = `True`)
    dropout : `float`, optional (default = `0.0`)
        Probability of zeroing an output, between layers.
    bidirectional : `bool`, optional (default = `False`)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        dropout: float = 0.0,
        bidirectional: bool = False,
    ) -> None:
        super().__init__(stateful=False)
        self.input_size = input_size
        self.bidirectional = bidirectional
        self.output_size = hidden_size * (2 if bidirectional else 1)
        self.dropout = torch.nn.Dropout(dropout)

        def layers() -> torch.nn.ModuleList:
            widths: List[int] = [input_size] + [self.output_size] * (num_layers - 1)
            return torch.nn.ModuleList(
                torch.nn.LSTM(width, hidden_size, bias=bias, batch_first=True) for width in widths
            )

        self.forward_layers = layers()
        self.backward_layers = layers() if bidirectional else torch.nn.ModuleList()

    def get_input_dim(self) -> int:
        return self.input_size

    def get_output_dim(self) -> int:
        return self.output_size

    def is_bidirectional(self) -> bool:
        return self.bidirectional

    def forward(self, inputs: torch.Tensor, mask: torch.BoolTensor) -> torch.Tensor:
        """
        # Parameters

        inputs : `torch.Tensor`
            Shape `(batch_size, num_tokens, input_size)`.
        mask : `torch.BoolTensor`
            True on real tokens, padding on the right. Shape `(batch_size, num_tokens)`.

        # Returns

        outputs : `torch.Tensor`
            Shape `(batch_size, num_tokens, output_size)`; forward direction first.
        """
        reversal = _reversal(mask).unsqueeze(-1) if self.bidirectional else None
        outputs = inputs
        for index, forward_layer in enumerate(self.forward_layers):
            layer_inputs = outputs if index == 0 else self.dropout(outputs)
            outputs, _ = forward_layer(layer_inputs)
            if reversal is not None:
                backward_outputs, _ = self.backward_layers[index](
                    torch.take_along_dim(layer_inputs, reversal, dim=1)
                )
                backward_outputs = torch.take_along_dim(backward_outputs, reversal, dim=1)
                outputs = torch.cat([outputs, backward_outputs], dim=-1)
        return outputs * mask.unsqueeze(-1)


def _reversal(mask: torch.Tensor) -> torch.Tensor:
    """
    For each position of a right-padded sequence, the position whose token stands there when the sequence
    is reversed within its length; padding stays in place, so that reversing twice restores the
    sequence. Shape `(batch_size, num_tokens)`.
    """
    positions = torch.arange(mask.size(1), device=mask.device).expand_as(mask)
    mirrored = mask.sum(dim=1, keepdim=True) - 1 - positions
    return torch.where(mask, mirrored, positions)
