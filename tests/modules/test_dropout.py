import pytest
import torch

from hmtl.modules.dropout import FastDropout


@pytest.mark.parametrize("p", [0.05, 0.3, 0.5, 0.9])
def test_dropout_zeroes_its_share_and_keeps_the_mean(p) -> None:
    torch.manual_seed(0)
    output = FastDropout(p)(torch.ones(1000, 401))
    assert output.eq(0).double().mean() == pytest.approx(p, abs=0.005)
    assert output.double().mean() == pytest.approx(1.0, abs=0.02)


def test_dropout_draws_entries_that_share_a_word_independently() -> None:
    torch.manual_seed(0)
    kept = FastDropout(0.5)(torch.ones(100_000, 4)).ne(0).double()
    correlations = torch.corrcoef(kept.T) - torch.eye(4)
    assert correlations.abs().max() < 0.02


def test_dropout_repeats_with_its_seed() -> None:
    dropout, values = FastDropout(0.3), torch.randn(7, 5)
    torch.manual_seed(3)
    first = dropout(values)
    second = dropout(values)
    torch.manual_seed(3)
    assert torch.equal(dropout(values), first)
    assert not torch.equal(first, second)


def test_dropout_passes_the_gradient_of_what_it_keeps() -> None:
    values = torch.ones(50, requires_grad=True)
    output = FastDropout(0.25)(values)
    output.sum().backward()
    assert values.grad is not None
    torch.testing.assert_close(values.grad, output.detach())


@pytest.mark.parametrize("p, expected", [(0.0, 1.0), (1.0, 0.0)])
def test_dropout_of_nothing_or_all(p, expected) -> None:
    assert FastDropout(p)(torch.ones(9)).eq(expected).all()


def test_dropout_does_nothing_at_evaluation() -> None:
    values = torch.randn(9)
    assert torch.equal(FastDropout(0.9).eval()(values), values)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64])
def test_dropout_keeps_the_type(dtype) -> None:
    assert FastDropout(0.3)(torch.ones(3, 3, dtype=dtype)).dtype == dtype


def test_dropout_takes_empty_tensors() -> None:
    assert FastDropout(0.3)(torch.ones(0, 4)).shape == (0, 4)
