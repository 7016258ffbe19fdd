"""
Span F1 against seqeval, an independent scorer, on taggings that are mostly ill-formed.

| scheme here | in seqeval |
|---|---|
| BIOUL | `mode="strict", scheme=IOBES`, with L written E and U written S: only well-formed spans count |
| BIO, IOB1 | its default mode, which reads tags as the script `conlleval` does |

(Its strict modes `IOB1` and `IOB2` leave out ill-formed spans, which `conlleval` does not.)
"""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval.metrics import classification_report
from seqeval.scheme import BILOU, IOBES

from hmtl.formats.tags import convert_tags, tags_to_spans
from hmtl.metrics.span_f1 import SpanF1

Taggings = list[tuple[list[str], list[str]]]

LABELS = ("LOC", "PER")
AS_IOBES = str.maketrans("LU", "ES")


def taggings(prefixes: str) -> st.SearchStrategy[Taggings]:
    """Sentences with a predicted and a gold tag per token, any tag at any place."""
    tags = ["O", *(f"{prefix}-{label}" for prefix in prefixes for label in LABELS)]
    sentence = st.lists(st.tuples(st.sampled_from(tags), st.sampled_from(tags)), max_size=12)
    return st.lists(sentence.map(_two_lists), min_size=1, max_size=5)


def _two_lists(pairs: list[tuple[str, str]]) -> tuple[list[str], list[str]]:
    return [first for first, _ in pairs], [second for _, second in pairs]


def rewritten(sentences: Taggings, change: Callable[[list[str]], list[str]]) -> Taggings:
    return [(change(predicted), change(gold)) for predicted, gold in sentences]


def ours(sentences: Taggings, scheme: str) -> dict[str, float]:
    counter = SpanF1()
    for predicted, gold in sentences:
        counter.update(tags_to_spans(predicted, scheme), tags_to_spans(gold, scheme))
    return counter.compute()


def assert_equal(metrics: dict[str, float], sentences: Taggings, **options: Any) -> None:
    labels = {name.partition("-")[2] for name in metrics} & set(LABELS)
    if not labels:
        # Its report fails where there is no span at all.
        assert set(metrics.values()) == {0.0}
        return
    predicted = [tags for tags, _ in sentences]
    gold = [tags for _, tags in sentences]
    report = classification_report(gold, predicted, output_dict=True, zero_division=0, **options)
    assert labels <= set(report)
    for theirs, name in [("micro avg", "overall"), *((label, label) for label in labels)]:
        assert metrics[f"precision-{name}"] == pytest.approx(report[theirs]["precision"])
        assert metrics[f"recall-{name}"] == pytest.approx(report[theirs]["recall"])
        assert metrics[f"f1-measure-{name}"] == pytest.approx(report[theirs]["f1-score"])


@settings(max_examples=300)
@given(taggings("BIUL"))
def test_bioul_agrees_with_the_strict_mode_of_seqeval(sentences) -> None:
    spelt = rewritten(
        sentences, lambda tags: [tag[0].translate(AS_IOBES) + tag[1:] for tag in tags]
    )
    assert_equal(ours(sentences, "BIOUL"), spelt, mode="strict", scheme=IOBES)
    assert_equal(ours(sentences, "BIOUL"), sentences, mode="strict", scheme=BILOU)


@pytest.mark.parametrize("scheme", ["BIO", "IOB1"])
@settings(max_examples=300)
@given(sentences=taggings("BI"))
def test_bio_and_iob1_agree_with_the_default_mode_of_seqeval(scheme, sentences) -> None:
    assert_equal(ours(sentences, scheme), sentences)


@pytest.mark.parametrize("scheme", ["BIO", "IOB1", "BIOUL"])
@settings(max_examples=100)
@given(sentences=taggings("BI"))
def test_well_formed_tags_score_alike_in_every_scheme(scheme, sentences) -> None:
    converted = rewritten(sentences, lambda tags: convert_tags(tags, "BIO", scheme))
    assert ours(converted, scheme) == ours(sentences, "BIO")
