"""Examples with what is annotated on them, as a page for a browser, drawn by spaCy's displaCy."""

from __future__ import annotations

import html
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from spacy import displacy

from hmtl.checking.drawing import drawn_spans
from hmtl.checking.example import Example
from hmtl.common.files import replacing

STYLE = (
    "body { font-family: sans-serif; margin: 2em } h2 { font-size: 1em; color: #555 } "
    "figure { overflow-x: auto; margin: 0 0 1em }"
)
# ColorBrewer's "Set3" but for its grey: light enough for black letters.
PALETTE = ("#8dd3c7", "#ffffb3", "#bebada", "#fb8072", "#80b1d3", "#fdb462", "#b3de69", "#fccde5")
# Pixels from word to word under the arrows of relations.
WORD_DISTANCE = 110


def write_page(path: Path, examples: Mapping[str, Sequence[Example]]) -> None:
    """
    # Parameters

    path : `Path`
        What stands there already is replaced.
    examples : `Mapping[str, Sequence[Example]]`
        By task.

    # Raises

    DataError
        When the file cannot be written.
    """
    with replacing(path) as file:
        file.write(page(examples).encode("utf-8", "replace"))


def page(examples: Mapping[str, Sequence[Example]]) -> str:
    """The page as HTML; everything from the data is escaped."""
    parts = []
    for task, of_task in examples.items():
        parts.append(f"<h1>{html.escape(task)}</h1>")
        for example in of_task:
            parts.append(f"<h2>{html.escape(_title(example))}</h2>")
            parts.extend(f"<figure>{drawing}</figure>" for drawing in _drawings(example))
    body = "\n".join(parts)
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Examples</title>'
        f"<style>{STYLE}</style></head>\n<body>\n{body}\n</body></html>\n"
    )


def _title(example: Example) -> str:
    document = "" if example.document is None else f"{example.document[0]} "
    return f"{document}{example.source}"


def _drawings(example: Example) -> Iterable[str]:
    spans = drawn_spans(example)
    colours = {"colors": {html.escape(label).upper(): _colour_of(label) for label, _ in spans}}
    for start, end in example.sentences or [(0, len(example.words) - 1)]:
        # displaCy takes the end of a span as exclusive, and its labels as they are.
        inside = [
            {"start_token": a - start, "end_token": b - start + 1, "label": html.escape(label)}
            for label, (a, b) in spans
            if start <= a and b <= end
        ]
        words = example.words[start : end + 1]
        yield _rendered(
            {"text": " ".join(words), "spans": inside, "tokens": words}, "span", colours
        )
    if example.relations:
        yield _rendered(_arrows(example), "dep", {"distance": WORD_DISTANCE, "compact": True})
    if example.spans is None and example.relations is None:
        for label in example.labels:
            yield f"<p>= {html.escape(label)}</p>"


def _colour_of(label: str) -> str:
    """The same on every page."""
    return PALETTE[sum(label.encode("utf-8")) % len(PALETTE)]


def _arrows(example: Example) -> dict[str, Any]:
    """Relations as arcs between the last words of their arguments; those of one pair share an arc."""
    types: defaultdict[tuple[int, int], list[str]] = defaultdict(list)
    for relation in example.relations or ():
        types[relation.first, relation.second].append(relation.type)
    tags = {end: label for label, (_, end) in drawn_spans(example)}
    return {
        "words": [
            {"text": word, "tag": html.escape(tags.get(index, ""))}
            for index, word in enumerate(example.words)
        ],
        "arcs": [
            {
                "start": min(pair),
                "end": max(pair),
                "label": html.escape(", ".join(names)),
                "dir": "right" if pair[0] < pair[1] else "left",
            }
            for pair, names in types.items()
            if pair[0] != pair[1]
        ],
    }


def _rendered(parsed: dict[str, Any], style: str, options: dict[str, Any]) -> str:
    # Without `jupyter=False` it would print to the notebook where it runs in one.
    rendered: str = displacy.render(
        parsed, style=style, manual=True, jupyter=False, options=options
    )
    return rendered
