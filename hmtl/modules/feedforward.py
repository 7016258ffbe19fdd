"""A feed-forward network whose first layer can be applied to parts of its input one at a time."""

from itertools import pairwise
from typing import Dict, List, Optional, TypeVar, Union, cast

import torch
from allennlp.common import FromParams, Params
from allennlp.common.checks import ConfigurationError
from allennlp.nn import Activation

from hmtl.common.reporting import counted
from hmtl.modules.dropout import FastDropout

T = TypeVar("T")


class SplitFeedForward(torch.nn.Module, FromParams):
    """
    Linear layers, each followed by an activation and dropout, over an input that is a concatenation
    of named parts.

    The first layer is linear, so `W [a; b] + c = W_a a + W_b b + c`. Where many inputs share parts
    (spans share their endpoints, pairs share their members), projecting each part once and adding
    is the same function at a fraction of the cost of projecting every concatenation.

    Built from a configuration block with the keys of AllenNLP's `FeedForward`; the parts come from
    the code that owns it, through `Lazy[SplitFeedForward]` and `construct(input_dims={...})`.

    # Parameters

    input_dims : `Dict[str, int]`
        The parts and their widths, in the order in which they stand in the input.
    num_layers : `int`
        How many linear layers, at least 1.
    hidden_dims : `Union[int, List[int]]`
        The width of each layer's output; one number stands for all layers.
    activations : `Union[Activation, List[Activation]]`
        What follows each layer; one stands for all layers.
    dropout : `Union[float, List[float]]`, optional (default = `0.0`)
        The probability of zeroing an entry after each activation; one number stands for all layers.
    input_dim : `int`, optional
        The sum of the parts' widths. It follows from them; if written out it must agree.
    """

    def __init__(
        self,
        input_dims: Dict[str, int],
        num_layers: int,
        hidden_dims: Union[int, List[int]],
        activations: Union[Activation, List[Activation]],
        dropout: Union[float, List[float]] = 0.0,
        input_dim: Optional[int] = None,
    ) -> None:
        super().__init__()
        _check_input_dim(input_dim, input_dims)
        if num_layers < 1:
            raise ConfigurationError(f"num_layers must be at least 1, but is {num_layers}")
        widths = _per_layer(hidden_dims, num_layers, "hidden_dims")
        self._columns = _columns(input_dims)
        self._sizes = sizes = [sum(input_dims.values()), *widths]
        self.linear_layers = torch.nn.ModuleList(
            torch.nn.Linear(size, next_size) for size, next_size in pairwise(sizes)
        )
        modules: List[Activation] = _per_layer(activations, num_layers, "activations")
        self.activations = torch.nn.ModuleList(modules)
        self.dropouts = torch.nn.ModuleList(
            FastDropout(p) for p in _per_layer(dropout, num_layers, "dropout")
        )

    @classmethod
    def from_params(  # type: ignore[override]
        cls, params: Params, input_dims: Dict[str, int]
    ) -> "SplitFeedForward":
        """
        Builds from a configuration block. AllenNLP hands what the owner was built with down to its
        blocks, and an owner's `input_dim` is not this one's: so nothing but `input_dims` is taken.
        """
        return super().from_params(params, input_dims=input_dims)

    def get_input_dim(self) -> int:
        """The width of the whole input."""
        return self._sizes[0]

    def get_hidden_dim(self) -> int:
        """The width of the first layer's output, which `project_part` gives."""
        return self._sizes[1]

    def num_hidden_units(self) -> int:
        """Of all layers together."""
        return sum(self._sizes[1:])

    def get_output_dim(self) -> int:
        """The width of the output."""
        return self._sizes[-1]

    def part_weight(self, part: str) -> torch.Tensor:
        """The first layer's columns for one part, a view. Shape `(hidden_dim, part_dim)`."""
        return self._first_layer.weight[:, self._columns[part]]

    def project_part(self, part: str, values: torch.Tensor) -> torch.Tensor:
        """
        # Parameters

        part : `str`
            A name among `input_dims`.
        values : `torch.Tensor`
            Shape `(..., part_dim)`.

        # Returns

        projected : `torch.Tensor`
            What the part adds to the first layer's output. Shape `(..., hidden_dim)`.
        """
        return torch.nn.functional.linear(values, self.part_weight(part))

    def finish(self, projected: torch.Tensor) -> torch.Tensor:
        """
        # Parameters

        projected : `torch.Tensor`
            The sum of all parts' projections. Shape `(..., hidden_dim)`.

        # Returns

        output : `torch.Tensor`
            The network's output. Shape `(..., output_dim)`.
        """
        return self._rest(projected + self._first_layer.bias)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """The network applied to whole inputs of shape `(..., input_dim)`."""
        return self._rest(self.linear_layers[0](inputs))

    @property
    def _first_layer(self) -> torch.nn.Linear:
        return cast(torch.nn.Linear, self.linear_layers[0])

    def _rest(self, hidden: torch.Tensor) -> torch.Tensor:
        for index, (activation, dropout) in enumerate(
            zip(self.activations, self.dropouts, strict=True)
        ):
            if index > 0:
                hidden = self.linear_layers[index](hidden)
            hidden = dropout(activation(hidden))
        return hidden


def _columns(input_dims: Dict[str, int]) -> Dict[str, slice]:
    columns, first = {}, 0
    for part, width in input_dims.items():
        columns[part] = slice(first, first + width)
        first += width
    return columns


def _check_input_dim(input_dim: Optional[int], input_dims: Dict[str, int]) -> None:
    total = sum(input_dims.values())
    if input_dim is not None and input_dim != total:
        parts = " + ".join(f"{width} ({part})" for part, width in input_dims.items())
        raise ConfigurationError(
            f"input_dim is {input_dim}, but the parts of the input make {total} = {parts}: "
            "leave input_dim out, or correct the size that is wrong"
        )


def _per_layer(value: Union[T, List[T]], num_layers: int, name: str) -> List[T]:
    if not isinstance(value, list):
        return [value] * num_layers
    if len(value) != num_layers:
        raise ConfigurationError(
            f"{name} lists {counted(len(value), 'values')}, but num_layers is {num_layers}: "
            "give one for each layer, or a single one for all"
        )
    return value
