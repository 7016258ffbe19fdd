import itertools
from collections.abc import Iterator
from contextlib import nullcontext

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from hypothesis import given, settings
from hypothesis import strategies as st

from hmtl.modules.few_calls import few_calls_everywhere
from hmtl.modules.linear_chain_crf import LinearChainCrf

LABELS = {
    "BIOUL": ["O", "B-X", "I-X", "L-X", "U-X"],
    "BIO": ["O", "I-X", "B-X", "B-Y"],
    "IOB1": ["I-X", "O", "B-X", "I-Y"],
}
# What may follow what within a label, and what may begin and end a sequence.
FOLLOWERS = {
    "BIOUL": {"O": "OBU", "B": "IL", "I": "IL", "L": "OBU", "U": "OBU"},
    "BIO": {"O": "OB", "B": "OBI", "I": "OBI"},
    "IOB1": {"O": "OI", "B": "OIB", "I": "OIB"},
}
STARTS = {"BIOUL": "OBU", "BIO": "OB", "IOB1": "OI"}
ENDS = {"BIOUL": "OLU", "BIO": "OBI", "IOB1": "OBI"}


@pytest.fixture(autouse=True, params=["few numbers", "few calls"])
def way(request) -> Iterator[None]:
    """Every test is run on the way of the CPU and on that of accelerators."""
    with few_calls_everywhere() if request.param == "few calls" else nullcontext():
        yield


def build(labels: list[str], constraint_type: str | None = None, seed: int = 0) -> LinearChainCrf:
    torch.manual_seed(seed)
    crf = LinearChainCrf(labels, constraint_type).double()
    for parameter in crf.parameters():
        torch.nn.init.normal_(parameter)
    return crf


def batch(lengths: list[int], num_tags: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    longest = max(1, *lengths)
    logits = torch.randn(
        len(lengths), longest, num_tags, generator=generator, dtype=torch.float64
    ).mul(2)
    return logits, torch.arange(longest) < torch.tensor(lengths).unsqueeze(1)


def score(crf: LinearChainCrf, logits: torch.Tensor, path: tuple[int, ...]) -> torch.Tensor:
    """The score of one path through one sequence, as the definition says it."""
    total = crf.start_transitions[path[0]] + crf.end_transitions[path[-1]]
    for position, tag in enumerate(path):
        total = total + logits[position, tag]
        if position:
            total = total + crf.transitions[path[position - 1], tag]
    return total


def all_paths(length: int, num_tags: int) -> list[tuple[int, ...]]:
    return list(itertools.product(range(num_tags), repeat=length))


def is_allowed(path: tuple[int, ...], labels: list[str], scheme: str | None) -> bool:
    if scheme is None:
        return True
    tags = [labels[index] for index in path]
    steps = all(
        after[0] in FOLLOWERS[scheme][before[0]] and _same_span(before, after, scheme)
        for before, after in itertools.pairwise(tags)
    )
    return steps and tags[0][0] in STARTS[scheme] and tags[-1][0] in ENDS[scheme]


def _same_span(before: str, after: str, scheme: str) -> bool:
    if scheme == "IOB1":
        # B-X only parts a span from one of the same label right before it.
        return after[0] != "B" or before[1:] == after[1:]
    return after[0] not in "IL" or before[1:] == after[1:]


@settings(max_examples=40)
@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=4),
    st.integers(1, 4),
    st.integers(0, 99),
    st.booleans(),
)
def test_log_likelihood_agrees_with_all_paths(lengths, num_tags, seed, training) -> None:
    crf = build([f"t{index}" for index in range(num_tags)], seed=seed).train(training)
    logits, mask = batch(lengths, num_tags, seed)
    tags = torch.randint(num_tags, mask.shape, generator=torch.Generator().manual_seed(seed))
    for length, found, values, gold in zip(
        lengths, crf.log_likelihood(logits, tags, mask), logits, tags.tolist(), strict=True
    ):
        expected = torch.zeros((), dtype=torch.float64)
        if length:
            scores = [score(crf, values, path) for path in all_paths(length, num_tags)]
            expected = score(crf, values, tuple(gold[:length])) - torch.stack(scores).logsumexp(0)
        torch.testing.assert_close(found, expected)


@settings(max_examples=60)
@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=4),
    st.sampled_from([None, "BIOUL", "BIO", "IOB1"]),
    st.integers(0, 99),
)
def test_viterbi_finds_the_best_of_all_allowed_paths(lengths, scheme, seed) -> None:
    labels = LABELS[scheme or "BIO"]
    crf = build(labels, scheme, seed)
    logits, mask = batch(lengths, len(labels), seed)
    for length, found, values in zip(
        lengths, crf.viterbi(logits, mask).tolist(), logits, strict=True
    ):
        paths = all_paths(length, len(labels)) if length else []
        allowed = [path for path in paths if is_allowed(path, labels, scheme)]
        best = max(allowed, key=lambda path: score(crf, values, path).item(), default=())
        assert found == [*best, *[0] * (mask.size(1) - length)]


@settings(max_examples=40)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=4), st.integers(1, 4), st.integers(0, 99))
def test_tag_probabilities_agree_with_all_paths(lengths, num_tags, seed) -> None:
    crf = build([f"t{index}" for index in range(num_tags)], seed=seed)
    logits, mask = batch(lengths, num_tags, seed)
    expected = torch.zeros_like(logits)
    for length, values, by_token in zip(lengths, logits, expected, strict=True):
        if length:
            paths = all_paths(length, num_tags)
            scores = torch.stack([score(crf, values, path) for path in paths])
            for path, probability in zip(paths, scores.softmax(0).detach(), strict=True):
                by_token[range(length), path] += probability
    # As in evaluation, where there are no gradients to be had.
    with torch.inference_mode():
        found = crf.tag_probabilities(logits + 0, mask & True)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(crf.tag_probabilities(logits, mask), expected)


