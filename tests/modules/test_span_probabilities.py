import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hmtl.formats.tags import tags_to_spans
from hmtl.modules.span_probabilities import SpanSteps
from tests.modules.test_linear_chain_crf import (
    LABELS,
    all_paths,
    batch,
    build,
    is_allowed,
    score,
)


@settings(max_examples=20)
@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=2),
    st.sampled_from(["BIOUL", "BIO", "IOB1"]),
    st.booleans(),
    st.integers(0, 99),
)
def test_they_are_the_shares_of_all_allowed_paths(lengths, scheme, constrained, seed) -> None:
    tags = LABELS[scheme]
    crf = build(tags, scheme if constrained else None, seed)
    logits, mask = batch(lengths, len(tags), seed)
    expected: dict[tuple[int, int, int, int], torch.Tensor] = {}
    for instance, length in enumerate(lengths):
        paths = all_paths(length, len(tags)) if length else []
        paths = [path for path in paths if is_allowed(path, tags, scheme if constrained else None)]
        if not paths:
            continue
        scores = torch.stack([score(crf, logits[instance], path) for path in paths])
        for path, share in zip(paths, scores.softmax(dim=0).detach(), strict=True):
            for label, (start, end) in tags_to_spans([tags[index] for index in path], scheme):
                key = (instance, start, end, "XY".index(label))
                expected[key] = expected.get(key, 0) + share
    if expected:
        steps = SpanSteps.of(tags, ["X", "Y"], scheme)
        found = crf.span_probabilities(logits, mask, torch.tensor(list(expected)), steps)
        torch.testing.assert_close(found, torch.stack(list(expected.values())))
