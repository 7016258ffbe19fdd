"""The LSTM encoder of every level: exact on padded batches, without asking the device for their lengths."""

from typing import Any, Dict, List, Tuple

import torch
from allennlp.modules.seq2seq_encoders import Seq2SeqEncoder
from torch.nn.utils.rnn import PackedSequence
from torch.utils.weak import WeakTensorKeyDictionary

from hmtl.common.moving import moved, on_cpu
from hmtl.common.precision import at_least_single, without_autocast
from hmtl.modules.dropout import FastDropout
from hmtl.modules.few_calls import takes_few_calls
from hmtl.modules.side_by_side import modules_side_by_side


@Seq2SeqEncoder.register("lstm", exist_ok=True)
class LstmEncoder(Seq2SeqEncoder):
    """
    A stacked, optionally bidirectional LSTM (Hochreiter and Schmidhuber, 1997) over right-padded
    sequences; its outputs on real tokens equal those of a packed `torch.nn.LSTM`, and are 0 on padding.

    It takes the place of AllenNLP's encoder of the same name and takes the same parameters. That one
    sorts and packs each batch, for which it reads the lengths back from the device at every step. This
    one, on the CPU, lets the forward direction run on into the padding, where nothing reads its output, and
    gives the backward direction each sequence reversed within its own length. Elsewhere it packs the batch by
    the lengths that the CPU knows, and both directions are one call.

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
        self.hidden_size = hidden_size
        self.output_size = hidden_size * (2 if bidirectional else 1)
        self.dropout = FastDropout(dropout)

        def layers() -> torch.nn.ModuleList:
            widths: List[int] = [input_size] + [self.output_size] * (num_layers - 1)
            return torch.nn.ModuleList(
                torch.nn.LSTM(width, hidden_size, bias=bias) for width in widths
            )

        self.forward_layers = layers()
        self.backward_layers = layers() if bidirectional else torch.nn.ModuleList()
        # No part of the state: they share the parameters of the above.
        self._joint_layers: Dict[int, torch.nn.LSTM] = {}

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
        # Even in bf16, torch would have cuDNN compute an LSTM in fp16, whose range gradients that are not
        # scaled may leave. On the CPU there are LSTMs of half precision for some sizes only.
        with without_autocast(inputs.device):
            return self._encode(at_least_single(inputs), mask)

    def _encode(self, inputs: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """The same as `forward`, in the precision of the inputs."""
        if takes_few_calls(inputs):
            return self._packed(inputs, mask)
        # Shape: (num_tokens, batch_size, dim), as the kernels of the CPU want it
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

    def _packed(self, inputs: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """The same as `forward`."""
        packing = Packing.of(mask)
        if len(packing.batch_sizes) == 0:
            return inputs.new_zeros(*mask.shape, self.output_size)
        outputs = packing.pack(inputs)
        state = packing.state(outputs, 2 if self.bidirectional else 1, self.hidden_size)
        for index in range(len(self.forward_layers)):
            layer_inputs = outputs if index == 0 else self.dropout(outputs)
            sequence = PackedSequence(layer_inputs, packing.batch_sizes)
            outputs = self._layer(index)(sequence, (state, state))[0].data
        return packing.unpack(outputs)

    def _apply(self, *arguments: Any, **options: Any) -> "LstmEncoder":
        # What moves weights tears them apart in memory; so does copying.
        self._joint_layers.clear()
        return super()._apply(*arguments, **options)

    def __getstate__(self) -> Dict[str, Any]:
        return {**self.__dict__, "_joint_layers": {}}

    def _layer(self, index: int) -> torch.nn.LSTM:
        """Both directions of a layer as one module of torch's, or the only one."""
        forward = self.forward_layers[index]
        assert isinstance(forward, torch.nn.LSTM)
        if not self.bidirectional:
            return forward
        backward = self.backward_layers[index]
        own = [*forward.parameters(), *backward.parameters()]
        joint = self._joint_layers.get(index)
        # Weights may have been replaced since.
        if joint is None or any(a is not b for a, b in zip(joint.parameters(), own, strict=True)):
            joint = self._joint_layers[index] = _joined(forward, backward)
        joint.training = self.training
        return joint


