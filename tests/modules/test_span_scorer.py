import torch
from allennlp.common import Lazy, Params

from hmtl.modules.feedforward import SplitFeedForward
from hmtl.modules.span_scorer import SpanScorer, SpanVectors

NUM_TOKENS = 6
MAX_WIDTH = 3


def build() -> tuple[SpanVectors, SpanScorer]:
    vectors = SpanVectors(input_dim=5, encoded_dim=4, feature_size=2, max_width=MAX_WIDTH).double()
    params = Params({"num_layers": 2, "hidden_dims": 7, "activations": "relu"})
    return vectors, SpanScorer(vectors.get_parts(), Lazy(SplitFeedForward, params)).double()


def test_span_vectors_are_made_of_their_parts() -> None:
    vectors, _ = build()
    inputs, encoded = torch.randn(1, NUM_TOKENS, 5).double(), torch.randn(1, NUM_TOKENS, 4).double()
    (vector,) = vectors(inputs, encoded, torch.tensor([[[1, 3]]]), MAX_WIDTH)[0]
    weights = vectors.attention.score(inputs[0, 1:4]).softmax(dim=0)
    expected = torch.cat(
        [
            encoded[0, 1],
            encoded[0, 3],
            vectors.width_embedding.weight[2],
            (weights * inputs[0, 1:4]).sum(dim=0),
        ]
    )
    assert len(vector) == vectors.get_output_dim() == sum(vectors.get_parts().values())
    torch.testing.assert_close(vector, expected)


def test_span_vectors_of_spans_that_are_too_wide_share_the_last_width_feature() -> None:
    vectors, _ = build()
    inputs, encoded = torch.randn(1, NUM_TOKENS, 5).double(), torch.randn(1, NUM_TOKENS, 4).double()
    (vector,) = vectors(inputs, encoded, torch.tensor([[[0, 5]]]), NUM_TOKENS)[0]
    torch.testing.assert_close(vector[8:10], vectors.width_embedding.weight[-1])


def test_scores_of_all_spans_are_those_of_their_vectors() -> None:
    vectors, scorer = build()
    inputs, encoded = torch.randn(2, NUM_TOKENS, 5).double(), torch.randn(2, NUM_TOKENS, 4).double()
    table = scorer.all_spans(vectors, inputs, encoded)
    assert table.shape == (2, NUM_TOKENS, MAX_WIDTH)
    spans = [
        (start, end)
        for start in range(NUM_TOKENS)
        for end in range(start, min(NUM_TOKENS, start + MAX_WIDTH))
    ]
    batch = torch.tensor([spans, spans])
    expected = scorer(vectors(inputs, encoded, batch, MAX_WIDTH))
    found = torch.stack([table[:, start, end - start] for start, end in spans], dim=1)
    torch.testing.assert_close(found, expected)
