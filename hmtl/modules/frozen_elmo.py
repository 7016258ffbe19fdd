"""
The layers of a frozen ELMo, so computed that those of a text are the same to the last bit whatever other
texts stand in the batch.

How a matrix product rounds depends on its shape, but not on what stands in its other rows. So all
products here have one shape each: a fixed number of tokens, or of texts, filled up with zeros where there are
fewer. AllenNLP's own code takes as many rows as there happen to be texts that long. (With an inner dimension
that is no multiple of 16, and few columns, a row's place counts as well. No released ELMo has one; those of
tests are filled up.)
"""

from typing import Callable, List, Sequence, Tuple

import numpy
import torch
from allennlp.modules.elmo_lstm import ElmoLstm
from allennlp.modules.lstm_cell_with_projection import LstmCellWithProjection
from torch.nn.functional import linear, pad

from hmtl.common.moving import moved
from hmtl.modules.elmo_in_few_calls import TEXTS, layers_in_few_calls
from hmtl.modules.few_calls import takes_few_calls

# How many texts, and how many tokens, go through a product together: on a CPU as few as use it well, since
# a batch may hold no more; a GPU takes as long for many as for few.
TEXTS_ON_CPU = 16
TOKENS_ON_CPU, TOKENS_ELSEWHERE = 64, 1024

INNER_STEP = 16

# Character ids, shape (1, num_tokens, 50), to the context-free vectors of the tokens with a beginning and
# an end of text around them, shape (1, num_tokens + 2, dim).
EncodeTokens = Callable[[torch.Tensor], torch.Tensor]


class FrozenElmo:
    """
    # Parameters

    encode_tokens : `EncodeTokens`
        ELMo's character CNN.
    encoder_width : `int`
        The inner dimension of its products: how many filters the CNN has.
    lstm : `ElmoLstm`
        Its LSTMs. (Reads their weights; the state they keep between batches is not touched.)
    """

    def __init__(self, encode_tokens: EncodeTokens, encoder_width: int, lstm: ElmoLstm) -> None:
        self._encode_tokens = encode_tokens
        self._encoder_width = encoder_width
        self._lstm = lstm

    def layers(self, texts: Sequence[numpy.ndarray], device: torch.device) -> List[torch.Tensor]:
        """
        # Parameters

        texts : `Sequence[numpy.ndarray]`
            Character ids of each text. Shape `(num_tokens, 50)`.
        device : `torch.device`
            Where the weights are.

        # Returns

        layers : `List[torch.Tensor]`
            Of each text, with a token for its beginning and one for its end: the context-free vector of a
            token, then per LSTM layer its forward and its backward vector.
            Shape `(num_tokens + 2, width)`.
        """
        with torch.no_grad(), torch.autocast(device.type, enabled=False):
            table, numbers = self._context_free(texts, device)
            order = sorted(range(len(texts)), key=lambda index: -len(numbers[index]))
            layers: List[torch.Tensor] = [table] * len(texts)
            few_calls = takes_few_calls(table)
            size = TEXTS if few_calls else TEXTS_ON_CPU
            for first in range(0, len(order), size):
                group = order[first : first + size]
                rows = [numbers[index] for index in group]
                if few_calls:
                    found = layers_in_few_calls(self._lstm, table, rows)
                else:
                    found = self._with_contexts([table[torch.from_numpy(each)] for each in rows])
                for index, of_text in zip(group, found):
                    layers[index] = of_text
            return layers

    def _context_free(
        self, texts: Sequence[numpy.ndarray], device: torch.device
    ) -> Tuple[torch.Tensor, List[numpy.ndarray]]:
        """A table of vectors, each different token once, and for each text its rows of the table."""
        different, inverse = numpy.unique(numpy.concatenate(texts), axis=0, return_inverse=True)
        ids = moved(torch.from_numpy(different.astype(numpy.int64)), device)
        # One by one, a token has always the same place.
        size = TOKENS_ELSEWHERE if takes_few_calls(ids) else TOKENS_ON_CPU
        if self._encoder_width % INNER_STEP:
            size = 1
        vectors = []
        for first in range(0, len(ids), size):
            chunk = ids[first : first + size]
            # Filled up with a token, not with padding: after that, ELMo would see the text's end.
            filling = chunk[:1].expand(size - len(chunk), -1)
            encoded = self._encode_tokens(torch.cat([chunk, filling]).unsqueeze(0))[0]
            vectors.append(encoded[1 : 1 + len(chunk)])
        # Shape: (2 + num_different, dim)
        table = torch.cat([encoded[:1], encoded[-1:], *vectors])
        bounds = numpy.cumsum([len(text) for text in texts])[:-1]
        of_texts = numpy.split(inverse.reshape(-1) + 2, bounds)
        return table, [numpy.concatenate([[0], of_text, [1]]) for of_text in of_texts]

    def _with_contexts(self, texts: List[torch.Tensor]) -> List[torch.Tensor]:
        """The longest text first; at most `TEXTS_ON_CPU` of them."""
        lengths = [len(text) for text in texts]
        directions = []
        for cells, turned in (
            (self._lstm.forward_layers, False),
            (self._lstm.backward_layers, True),
        ):
            ordered = [text.flip(0) for text in texts] if turned else texts
            # Shape: (num_texts, num_tokens, dim)
            sequence = torch.nn.utils.rnn.pad_sequence(ordered, batch_first=True)
            outputs = []
            for number, cell in enumerate(cells):
                run = _run_cell(cell, sequence, lengths)
                sequence = run + sequence if number else run
                outputs.append(sequence)
            # Per text and layer, in the text's own order.
            cut = [[layer[i, :length] for layer in outputs] for i, length in enumerate(lengths)]
            directions.append([[o.flip(0) for o in of] if turned else of for of in cut])
        return [
            torch.cat([text, *(part for pair in zip(*both) for part in pair)], dim=-1)
            for text, *both in zip(texts, *directions)
        ]


