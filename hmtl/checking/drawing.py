"""Examples with what is annotated on them, as text for a terminal. It can be read without colours."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TextIO

from hmtl.checking.example import Example
from hmtl.formats.brackets import LabelledSpan

# Of a span that is too wide to be found.
TOO_WIDE = "!"
LEGEND = (
    "[words]_LABEL: a span; a number instead of a label: its cluster"
    f"; {TOO_WIDE} behind it: too wide to be found"
)
# In place of characters that would do something to the terminal instead of being shown.
UNPRINTABLE = "\N{REPLACEMENT CHARACTER}"
# ANSI X3.64 codes of colours that are legible on dark and on light ground.
COLOURS = (31, 32, 33, 34, 35, 36)


@dataclass(frozen=True)
class Pen:
    """
    # Parameters

    width : `int`
        Of a line, in characters.
    colours : `bool`
    """

    width: int
    colours: bool = False

    def coloured(self, text: str, label: str) -> str:
        """In the colour of a label, which is the same in every example."""
        if not self.colours:
            return text
        code = COLOURS[sum(label.encode("utf-8")) % len(COLOURS)]
        return f"\033[{code}m{text}\033[0m"


def wants_colours(stream: TextIO, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether a person watches who has not asked for none (no-color.org)."""
    return stream.isatty() and not environ.get("NO_COLOR")


def draw(example: Example, pen: Pen) -> str:
    """
    The words, sentence by sentence, with brackets around spans; then, a line each, relations and whatever
    else the task is to tell.
    """
    pieces = _bracketed(example, pen)
    sentences = example.sentences or [(0, len(example.words) - 1)]
    lines = [_heading(example)]
    for start, end in sentences:
        lines.extend(_wrapped(pieces[start : end + 1], pen.width))
    lines.extend(_relation_lines(example, pen))
    if example.spans is None and example.relations is None:
        lines.extend(f"    = {pen.coloured(_printable(label), label)}" for label in example.labels)
    return "\n".join(lines)


def drawn_spans(example: Example) -> list[LabelledSpan]:
    """The labelled spans of an example: those to be found, given mentions, or mentions by cluster number."""
    clusters = enumerate(example.clusters or ())
    in_clusters = [(str(number), span) for number, cluster in clusters for span in cluster]
    return [*(example.spans or ()), *example.mentions, *in_clusters]


def _heading(example: Example) -> str:
    document = "" if example.document is None else example.document[0]
    return _printable(" ".join(part for part in ("--", example.source, document) if part))


def _printable(text: str) -> str:
    return "".join(each if each.isprintable() else UNPRINTABLE for each in text)


def _bracketed(example: Example, pen: Pen) -> list[tuple[str, int]]:
    """
    Each word with the brackets that open before it and close behind it, and the width of that on a terminal
    (colours take none).
    """
    opening: defaultdict[int, list[str]] = defaultdict(list)
    closing: defaultdict[int, list[str]] = defaultdict(list)
    # Wide spans open first and close last.
    spans = sorted(drawn_spans(example), key=lambda each: (each[1][0] - each[1][1], each[0]))
    for label, (start, end) in spans:
        label = _printable(label)
        mark = TOO_WIDE if example.is_too_wide((start, end)) else ""
        opening[start].append(label)
        closing[end].insert(0, f"{label}{mark}")
    pieces = []
    for index, word in enumerate(map(_printable, example.words)):
        before = "".join(pen.coloured("[", label) for label in opening[index])
        behind = "".join(
            pen.coloured(f"]_{label}", label.rstrip(TOO_WIDE)) for label in closing[index]
        )
        width = len(opening[index]) + len(word) + sum(len(label) + 2 for label in closing[index])
        pieces.append((f"{before}{word}{behind}", width))
    return pieces


def _wrapped(pieces: list[tuple[str, int]], width: int) -> Iterator[str]:
    """Lines of at most so many characters, where no piece is wider; all but the first are indented."""
    line, used = "  ", 2
    for piece, its_width in pieces:
        if used + its_width > width and line.strip():
            yield line.rstrip()
            line, used = "    ", 4
        line += piece + " "
        used += its_width + 1
    yield line.rstrip()


def _relation_lines(example: Example, pen: Pen) -> Iterator[str]:
    ends = {end: (label, start) for label, (start, end) in example.mentions}

    def argument(token: int) -> str:
        label, start = ends.get(token, ("", token))
        words = " ".join(example.words[start : token + 1])
        return _printable(f"{words} ({label})" if label else words)

    for relation in example.relations or ():
        arrow = pen.coloured(_printable(f"--{relation.type}-->"), relation.type)
        yield f"    {argument(relation.arg1[1])} {arrow} {argument(relation.arg2[1])}"