def test_log_likelihoods_of_all_paths_sum_to_one() -> None:
    crf = build(["a", "b", "c"])
    logits, _ = batch([4], 3)
    paths = torch.tensor(all_paths(4, 3))
    many = logits.expand(len(paths), -1, -1)
    likelihood = crf.log_likelihood(many, paths, torch.ones(len(paths), 4, dtype=torch.bool))
    torch.testing.assert_close(likelihood.exp().sum().item(), 1.0)


def test_constraints_leave_the_likelihood_alone() -> None:
    # As in the 2018 code, whose checkpoints would otherwise have other losses.
    free, bound = build(LABELS["BIOUL"], None), build(LABELS["BIOUL"], "BIOUL")
    logits, mask = batch([3, 5], 5)
    tags = torch.randint(5, mask.shape)
    torch.testing.assert_close(
        free.log_likelihood(logits, tags, mask), bound.log_likelihood(logits, tags, mask)
    )


def test_what_stands_on_padding_changes_nothing() -> None:
    crf = build(LABELS["BIOUL"], "BIOUL")
    logits, mask = batch([2, 5, 1], 5)
    tags = torch.randint(5, mask.shape)
    noise = torch.randn_like(logits) * 100 * ~mask.unsqueeze(-1)
    other_tags = torch.where(mask, tags, 4 - tags)
    for first, second in (
        (
            crf.log_likelihood(logits, tags, mask),
            crf.log_likelihood(logits + noise, other_tags, mask),
        ),
        (crf.viterbi(logits, mask), crf.viterbi(logits + noise, mask)),
    ):
        assert torch.equal(first, second)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("lengths", [[4], [1], [3, 1, 0]])
def test_gradient_of_the_log_likelihood(lengths, training) -> None:
    crf = build(["a", "b", "c"]).train(training)
    logits, mask = batch(lengths, 3)
    tags = torch.randint(3, mask.shape)

    def likelihood(logits, transitions, start, end):
        parameters = {
            "transitions": transitions,
            "start_transitions": start,
            "end_transitions": end,
        }
        return torch.func.functional_call(
            _LogLikelihood(crf),
            {f"crf.{k}": v for k, v in parameters.items()},
            (logits, tags, mask),
        )

    parts = (logits, crf.transitions, crf.start_transitions, crf.end_transitions)
    inputs = [part.detach().requires_grad_() for part in parts]
    assert torch.autograd.gradcheck(likelihood, inputs)


class _LogLikelihood(torch.nn.Module):
    def __init__(self, crf: LinearChainCrf) -> None:
        super().__init__()
        self.crf = crf

    def forward(self, *arguments: torch.Tensor) -> torch.Tensor:
        return self.crf.log_likelihood(*arguments)


@pytest.mark.parametrize("training", [True, False])
def test_log_likelihood_is_finite_for_far_apart_scores(training) -> None:
    crf = build(["a", "b"]).float().train(training)
    logits = torch.tensor([[[1e4, -1e4], [-1e4, 1e4], [1e4, -1e4]]], requires_grad=True)
    mask = torch.ones(1, 3, dtype=torch.bool)
    likelihood = crf.log_likelihood(logits, torch.tensor([[0, 1, 0]]), mask)
    likelihood.sum().backward()
    assert abs(likelihood.item()) < 1e-2
    assert logits.grad is not None and torch.isfinite(logits.grad).all()


def test_log_likelihood_of_a_sure_prediction_has_all_its_digits_at_evaluation() -> None:
    """It is the small difference of two large sums."""
    crf = build(["a", "b"]).float().eval()
    logits = torch.tensor([9.0, -9.0]).expand(1, 500, 2)
    tags, mask = torch.zeros(1, 500, dtype=torch.long), torch.ones(1, 500, dtype=torch.bool)
    found = crf.log_likelihood(logits, tags, mask)
    expected = crf.double().log_likelihood(logits.double(), tags, mask)
    assert -1e-4 < expected.item() < 0.0
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)


def test_crf_saves_its_scores_alone() -> None:
    # As checkpoints of before have it.
    names = {"transitions", "start_transitions", "end_transitions"}
    assert set(build(LABELS["BIO"], "BIO").state_dict()) == names


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_keeps_to_the_constraints(dtype) -> None:
    crf = build(LABELS["BIOUL"], "BIOUL").float()
    logits, mask = batch([6], 5)
    # Scores beyond what half precision could forbid.
    found = crf.viterbi((logits * 20).to(dtype), mask)[0].tolist()
    assert is_allowed(tuple(found), LABELS["BIOUL"], "BIOUL")


def test_a_sequence_without_any_allowed_path_still_decodes() -> None:
    crf = build(["B-X", "L-X"], "BIOUL")
    logits, mask = batch([3], 2)
    assert len(crf.viterbi(logits, mask)[0]) == 3


@pytest.mark.parametrize(
    "labels, scheme",
    [
        (["O", "PER"], "BIOUL"),
        (["O", "X-A"], "BIO"),
        (["O", "U-A"], "IOB1"),
        # What the reader of names makes if its coding_scheme is not set.
        (["O", "I-A", "B-A"], "BIOUL"),
        (["O", "B-A"], "BILUO"),
    ],
)
def test_tags_that_do_not_fit_the_scheme_are_an_error(labels, scheme) -> None:
    with pytest.raises(ConfigurationError, match=f"constraint_type '{scheme}' does not fit"):
        LinearChainCrf(labels, scheme)
