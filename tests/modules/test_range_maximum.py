import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hmtl.modules.range_maximum import range_maxima


@settings(max_examples=40)
@given(st.integers(1, 17), st.integers(0, 10**6))
def test_every_stretch_has_the_maximum_of_its_tokens(num_tokens: int, seed: int) -> None:
    values = torch.randn(2, num_tokens, 3, generator=torch.Generator().manual_seed(seed))
    stretches = [
        (instance, start, end)
        for instance in range(2)
        for start in range(num_tokens)
        for end in range(start, num_tokens)
    ]
    found = range_maxima(values, *torch.tensor(stretches).T)
    expected = [
        values[instance, start : end + 1].max(dim=0).values for instance, start, end in stretches
    ]
    assert torch.equal(found, torch.stack(expected))


def test_an_empty_stretch_is_zero_and_learns_nothing() -> None:
    values = torch.randn(1, 3, 2, dtype=torch.double, requires_grad=True)
    # Between two neighbours there is no token, nor between a mention and one within it.
    places = torch.tensor([[0, 1, 0], [0, 3, 2], [0, 2, -1], [0, 0, -1]]).T
    found = range_maxima(values, *places)
    assert found.eq(0).all()
    found.sum().backward()
    assert values.grad is not None and values.grad.eq(0).all()


def test_gradients_reach_the_largest() -> None:
    values = torch.randn(2, 5, 2, dtype=torch.double, requires_grad=True)
    places = torch.tensor([[0, 0, 4], [1, 1, 3], [1, 2, 2]]).T
    assert torch.autograd.gradcheck(lambda each: range_maxima(each, *places), [values])
