import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hmtl.modules.span_attention import SpanAttention, select, windows


def naive_mean(attention: SpanAttention, tokens, values, start: int, end: int) -> torch.Tensor:
    weights = attention.score(tokens[start : end + 1]).squeeze(-1).softmax(dim=0)
    return sum(
        weight * value for weight, value in zip(weights, values[start : end + 1], strict=True)
    )


@settings(max_examples=25)
@given(st.integers(1, 6), st.integers(1, 5), st.integers(0, 1000))
def test_all_spans_agree_with_a_loop(num_tokens, max_width, seed) -> None:
    torch.manual_seed(seed)
    attention = SpanAttention(3).double()
    tokens, values = torch.randn(2, num_tokens, 3).double(), torch.randn(2, num_tokens, 4).double()
    means = attention.all_spans(tokens, values, max_width)
    assert means.shape == (2, num_tokens, max_width, 4)
    for document in range(2):
        for start in range(num_tokens):
            for end in range(start, min(num_tokens, start + max_width)):
                expected = naive_mean(attention, tokens[document], values[document], start, end)
                torch.testing.assert_close(means[document, start, end - start], expected)


def test_given_spans_agree_with_a_loop() -> None:
    attention = SpanAttention(3).double()
    tokens = torch.randn(2, 6, 3).double()
    spans = torch.tensor([[[0, 0], [1, 4], [5, 5]], [[0, 5], [4, 5], [2, 2]]])
    means = attention(tokens, spans, max_width=6)
    for document in range(2):
        for index, (start, end) in enumerate(spans[document].tolist()):
            expected = naive_mean(attention, tokens[document], tokens[document], start, end)
            torch.testing.assert_close(means[document, index], expected)


def test_span_attention_is_stable_for_far_apart_scores() -> None:
    attention = SpanAttention(1)
    torch.nn.init.constant_(attention.score.weight, 1.0)
    torch.nn.init.constant_(attention.score.bias, 0.0)
    tokens = torch.tensor([[[-1e4], [1e4]]])
    means = attention.all_spans(tokens, tokens, max_width=2)
    torch.testing.assert_close(means[0, 0].flatten(), torch.tensor([-1e4, 1e4]))


def test_windows_look_ahead_and_end_in_zeros() -> None:
    values = torch.tensor([[[1.0], [2.0], [3.0]]])
    expected = torch.tensor([[[1.0, 2.0], [2.0, 3.0], [3.0, 0.0]]])
    torch.testing.assert_close(windows(values, 2).squeeze(-1), expected)


def test_select_stays_within_a_batch_entry() -> None:
    values = torch.arange(6.0).view(2, 3, 1)
    positions = torch.tensor([[[0, 2]], [[1, 1]]])
    expected = torch.tensor([[[0.0, 2.0]], [[4.0, 4.0]]])
    torch.testing.assert_close(select(values, positions).squeeze(-1), expected)
