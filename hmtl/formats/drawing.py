"""Annotated text as spaCy's displaCy draws it, for a page that loads nothing from anywhere."""

from __future__ import annotations

import html
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hmtl.formats.brackets import LabelledSpan

PAGE_BEGIN = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>HMTL</title>
<style>
body { font: 16px/1.6 sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; }
article { border-top: 1px solid #ccc; margin-top: 2rem; }
figure { margin: 1rem 0; overflow-x: auto; }
</style>
</head>
<body>
"""
PAGE_END = "</body>\n</html>\n"

# Labels take these in turn, readable under black text.
COLORS = (
    *("#aa9cfc", "#feca74", "#7aecec", "#ff9561", "#bfeeb7", "#f0d0ff", "#9cc9cc", "#ffeb80"),
    *("#c887fb", "#bfe1d9", "#ff8197", "#e4e7d2"),
)
# Pixels from word to word under arrows.
WORD_DISTANCE = 100


def draw_names(text: str, names: Iterable[LabelledSpan], labels: Sequence[str]) -> str:
    """
    Spans of which no two overlap, within the running text.

    # Parameters

    text : `str`
    names : `Iterable[LabelledSpan]`
        In order; characters of the text, the end exclusive.
    labels : `Sequence[str]`
        All that there may be: each has one colour.
    """
    ents = [
        {"start": start, "end": end, "label": html.escape(label)} for label, (start, end) in names
    ]
    return _figure({"text": text, "ents": ents}, "ent", labels)


def draw_spans(words: Sequence[str], spans: Iterable[LabelledSpan], labels: Sequence[str]) -> str:
    """Spans that may overlap, below their words; both ends inclusive. See `draw_names` for `labels`."""
    found = [
        {"start_token": start, "end_token": end + 1, "label": html.escape(label)}
        for label, (start, end) in spans
    ]
    return _figure({"spans": found, "tokens": list(words)}, "span", labels)


def draw_arrows(
    words: Sequence[str],
    relations: Iterable[tuple[str, int, int]],
    tags: Mapping[int, str] = {},
) -> str:
    """
    Arrows between words; those of one pair share one. A word's relation to itself has none.

    # Parameters

    words : `Sequence[str]`
    relations : `Iterable[tuple[str, int, int]]`
        Type, and the words from which and to which.
    tags : `Mapping[int, str]`, optional (default = `{}`)
        What stands below words.
    """
    types: defaultdict[tuple[int, int], list[str]] = defaultdict(list)
    for label, first, second in relations:
        types[first, second].append(label)
    arcs = [
        {
            "start": min(pair),
            "end": max(pair),
            "label": html.escape(", ".join(labels)),
            "dir": "right" if pair[0] < pair[1] else "left",
        }
        for pair, labels in types.items()
        if pair[0] != pair[1]
    ]
    drawn = [
        {"text": word, "tag": html.escape(tags.get(index, ""))} for index, word in enumerate(words)
    ]
    return _figure({"words": drawn, "arcs": arcs}, "dep", ())


def _figure(content: dict[str, Any], style: str, labels: Iterable[str]) -> str:
    from spacy import displacy

    colors = {html.escape(label): COLORS[index % len(COLORS)] for index, label in enumerate(labels)}
    options = {"colors": colors, "compact": True, "distance": WORD_DISTANCE}
    # Without `jupyter=False` it would print to the notebook where it runs in one.
    drawing = displacy.render(content, style=style, manual=True, jupyter=False, options=options)
    return f"<figure>{drawing}</figure>"
