"""A report in parts, as Markdown and as a page for a browser that needs nothing beside it."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hmtl.common.files import refusals, replacing

STYLE = (
    "body { font-family: sans-serif; margin: 2em auto; max-width: 75em; padding: 0 1em; color: #222 } "
    "table { border-collapse: collapse; margin: 1em 0 } "
    "th, td { border-bottom: 1px solid #ddd; padding: 0.3em 0.8em; text-align: right } "
    "th { border-bottom: 2px solid #888 } "
    "th:first-child, td:first-child, table.words th, table.words td { text-align: left } "
    "img { max-width: 100% } pre { background: #f5f5f5; padding: 1em; overflow-x: auto } "
    "div { overflow-x: auto } figure { margin: 0.3em 0 0.8em; overflow-x: auto; line-height: 2 } "
    "details { margin: 1em 0 } summary { cursor: pointer }"
)
MARKDOWN_FILE, HTML_FILE = "report.md", "report.html"
PICTURES_DIR = "report_pictures"


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


@dataclass(frozen=True)
class Drawing:
    """Something drawn: HTML that is safe as it stands, and the same as lines of text."""

    html: str
    lines: Sequence[str]


Part = Heading | Paragraph | Table | Picture | Code | Drawing


def write_parts(parts: Sequence[Part], directory: Path) -> None:
    """
    Write `report.md` with its pictures, and `report.html`, which needs none beside it.

    # Raises

    DataError
        When a file cannot be written.
    """
    pictures = directory / PICTURES_DIR
    with refusals(pictures):
        pictures.mkdir(parents=True, exist_ok=True)
    for part in parts:
        if isinstance(part, Picture):
            _write(pictures / part.name, part.png)
    _write(
        directory / MARKDOWN_FILE,
        as_markdown(parts, PICTURES_DIR, plain=True).encode("utf-8", "replace"),
    )
    _write(directory / HTML_FILE, as_html(parts).encode("utf-8", "replace"))


def _write(path: Path, content: bytes) -> None:
    with replacing(path) as file:
        file.write(content)


def as_markdown(parts: Sequence[Part], pictures: str, plain: bool = False) -> str:
    """
    # Parameters

    parts : `Sequence[Part]`
    pictures : `str`
        The directory of the pictures, as seen from the file.
    plain : `bool`, optional (default = `False`)
        Whether text is to stay text, as where it comes from data: no element, link or code.
    """
    return "\n\n".join(_markdown(part, pictures, _plain if plain else str) for part in parts) + "\n"


def _markdown(part: Part, pictures: str, shown: Callable[[str], str]) -> str:
    if isinstance(part, Heading):
        return f"{'#' * part.level} {shown(part.text)}"
    if isinstance(part, Table):
        aligned = ["---", *(["---" if part.words else "---:"] * (len(part.header) - 1))]
        cells = [[shown(cell) for cell in row] for row in (part.header, *part.rows)]
        return "\n".join(map(_row, (cells[0], aligned, *cells[1:])))
    if isinstance(part, Picture):
        return f"![{part.shows}]({pictures}/{part.name})"
    if isinstance(part, Code):
        return "\n".join(["```sh", *part.lines, "```"])
    if isinstance(part, Drawing):
        # Indented, not fenced: no line of a corpus can end it.
        return "\n".join(f"    {line}" for text in part.lines for line in text.splitlines() or [""])
    return shown(part.text)


def _row(cells: Sequence[str]) -> str:
    # Else a cell would end where its text has a bar.
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _plain(text: str) -> str:
    # A bracket alone makes no link.
    escaped = re.sub(r"`|\](?=[(\[:])", r"\\\g<0>", " ".join(text.splitlines()))
    return escaped.replace("<", "&lt;")


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
    if isinstance(part, Drawing):
        return part.html
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
