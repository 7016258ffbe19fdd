import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmtl.formats.brackets import LabelledSpan
from hmtl.formats.tags import PREFIXES, convert_tags, spans_to_tags, tags_to_spans

LENGTH = 10


@st.composite
def flat_spans(draw: st.DrawFn) -> list[LabelledSpan]:
    """Spans of which no two share a token, over LENGTH tokens, in order."""
    ends = sorted(draw(st.sets(st.integers(0, LENGTH - 1), max_size=LENGTH)))
    spans, first_free = [], 0
    for end in ends:
        start = draw(st.integers(first_free, end))
        spans.append((draw(st.sampled_from("XY")), (start, end)))
        first_free = end + 1
    return spans


def any_tags(scheme: str) -> st.SearchStrategy[list[str]]:
    tags = ["O"] + [f"{prefix}-{label}" for prefix in PREFIXES[scheme] for label in "XY"]
    return st.lists(st.sampled_from(tags), max_size=LENGTH)


@pytest.mark.parametrize(
    "scheme, tags",
    [
        ("IOB1", "I-X I-X B-X I-Y O I-Y I-X B-X"),
        ("BIO", "B-X I-X B-X B-Y O B-Y B-X B-X"),
        ("BIOUL", "B-X L-X U-X U-Y O U-Y U-X U-X"),
    ],
)
def test_spans_to_tags_follows_scheme(scheme: str, tags: str) -> None:
    starts_and_ends = [(0, 1), (2, 2), (3, 3), (5, 5), (6, 6), (7, 7)]
    spans = list(zip("XXYYXX", starts_and_ends, strict=True))
    assert spans_to_tags(spans, 8, scheme) == tags.split()


@pytest.mark.parametrize("scheme", PREFIXES)
@given(spans=flat_spans())
def test_tags_to_spans_gives_back_spans(scheme: str, spans: list[LabelledSpan]) -> None:
    assert tags_to_spans(spans_to_tags(spans, LENGTH, scheme), scheme) == spans


@pytest.mark.parametrize("source", PREFIXES)
@pytest.mark.parametrize("target", PREFIXES)
@given(spans=flat_spans())
def test_convert_tags_keeps_spans(source: str, target: str, spans: list[LabelledSpan]) -> None:
    converted = convert_tags(spans_to_tags(spans, LENGTH, source), source, target)
    assert converted == spans_to_tags(spans, LENGTH, target)


@given(any_tags("BIO"))
def test_tags_to_spans_of_predicted_bio_agrees_with_conlleval(tags: list[str]) -> None:
    get_entities = pytest.importorskip("seqeval.metrics.sequence_labeling").get_entities
    expected = [(label, (start, end)) for label, start, end in get_entities(tags)]
    assert tags_to_spans(tags, "BIO") == tags_to_spans(tags, "IOB1") == expected


@given(any_tags("BIOUL"))
def test_tags_to_spans_of_predicted_bioul_finds_well_formed_spans_only(tags: list[str]) -> None:
    expected = []
    for start in range(len(tags)):
        for end in range(start, len(tags)):
            for label in "XY":
                inner = [f"I-{label}"] * (end - start - 1)
                well_formed = (
                    [f"B-{label}", *inner, f"L-{label}"] if end > start else [f"U-{label}"]
                )
                if tags[start : end + 1] == well_formed:
                    expected.append((label, (start, end)))
    assert tags_to_spans(tags, "BIOUL") == expected


def test_labels_may_hold_hyphens() -> None:
    assert tags_to_spans(["B-PER-SOC", "L-PER-SOC"], "BIOUL") == [("PER-SOC", (0, 1))]


@pytest.mark.parametrize("tag", ["", "X", "B", "B-", "-X", "L-X", "BI-X", "o", "OO"])
def test_tags_to_spans_refuses_unknown_tag(tag: str) -> None:
    with pytest.raises(ValueError, match="unknown BIO tag .* expected 'O' or one of 'B-LABEL'"):
        tags_to_spans(["O", tag], "BIO")


@pytest.mark.parametrize(
    "spans",
    [
        [("X", (0, 1)), ("Y", (1, 2))],
        [("X", (0, 2)), ("Y", (1, 1))],
        [("X", (1, 3))],
        [("X", (-1, 0))],
        [("X", (2, 1))],
    ],
)
def test_spans_to_tags_refuses_spans_that_have_no_tags(spans: list[LabelledSpan]) -> None:
    with pytest.raises(ValueError, match="shares a token with another or lies outside the 3"):
        spans_to_tags(spans, 3, "BIOUL")


def test_unknown_scheme_is_named() -> None:
    with pytest.raises(ValueError, match="unknown coding scheme 'BIOES'; expected one of"):
        spans_to_tags([], 3, "BIOES")
