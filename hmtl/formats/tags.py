"""
Labelled spans as one tag per token, and back, in the schemes that sequence taggers use.

IOB1 (Ramshaw and Marcus 1995): `I-X` inside a span, `B-X` only at the start of a span that follows
another of the same label directly. BIO (also IOB2): `B-X` at every start. BIOUL (Ratinov and Roth
2009; also BILOU, IOBES): `L-X` at the last token, `U-X` for a span of one token. `O` outside.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hmtl.formats.brackets import LabelledSpan
from hmtl.formats.columns import shown

OUTSIDE = "O"
PREFIXES = {"IOB1": "BI", "BIO": "BI", "BIOUL": "BIUL"}


def split_tag(tag: str, scheme: str) -> tuple[str, str]:
    """
    The prefix and the label of a tag; `("O", "")` for `O`.

    # Raises

    `ValueError`
        If the tag is none of the scheme's.
    """
    if tag == OUTSIDE:
        return OUTSIDE, ""
    prefix, _, label = tag.partition("-")
    prefixes = _prefixes(scheme)
    if len(prefix) != 1 or prefix not in prefixes or not label:
        expected = ", ".join(f"'{prefix}-LABEL'" for prefix in prefixes)
        raise ValueError(f"unknown {scheme} tag {shown(tag)}; expected 'O' or one of {expected}")
    return prefix, label


def coding_scheme_of(tags: Sequence[str]) -> str:
    """
    The scheme by which tags are to be read as spans: `"BIO"`, which `"IOB1"` reads like, or `"BIOUL"`.

    # Raises

    `ValueError`
        If some tag is of neither.
    """
    scheme = "BIOUL" if any(tag.startswith(("L-", "U-")) for tag in tags) else "BIO"
    for tag in tags:
        split_tag(tag, scheme)
    return scheme


def tags_to_spans(tags: Sequence[str], scheme: str) -> list[LabelledSpan]:
    """
    The labelled spans of a tag sequence, which may be a prediction and ill-formed.

    IOB1 and BIO, by the rule of the `conlleval` script: `B-X` begins a span; `I-X` continues a span
    of label X that reaches up to it, and else begins one. The two schemes read alike.

    BIOUL: only well-formed spans count, which are `U-X`, and `B-X`, any number of `I-X`, `L-X` in
    unbroken succession; all other tags are as `O`.

    # Parameters

    tags : `Sequence[str]`
    scheme : `str`
        `"IOB1"`, `"BIO"` or `"BIOUL"`.

    # Returns

    `list[LabelledSpan]`
        `(label, (start, end))`, both ends inclusive, ordered by start.
    """
    split = [split_tag(tag, scheme) for tag in tags]
    return _bioul_spans(split) if scheme == "BIOUL" else _bio_spans(split)


def span_steps(first: str, second: str, scheme: str) -> tuple[bool, bool, bool]:
    """
    Return what happens between two neighbouring tags, as `tags_to_spans` reads them (`O` stands for what is
    beyond a sequence): whether a span begins at the second, whether one that holds the first goes on to the
    second, and whether one ends at the first. In BIOUL one that has begun may turn out not to be any.

    # Raises

    `ValueError`
        If a tag is none of the scheme's.
    """
    (before, label), (after, next_label) = split_tag(first, scheme), split_tag(second, scheme)
    if scheme == "BIOUL":
        goes_on = before in "BI" and after in "IL" and label == next_label
        return after in "BU", goes_on, before in "LU"
    goes_on = after == "I" and label == next_label
    return bool(next_label) and not goes_on, goes_on, bool(label) and not goes_on


def spans_to_tags(spans: Iterable[LabelledSpan], length: int, scheme: str) -> list[str]:
    """
    One tag per token for labelled spans of which no two share a token.

    # Parameters

    spans : `Iterable[LabelledSpan]`
        `(label, (start, end))`, both ends inclusive, in any order.
    length : `int`
        The number of tokens.
    scheme : `str`
        `"IOB1"`, `"BIO"` or `"BIOUL"`.

    # Raises

    `ValueError`
        If a span lies outside the tokens or shares one with another.
    """
    _prefixes(scheme)
    tags = [OUTSIDE] * length
    last_label, last_end = "", -1
    for label, (start, end) in sorted(spans, key=lambda span: span[1]):
        if not last_end < start <= end < length:
            raise ValueError(
                f"the span {label} ({start}, {end}) shares a token with another or lies outside "
                f"the {length} tokens; expected spans apart from each other"
            )
        follows_its_like = label == last_label and start == last_end + 1
        for index in range(start, end + 1):
            tags[index] = f"I-{label}"
        if scheme != "IOB1" or follows_its_like:
            tags[start] = f"B-{label}"
        if scheme == "BIOUL":
            tags[end] = f"L-{label}" if start < end else f"U-{label}"
        last_label, last_end = label, end
    return tags


def convert_tags(tags: Sequence[str], source: str, target: str) -> list[str]:
    """The tags of scheme `target` for the spans that `tags` give in scheme `source`."""
    return spans_to_tags(tags_to_spans(tags, source), len(tags), target)


def _prefixes(scheme: str) -> str:
    if scheme not in PREFIXES:
        raise ValueError(f"unknown coding scheme {shown(scheme)}; expected one of {list(PREFIXES)}")
    return PREFIXES[scheme]


def _bio_spans(split_tags: list[tuple[str, str]]) -> list[LabelledSpan]:
    spans: list[LabelledSpan] = []
    open_label, start = "", 0
    for index, (prefix, label) in enumerate([*split_tags, (OUTSIDE, "")]):
        if prefix == "I" and label == open_label:
            continue
        if open_label:
            spans.append((open_label, (start, index - 1)))
        open_label, start = label, index
    return spans


def _bioul_spans(split_tags: list[tuple[str, str]]) -> list[LabelledSpan]:
    spans: list[LabelledSpan] = []
    open_label, start = "", 0
    for index, (prefix, label) in enumerate(split_tags):
        if prefix == "B":
            open_label, start = label, index
        elif prefix == "U":
            spans.append((label, (index, index)))
            open_label = ""
        elif label != open_label:
            open_label = ""
        elif prefix == "L":
            spans.append((label, (start, index)))
            open_label = ""
    return spans
