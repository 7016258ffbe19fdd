"""The LSTM encoder of every level: exact on padded batches without packing or sorting them."""

from typing import Any, List, Tuple

import torch
from allennlp.modules.seq2seq_encoders import Seq2SeqEncoder

from hmtl.modules.dropout import FastDropout
from hmtl.modules.side_by_side import modules_side_by_side


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
        self.dropout = FastDropout(dropout)

        def layers() -> torch.nn.ModuleList:
            widths: List[int] = [input_size] + [self.output_size] * (num_layers - 1)
            return torch.nn.ModuleList(
                torch.nn.LSTM(width, hidden_size, bias=bias) for width in widths
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
        # Shape: (num_tokens, batch_size, dim), as the kernels of the CPU and of cuDNN want it
        outputs = inputs.transpose(0, 1).contiguous()
        running = mask.transpose(0, 1)
        reversal = Reversal(running) if self.bidirectional else None
        for index, forward_layer in enumerate(self.forward_layers):
            layer_inputs = outputs if index == 0 else self.dropout(outputs)
            if reversal is None:
                outputs, _ = forward_layer(layer_inputs)
                continue
            outputs, backward_outputs = modules_side_by_side(
                forward_layer, self.backward_layers[index], layer_inputs, reversal(layer_inputs)
            )
            outputs = torch.cat([outputs, reversal(backward_outputs)], dim=-1)
        return (outputs * running.unsqueeze(-1)).transpose(0, 1)


class Reversal:
    """
    Reverses each sequence of a batch within its own length; padding stays in place, behind, so that
    reversing twice restores the batch.

    # Parameters

    mask : `torch.BoolTensor`
        True on real tokens. Shape `(num_tokens, batch_size)`.
    """

    def __init__(self, mask: torch.Tensor) -> None:
        num_tokens, batch_size = mask.shape
        positions = torch.arange(num_tokens, device=mask.device).unsqueeze(-1)
        mirrored = torch.where(mask, mask.sum(dim=0) - 1 - positions, positions)
        # Shape: (num_tokens * batch_size,)
        self._rows = (
            mirrored * batch_size + torch.arange(batch_size, device=mask.device)
        ).flatten()

    def __call__(self, sequences: torch.Tensor) -> torch.Tensor:
        """Takes and returns shape `(num_tokens, batch_size, dim)`."""
        return _Permute.apply(sequences, self._rows)


class _Permute(torch.autograd.Function):
    """
    Rows in another order, for an order that is its own inverse: the gradient then takes the same way,
    which is much cheaper than adding up rows in the general case.
    """

    @staticmethod
    def forward(ctx: Any, sequences: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(rows)
        return _permuted(sequences, rows)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> Tuple[torch.Tensor, None]:
        return _Permute.apply(gradient, *ctx.saved_tensors), None


def _permuted(sequences: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    return sequences.flatten(0, 1).index_select(0, rows).view(sequences.shape)
