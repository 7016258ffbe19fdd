"""Examples with what is annotated on them, as a page for a browser, drawn by spaCy's displaCy."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from hmtl.checking.drawing import drawn_spans
from hmtl.checking.example import Example
from hmtl.common.files import replacing
from hmtl.formats.brackets import Span
from hmtl.formats.drawing import PAGE_BEGIN, PAGE_END, draw_arrows, draw_spans


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
        labels = sorted({label for example in of_task for label, _ in drawn_spans(example)})
        parts.append(f"<h1>{html.escape(task)}</h1>")
        for example in of_task:
            parts.append(f"<h2>{html.escape(_title(example))}</h2>")
            parts.extend(drawings(example, labels))
    return "\n".join([PAGE_BEGIN, *parts, PAGE_END])


def _title(example: Example) -> str:
    document = "" if example.document is None else f"{example.document[0]} "
    return f"{document}{example.source}"


def drawings(
    example: Example, labels: Sequence[str], sentences: Sequence[Span] | None = None
) -> Iterator[str]:
    """
    Draw an example as HTML; everything from the data is escaped.

    # Parameters

    example : `Example`
    labels : `Sequence[str]`
        All that there may be: each has one colour.
    sentences : `Sequence[Span]`, optional (default = `None`)
        Which of its sentences; by default all.
    """
    spans = drawn_spans(example)
    chosen = example.sentences if sentences is None else sentences
    for start, end in chosen or [(0, len(example.words) - 1)]:
        inside = [
            (label, (a - start, b - start)) for label, (a, b) in spans if start <= a and b <= end
        ]
        yield draw_spans(example.words[start : end + 1], inside, labels)
    if example.relations:
        relations = [(each.type, each.arg1[1], each.arg2[1]) for each in example.relations]
        tags = {end: label for label, (_, end) in spans}
        yield draw_arrows(example.words, relations, tags)
    if example.spans is None and example.relations is None:
        for label in example.labels:
            yield f"<p>= {html.escape(label)}</p>"
