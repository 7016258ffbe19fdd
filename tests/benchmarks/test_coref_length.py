"""A document of 10,000 tokens fits, whole."""

import pytest

from benchmarks.reporting import run_apart

MOST_MIB = 8192
NUM_TOKENS, NUM_CANDIDATES = 10_000, 68_800


@pytest.mark.slow
@pytest.mark.parametrize("options", [[], ["--train"]], ids=["inference", "training"])
def test_coreference_on_ten_thousand_tokens_stays_in_memory(options: list[str]) -> None:
    figures = run_apart(["coref_length", "--once", str(NUM_TOKENS), *options])
    assert figures["candidate_spans"] == NUM_CANDIDATES
    if not options:
        # The last of the spans that are kept stands at the document's end: nothing was cut off.
        assert figures["last_span"][0] > NUM_TOKENS - 100
    assert figures["largest_memory_in_mib"] < MOST_MIB
