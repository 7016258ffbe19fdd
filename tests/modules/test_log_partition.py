"""Large batches, in single precision: small ones are in test_linear_chain_crf.py."""

import pytest
import torch

from hmtl.modules import few_calls
from hmtl.modules.few_calls import few_calls_everywhere, takes_few_calls
from hmtl.modules.log_partition import log_partition, log_partition_by_sums
from hmtl.modules.viterbi import viterbi, viterbi_in_few_calls

LENGTHS = [37, 1, 20, 0, 33, 2]


def batch(num_tags: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    scores = [
        torch.randn(size, generator=generator, dtype=torch.float64) * 3
        for size in (
            (len(LENGTHS), max(LENGTHS), num_tags),
            (num_tags, num_tags),
            (num_tags,),
            (num_tags,),
        )
    ]
    return [*scores, torch.arange(max(LENGTHS)) < torch.tensor(LENGTHS).unsqueeze(1)]


def with_gradients(function, scores, mask) -> list[torch.Tensor]:
    scores = [each.detach().requires_grad_() for each in scores]
    values = function(*scores, mask)
    weights = torch.linspace(0.5, 2.0, len(values), dtype=values.dtype)
    return [values.detach(), *torch.autograd.grad((values * weights).sum(), scores)]


@pytest.mark.parametrize("num_tags", [2, 21])
def test_scan_in_single_precision_is_near_the_sums_in_double(num_tags: int) -> None:
    *scores, mask = batch(num_tags)
    expected = with_gradients(log_partition_by_sums, scores, mask)
    with few_calls_everywhere():
        found = with_gradients(log_partition, [each.float() for each in scores], mask)
    for each, right in zip(found, expected, strict=True):
        torch.testing.assert_close(each.double(), right, rtol=1e-5, atol=1e-4)


def test_tags_are_the_same_in_few_calls() -> None:
    arguments = batch(21)
    assert torch.equal(viterbi_in_few_calls(*arguments), viterbi(*arguments))


def test_few_calls_are_not_paid_for_with_all_memory(monkeypatch) -> None:
    monkeypatch.setattr(few_calls, "NUMBERS_AT_ONCE", 100)
    with few_calls_everywhere():
        assert takes_few_calls(torch.ones(1), 100)
        assert not takes_few_calls(torch.ones(1), 101)
    assert not takes_few_calls(torch.ones(1))
