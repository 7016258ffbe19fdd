import copy
import pickle
from collections.abc import Iterator
from contextlib import nullcontext

import pytest
import torch
from allennlp.common import Params
from allennlp.modules import Seq2SeqEncoder
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from hmtl.modules.few_calls import few_calls_everywhere
from hmtl.modules.lstm import LstmEncoder

INPUT_SIZE, HIDDEN_SIZE = 4, 3
LENGTHS = torch.tensor([3, 6, 1, 6])


@pytest.fixture(autouse=True, params=["few numbers", "few calls"])
def way(request) -> Iterator[None]:
    """Every test is run on the way of the CPU and on that of accelerators."""
    with few_calls_everywhere() if request.param == "few calls" else nullcontext():
        yield


def mask_of(lengths: torch.Tensor, num_tokens: int | None = None) -> torch.Tensor:
    return torch.arange(num_tokens or int(lengths.max())) < lengths.unsqueeze(1)


def encoder(**params) -> LstmEncoder:
    torch.manual_seed(0)
    built = LstmEncoder(INPUT_SIZE, HIDDEN_SIZE, **params)
    return built.double()


@pytest.fixture
def inputs() -> torch.Tensor:
    torch.manual_seed(1)
    return torch.randn(len(LENGTHS), int(LENGTHS.max()), INPUT_SIZE, dtype=torch.float64)


def torch_twin(ours: LstmEncoder, num_layers: int, bias: bool) -> torch.nn.LSTM:
    """A `torch.nn.LSTM` with the same weights."""
    twin = torch.nn.LSTM(
        INPUT_SIZE,
        HIDDEN_SIZE,
        num_layers,
        bias=bias,
        batch_first=True,
        bidirectional=ours.is_bidirectional(),
    ).double()
    for suffix, layers in (("", ours.forward_layers), ("_reverse", ours.backward_layers)):
        for number, layer in enumerate(layers):
            for name, parameter in layer.named_parameters():
                getattr(twin, f"{name[:-1]}{number}{suffix}").data.copy_(parameter)
    return twin


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("num_layers", [1, 3])
@pytest.mark.parametrize("bias", [True, False])
def test_lstm_equals_packed_lstm_of_torch(
    inputs: torch.Tensor, bidirectional: bool, num_layers: int, bias: bool
) -> None:
    ours = encoder(num_layers=num_layers, bidirectional=bidirectional, bias=bias)
    packed = pack_padded_sequence(inputs, LENGTHS, batch_first=True, enforce_sorted=False)
    expected, _ = torch_twin(ours, num_layers, bias)(packed)
    expected, _ = pad_packed_sequence(expected, batch_first=True)
    torch.testing.assert_close(ours(inputs, mask_of(LENGTHS)), expected)


def test_lstm_gradients_equal_those_of_packed_lstm(inputs: torch.Tensor) -> None:
    ours = encoder(num_layers=2, bidirectional=True)
    twin = torch_twin(ours, 2, True)
    weights = torch.randn(len(LENGTHS), int(LENGTHS.max()), 2 * HIDDEN_SIZE, dtype=torch.float64)
    packed = pack_padded_sequence(inputs, LENGTHS, batch_first=True, enforce_sorted=False)
    expected, _ = pad_packed_sequence(twin(packed)[0], batch_first=True)
    (expected * weights).sum().backward()
    (ours(inputs, mask_of(LENGTHS)) * weights).sum().backward()
    torch.testing.assert_close(
        ours.backward_layers[1].weight_hh_l0.grad,
        twin.weight_hh_l1_reverse.grad,
    )
    torch.testing.assert_close(
        ours.forward_layers[0].weight_ih_l0.grad,
        twin.weight_ih_l0.grad,
    )


def test_lstm_does_not_depend_on_padding(inputs: torch.Tensor) -> None:
    ours = encoder(num_layers=2, bidirectional=True)
    together = ours(inputs, mask_of(LENGTHS))
    for row, length in enumerate(LENGTHS.tolist()):
        alone = ours(inputs[row : row + 1, :length], mask_of(LENGTHS[row : row + 1]))
        torch.testing.assert_close(together[row, :length], alone[0])


def test_lstm_does_not_read_what_stands_on_padding(inputs: torch.Tensor) -> None:
    ours, mask = encoder(num_layers=2, bidirectional=True), mask_of(LENGTHS)
    changed = torch.where(mask.unsqueeze(-1), inputs, 100.0)
    torch.testing.assert_close(ours(inputs, mask), ours(changed, mask))


@pytest.mark.parametrize("bidirectional", [False, True])
def test_lstm_writes_zeros_on_padding(inputs: torch.Tensor, bidirectional: bool) -> None:
    mask = mask_of(torch.tensor([3, 6, 0, 1]))
    outputs = encoder(bidirectional=bidirectional)(inputs, mask)
    assert (outputs[~mask] == 0).all()
    assert (outputs[mask] != 0).any()


def test_lstm_takes_batch_of_padding_alone(inputs: torch.Tensor) -> None:
    mask = torch.zeros(inputs.shape[:2], dtype=torch.bool)
    assert (encoder(num_layers=2, bidirectional=True)(inputs, mask) == 0).all()


def test_lstm_drops_out_between_layers_only(inputs: torch.Tensor) -> None:
    mask = mask_of(LENGTHS)
    single = encoder(num_layers=1, dropout=0.5)
    torch.testing.assert_close(single(inputs, mask), single.eval()(inputs, mask))
    stacked = encoder(num_layers=2, dropout=0.5)
    assert not torch.equal(stacked(inputs, mask), stacked(inputs, mask))
    stacked.eval()
    torch.testing.assert_close(stacked(inputs, mask), stacked(inputs, mask))


@pytest.mark.parametrize("bidirectional, width", [(False, 3), (True, 6)])
def test_lstm_is_registered_and_tells_its_sizes(bidirectional: bool, width: int) -> None:
    params = {"type": "lstm", "input_size": 4, "hidden_size": 3, "bidirectional": bidirectional}
    built = Seq2SeqEncoder.from_params(Params(params))
    assert isinstance(built, LstmEncoder)
    assert (built.get_input_dim(), built.get_output_dim()) == (4, width)
    assert built.is_bidirectional() is bidirectional


def test_lstm_computes_in_single_precision(inputs: torch.Tensor) -> None:
    """In half precision torch would take fp16 for it on a GPU, even where bf16 is asked for."""
    ours, mask = encoder(num_layers=2, bidirectional=True).float(), mask_of(LENGTHS)
    expected = ours(inputs.bfloat16().float(), mask)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(ours(inputs.bfloat16(), mask), expected)


def test_copies_and_moved_lstms_do_not_compute_with_others_weights(inputs: torch.Tensor) -> None:
    ours, mask = encoder(num_layers=2, bidirectional=True), mask_of(LENGTHS)
    before = ours(inputs, mask)
    copied, loaded = copy.deepcopy(ours), pickle.loads(pickle.dumps(ours))
    for other in (copied, loaded):
        for weight in other.parameters():
            weight.data.zero_()
        assert not other(inputs, mask).any()
    assert torch.equal(ours(inputs, mask), before)
    assert ours.float()(inputs.float(), mask).dtype is torch.float32