def _run_cell(
    cell: LstmCellWithProjection, inputs: torch.Tensor, lengths: List[int]
) -> torch.Tensor:
    """
    An LSTM with projection (Sak et al., 2014) over texts from left to right. What stands at and after a
    text's end means nothing.

    # Parameters

    inputs : `torch.Tensor`
        Shape `(num_texts, num_tokens, input_size)`.
    lengths : `List[int]`
        Falling.

    # Returns

    outputs : `torch.Tensor`
        Shape `(num_texts, num_tokens, hidden_size)`.
    """
    num_texts, num_tokens, _ = inputs.shape
    outputs = inputs.new_zeros(num_texts, num_tokens, cell.hidden_size)
    size, size_of_block = TEXTS_ON_CPU, TOKENS_ON_CPU
    # Shape: (size, hidden_size)
    state = inputs.new_zeros(size, cell.hidden_size)
    # A column too many keeps elementwise functions to whole rows: those, too, may round otherwise at the
    # end of what they are given.
    memory = inputs.new_zeros(size, cell.cell_size + 1)[:, : cell.cell_size]
    start = 0
    while start < num_tokens:
        running = sum(length > start for length in lengths)
        stop = min(start + max(1, size_of_block // running), num_tokens)
        projected = _project(cell, inputs[:running, start:stop], size_of_block)
        for position in range(start, stop):
            # Shape: (running, 4 * cell_size)
            gates = _product(state, cell.state_linearity)[:running]
            gates = gates + projected[:, position - start]
            state[:running] = _step(cell, gates, memory[:running], size)
            outputs[:running, position] = state[:running]
        start = stop
    return outputs


def _product(inputs: torch.Tensor, layer: torch.nn.Linear) -> torch.Tensor:
    """What the layer makes of them. Shape `(num_rows, out_features)`."""
    missing = -layer.in_features % INNER_STEP
    weight = layer.weight
    if missing:
        inputs, weight = pad(inputs, (0, missing)), pad(weight, (0, missing))
    return linear(inputs, weight, layer.bias)


def _project(cell: LstmCellWithProjection, inputs: torch.Tensor, size: int) -> torch.Tensor:
    """The part of the gates that follows from the inputs. Shape `(num_texts, num_tokens, 4 * cell_size)`."""
    num_texts, num_tokens, dim = inputs.shape
    rows = inputs.new_zeros(size, dim)
    rows[: num_texts * num_tokens] = inputs.reshape(-1, dim)
    gates = _product(rows, cell.input_linearity)[: num_texts * num_tokens]
    return gates.view(num_texts, num_tokens, -1)


def _step(
    cell: LstmCellWithProjection, gates: torch.Tensor, memory: torch.Tensor, size: int
) -> torch.Tensor:
    """
    # Parameters

    gates : `torch.Tensor`
        Shape `(num_texts, 4 * cell_size)`.
    memory : `torch.Tensor`
        Shape `(num_texts, cell_size)`. Changed in place.

    # Returns

    state : `torch.Tensor`
        Shape `(num_texts, hidden_size)`.
    """
    entering, forgetting, new, leaving = gates.split(cell.cell_size, dim=1)
    memory.mul_(torch.sigmoid(forgetting)).add_(torch.sigmoid(entering) * torch.tanh(new))
    if cell.memory_cell_clip_value:
        memory.clamp_(-cell.memory_cell_clip_value, cell.memory_cell_clip_value)
    rows = memory.new_zeros(size, cell.cell_size)
    rows[: len(memory)] = torch.sigmoid(leaving) * torch.tanh(memory)
    state = _product(rows, cell.state_projection)[: len(memory)]
    if cell.state_projection_clip_value:
        state = state.clamp(-cell.state_projection_clip_value, cell.state_projection_clip_value)
    return state
