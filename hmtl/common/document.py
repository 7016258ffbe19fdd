"""A report in parts, as Markdown and as a page for a browser that needs nothing beside it."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass

STYLE = (
    "body { font-family: sans-serif; margin: 2em auto; max-width: 75em; padding: 0 1em; color: #222 } "
    "table { border-collapse: collapse; margin: 1em 0 } "
    "th, td { border-bottom: 1px solid #ddd; padding: 0.3em 0.8em; text-align: right } "
    "th { border-bottom: 2px solid #888 } "
    "th:first-child, td:first-child, table.words th, table.words td { text-align: left } "
    "img { max-width: 100% } pre { background: #f5f5f5; padding: 1em; overflow-x: auto } "
    "div { overflow-x: auto }"
)


@dataclass(frozen=True)
class Heading:
    """Of level 1 (the title) to 6."""

    text: str
    level: int = 2


@dataclass(frozen=True)
class Paragraph:
    """Plain text."""

    text: str


@dataclass(frozen=True)
class Table:
    """Cells are plain text; the first column holds names, the others figures, or `words`."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: bool = False


@dataclass(frozen=True)
class Picture:
    """A PNG, the name of its file, and what it shows."""

    name: str
    png: bytes
    shows: str


@dataclass(frozen=True)
class Code:
    """Lines as they are."""

    lines: Sequence[str]


Part = Heading | Paragraph | Table | Picture | Code


def as_markdown(parts: Sequence[Part], pictures: str) -> str:
    """
    # Parameters

    parts : `Sequence[Part]`
    pictures : `str`
        The directory of the pictures, as seen from the file.
    """
    return "\n\n".join(_markdown(part, pictures) for part in parts) + "\n"


def _markdown(part: Part, pictures: str) -> str:
    if isinstance(part, Heading):
        return f"{'#' * part.level} {part.text}"
    if isinstance(part, Table):
        aligned = ["---", *(["---" if part.words else "---:"] * (len(part.header) - 1))]
        return "\n".join(_row(cells) for cells in (part.header, aligned, *part.rows))
    if isinstance(part, Picture):
        return f"![{part.shows}]({pictures}/{part.name})"
    if isinstance(part, Code):
        return "\n".join(["```sh", *part.lines, "```"])
    return part.text


def _row(cells: Sequence[str]) -> str:
    # Else a cell would end where its text has a bar.
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def as_html(parts: Sequence[Part]) -> str:
    """The page; everything is escaped, and pictures are part of it."""
    title = next((part.text for part in parts if isinstance(part, Heading)), "Report")
    body = "\n".join(map(_html, parts))
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f"<style>{STYLE}</style></head>\n<body>\n{body}\n</body></html>\n"
    )


def _html(part: Part) -> str:
    if isinstance(part, Heading):
        return f"<h{part.level}>{html.escape(part.text)}</h{part.level}>"
    if isinstance(part, Table):
        return _html_table(part)
    if isinstance(part, Picture):
        encoded = base64.b64encode(part.png).decode("ascii")
        return f'<img alt="{html.escape(part.shows)}" src="data:image/png;base64,{encoded}">'
    if isinstance(part, Code):
        return f"<pre>{html.escape(chr(10).join(part.lines))}</pre>"
    return f"<p>{html.escape(part.text)}</p>"


def _html_table(table: Table) -> str:
    head = "".join(f"<th>{html.escape(cell)}</th>" for cell in table.header)
    rows = "".join(
        f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>\n"
        for row in table.rows
    )
    kind = ' class="words"' if table.words else ""
    return f"<div><table{kind}><tr>{head}</tr>\n{rows}</table></div>"