def _joined(forward: torch.nn.LSTM, backward: torch.nn.Module) -> torch.nn.LSTM:
    """A bidirectional LSTM that has its parameters from two others."""
    # On no device, so that nothing is drawn for parameters that are not used.
    joint = torch.nn.LSTM(
        forward.input_size,
        forward.hidden_size,
        bias=forward.bias,
        bidirectional=True,
        device="meta",
    )
    for suffix, direction in (("", forward), ("_reverse", backward)):
        for name, parameter in direction.named_parameters():
            setattr(joint, name + suffix, parameter)
    with torch.inference_mode(False):
        # Into one piece of memory, or cuDNN would copy them at each call.
        joint.flatten_parameters()
    return joint


# By the masks that they are of, as long as these are in use: all encoders of a model see one.
_packings: "WeakTensorKeyDictionary" = WeakTensorKeyDictionary()


class Packing:
    """
    The order in which cuDNN wants the tokens of a batch: all first ones, all second ones and so on, the
    longest sequence first, without padding.

    # Parameters

    mask : `torch.BoolTensor`
        True on real tokens. On a device it should come from `moved`, or it is waited for. Shape
        `(batch_size, num_tokens)`.
    """

    def __init__(self, mask: torch.Tensor) -> None:
        known = on_cpu(mask)
        self._shape = mask.shape
        order = known.sum(dim=1).argsort(descending=True, stable=True)
        sorted_mask = known[order].t()
        num_running = sorted_mask.sum(dim=1)
        # How many sequences have a first token, a second one, ...; on the CPU.
        self.batch_sizes = num_running[num_running > 0]
        places = torch.arange(known.size(1)).unsqueeze(1) + order * known.size(1)
        # Of each packed token its row in the batch.
        self._rows = moved(places[sorted_mask], mask.device)
        self._states: Dict[Tuple[torch.dtype, int, int], torch.Tensor] = {}

    @classmethod
    def of(cls, mask: torch.Tensor) -> "Packing":
        """The packing of a mask, made once for all that ask."""
        if mask not in _packings:
            _packings[mask] = cls(mask)
        return _packings[mask]

    def pack(self, sequences: torch.Tensor) -> torch.Tensor:
        """From shape `(batch_size, num_tokens, dim)` to `(num_real_tokens, dim)`."""
        return _Pack.apply(sequences.flatten(0, 1), self._rows)

    def state(self, like: torch.Tensor, num_directions: int, hidden_size: int) -> torch.Tensor:
        """What an LSTM begins with: zeros of shape `(num_directions, num_not_empty, hidden_size)`."""
        kind = (like.dtype, num_directions, hidden_size)
        if kind not in self._states:
            size = (num_directions, int(self.batch_sizes[0]), hidden_size)
            self._states[kind] = like.new_zeros(size)
        return self._states[kind]

    def unpack(self, tokens: torch.Tensor) -> torch.Tensor:
        """The way back; 0 on padding."""
        return _Unpack.apply(tokens, self._rows, self._shape.numel()).view(*self._shape, -1)


class _Pack(torch.autograd.Function):
    """Some of the rows in another order. As none is taken twice, the gradient needs no adding up."""

    @staticmethod
    def forward(ctx: Any, sequences: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(rows)
        ctx.num_rows = len(sequences)
        return sequences.index_select(0, rows)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> Tuple[torch.Tensor, None]:
        return _Unpack.apply(gradient, *ctx.saved_tensors, ctx.num_rows), None


class _Unpack(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, tokens: torch.Tensor, rows: torch.Tensor, num_rows: int) -> torch.Tensor:
        ctx.save_for_backward(rows)
        return tokens.new_zeros(num_rows, tokens.size(1)).index_copy_(0, rows, tokens)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> Tuple[torch.Tensor, None, None]:
        return _Pack.apply(gradient, *ctx.saved_tensors), None, None


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
