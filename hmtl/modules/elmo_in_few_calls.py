"""
ELMo's LSTMs for an accelerator: both directions at once, and of each step only what the step before decides.

All products have one shape each here, too (see `hmtl.modules.frozen_elmo`).
"""

from typing import List, Sequence, Tuple

import numpy
import torch
from allennlp.modules.elmo_lstm import ElmoLstm
from allennlp.modules.lstm_cell_with_projection import LstmCellWithProjection

from hmtl.common.moving import moved

# How many texts go through a product together, and how many of their tokens.
TEXTS = 32
TOKENS = 1024


def layers_in_few_calls(
    lstm: ElmoLstm, table: torch.Tensor, texts: Sequence[numpy.ndarray]
) -> List[torch.Tensor]:
    """
    # Parameters

    lstm : `ElmoLstm`
    table : `torch.Tensor`
        Context-free vectors. Shape `(num_vectors, dim)`.
    texts : `Sequence[numpy.ndarray]`
        Of each the rows of its tokens in the table. The longest first; `TEXTS` at most.

    # Returns

    layers : `List[torch.Tensor]`
        As `FrozenElmo.layers`.
    """
    lengths = numpy.array([len(text) for text in texts])
    # How many texts have a token for each step, and where the step begins when all its tokens lie together.
    running = (lengths > numpy.arange(lengths[0])[:, None]).sum(axis=1)
    begins = running.cumsum() - running
    num_tokens = int(lengths.sum())
    # What a product takes beyond the last token means nothing, and only has to be there.
    inputs_of = numpy.zeros((2, num_tokens + TOKENS), numpy.int64)
    # Where in its direction each token stands, one text after the other.
    places = numpy.empty((2, num_tokens), numpy.int64)
    first = 0
    for number, text in enumerate(texts):
        steps = begins[: len(text)] + number
        inputs_of[0, steps], inputs_of[1, steps] = text, text[::-1]
        places[0, first : first + len(text)] = steps
        places[1, first : first + len(text)] = steps[::-1]
        first += len(text)
    places[1] += inputs_of.shape[1]
    # Shape: (2, num_tokens + TOKENS, dim)
    sequences = table[moved(torch.from_numpy(inputs_of), table.device)]
    vectors = [sequences]
    for number, cells in enumerate(zip(lstm.forward_layers, lstm.backward_layers)):
        outputs = _run(cells, sequences, begins.tolist())
        sequences = outputs + sequences if number else outputs
        vectors.append(sequences)
    rows = moved(torch.from_numpy(places), table.device)
    lowest, *layers = (each.flatten(0, 1) for each in vectors)
    parts = [lowest[rows[0]], *(layer[turned] for layer in layers for turned in rows)]
    return list(torch.cat(parts, dim=-1).split(lengths.tolist()))


def _run(
    cells: Tuple[LstmCellWithProjection, LstmCellWithProjection],
    inputs: torch.Tensor,
    begins: Sequence[int],
) -> torch.Tensor:
    """
    A layer, as `hmtl.modules.frozen_elmo` computes one direction of it. Texts that have ended are computed
    further, and overwritten by the next step.

    # Parameters

    cells : `Tuple[LstmCellWithProjection, LstmCellWithProjection]`
    inputs : `torch.Tensor`
        Shape `(2, num_tokens + TOKENS, input_size)`.
    begins : `Sequence[int]`
        Where the tokens of each step begin.

    # Returns

    outputs : `torch.Tensor`
        Shape `(2, num_tokens + TOKENS, hidden_size)`.
    """
    cell = cells[0]
    size = cell.cell_size
    # Shapes: (2, input_size, 4 * size), (2, hidden_size, 4 * size), (2, size, hidden_size)
    to_gates, recurrent, projection = (
        torch.stack([layer.weight for layer in both]).transpose(1, 2)
        for both in (
            [each.input_linearity for each in cells],
            [each.state_linearity for each in cells],
            [each.state_projection for each in cells],
        )
    )
    bias = torch.stack([each.state_linearity.bias for each in cells]).unsqueeze(1)
    outputs = inputs.new_zeros(2, inputs.size(1), cell.hidden_size)
    state = inputs.new_zeros(2, TEXTS, cell.hidden_size)
    memory = inputs.new_zeros(2, TEXTS, size)
    start = -TOKENS
    for begin in begins:
        if begin + TEXTS > start + TOKENS:
            start = begin
            projected = torch.baddbmm(bias, inputs[:, start : start + TOKENS], to_gates)
        given = projected[:, begin - start : begin - start + TEXTS]
        gates = torch.baddbmm(given, state, recurrent)
        # Of the new values this is for nothing, but one call.
        entering, forgetting, _, leaving = gates.sigmoid().split(size, dim=-1)
        new = gates[..., 2 * size : 3 * size].tanh()
        memory.mul_(forgetting).addcmul_(entering, new)
        if cell.memory_cell_clip_value:
            memory.clamp_(-cell.memory_cell_clip_value, cell.memory_cell_clip_value)
        state = outputs[:, begin : begin + TEXTS]
        torch.bmm(memory.tanh().mul_(leaving), projection, out=state)
        if cell.state_projection_clip_value:
            state.clamp_(-cell.state_projection_clip_value, cell.state_projection_clip_value)
    return outputs
