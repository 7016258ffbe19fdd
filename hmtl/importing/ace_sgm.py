"""
The `.sgm` files of ACE: text in SGML, beside which the annotation stands with character offsets.

What the offsets count was settled by LDC's own files (2004 and 2005 alike): all characters from the beginning
of the file, line ends among them (as one each), but NOT the characters of tags; and a reference such as
`&amp;` as the five characters that it is written with.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from html import unescape
from html.entities import html5
from os import PathLike
from typing import NamedTuple

from hmtl.errors import DataError
from hmtl.formats.annotated import CharacterSlice
from hmtl.formats.columns import read_lines

# A tag ends at the first `>` outside a quoted value: a quoted post may hold some. Where a quote is never
# closed the first `>` has to do.
_TAG = re.compile(
    r"<(?P<closes>/?)(?P<name>[A-Za-z!?][^\s>/]*)"
    r"""(?:(?:[^>=]|=(?!\s*")|=\s*"[^"]*")*>|[^>]*>)"""
)
_REFERENCE = re.compile(
    r"&(?:(?P<number>#(?:[0-9]+|[xX][0-9a-fA-F]+))|(?P<name>[A-Za-z][A-Za-z0-9]*));"
)

# What stands in one of these is text; ...
_TEXT = frozenset({"BODY", "TEXT", "TURN", "POST"})
# ... unless it stands in one of these: names, dates and sorts of documents, posts and recordings.
_HEADERS = frozenset(
    "DOCID DOCNO DOCTYPE TXTTYPE DATETIME DATE_TIME DATE TIME ENDTIME END_TIME POSTDATE SLUG PREAMBLE TRAILER"
    " KEYWORD".split()
)
# At these a sentence ends; all other tags may stand inside one, or inside a word.
_STRUCTURE = (
    _TEXT | _HEADERS | frozenset("DOC HEADLINE SPEAKER POSTER SUBJECT QUOTE P ANNOTATION".split())
)


# Parts one block from the next: as a blank line does, it ends a sentence.
_BLOCK_END = "\n\n"


class SgmText:
    """
    The running text of a document, headlines, speakers and subjects among it.

    # Parameters

    text : `str`
        The whole file without its tags, with references as they are written: what offsets count.
    blocks : `list[CharacterSlice]`
        The stretches of running text in it, in order; no sentence crosses the end of one.

    # Attributes

    plain : `str`
        The blocks with their references resolved, a blank line between two.
    """

    def __init__(self, text: str, blocks: list[CharacterSlice]) -> None:
        self._blocks = blocks
        # For each block its first character in `plain`; for each character of `plain` the offset at which it
        # begins in `text`, or, in a blank line, that of the end of the block before.
        self._firsts: list[int] = []
        self._offsets: list[int] = []
        resolved = []
        for begin, end in blocks:
            self._firsts.append(len(self._offsets))
            block, offsets = _resolved(text, begin, end)
            resolved.append(block)
            self._offsets += [*offsets, *[end] * len(_BLOCK_END)]
        self.plain = _BLOCK_END.join(resolved)

    def place(self, offsets: CharacterSlice) -> CharacterSlice | None:
        """
        The slice of `plain` for a slice of the file's own text; `None` if that is not inside one block, or
        begins or ends inside a reference.
        """
        begin, end = offsets
        for (block_begin, block_end), first in zip(self._blocks, self._firsts):
            if block_begin <= begin and end <= block_end:
                place = (
                    bisect_left(self._offsets, begin, first),
                    bisect_left(self._offsets, end, first),
                )
                exact = self._offsets[place[0]] == begin and self._offsets[place[1]] == end
                return place if exact else None
        return None


def read_sgm(path: str | PathLike[str]) -> SgmText:
    """
    # Raises

    `DataError`
        If the file cannot be read, is not UTF-8, or has none of the elements that hold text.
    """
    markup = "\n".join(line for _, line in read_lines(path))
    pieces: list[str] = []
    blocks: list[CharacterSlice] = []
    length = 0
    for piece in _pieces(markup):
        if piece.is_text and piece.characters:
            continues = blocks and not piece.begins_block and blocks[-1][1] == length
            begin = blocks.pop()[0] if continues else length
            blocks.append((begin, length + len(piece.characters)))
        pieces.append(piece.characters)
        length += len(piece.characters)
    text = "".join(pieces)
    blocks = [(begin, end) for begin, end in blocks if not text[begin:end].isspace()]
    if not blocks:
        elements = ", ".join(f"<{name}>" for name in sorted(_TEXT))
        raise DataError(f"there is no text in the file; expected some inside {elements}", path)
    return SgmText(text, blocks)


class _Piece(NamedTuple):
    """What stands between two tags: whether it is text, and whether a block begins with it."""

    characters: str
    is_text: bool
    begins_block: bool


def _pieces(markup: str) -> Iterator[_Piece]:
    open_elements: list[str] = []
    place = 0
    begins_block = True
    for tag in _TAG.finditer(markup):
        between = markup[place : tag.start()]
        yield _Piece(between, _hold_text(open_elements), begins_block)
        place = tag.end()
        name = tag["name"].upper()
        # Of tags that follow each other one is enough.
        begins_block = name in _STRUCTURE or (begins_block and not between)
        if tag["closes"]:
            _close(open_elements, name)
        elif name in _STRUCTURE and not tag[0].endswith("/>"):
            if name in _TEXT:
                # SGML may leave end tags out.
                open_elements = [element for element in open_elements if element not in _HEADERS]
            open_elements.append(name)
    yield _Piece(markup[place:], _hold_text(open_elements), begins_block)


def _hold_text(open_elements: list[str]) -> bool:
    return not _TEXT.isdisjoint(open_elements) and _HEADERS.isdisjoint(open_elements)


def _close(open_elements: list[str], name: str) -> None:
    """Closes an element with those inside it that were never closed; of one that is not open, nothing."""
    for depth in range(len(open_elements) - 1, -1, -1):
        if open_elements[depth] == name:
            del open_elements[depth:]
            return


def resolve_references(text: str) -> str:
    """
    A text with its character references (`&amp;`, `&AMP;`, `&#38;`) resolved; an unknown one stays as it
    is written.
    """
    return _resolved(text, 0, len(text))[0]


def _resolved(text: str, begin: int, end: int) -> tuple[str, list[int]]:
    """A slice of a text with its references resolved, and for each of its characters the offset."""
    characters: list[str] = []
    offsets: list[int] = []
    place = begin
    for reference in _REFERENCE.finditer(text, begin, end):
        resolved = (
            unescape(reference[0]) if reference["number"] else html5.get(f"{reference['name']};")
        )
        if resolved is None:
            continue
        characters += [text[place : reference.start()], resolved]
        offsets += [*range(place, reference.start()), *[reference.start()] * len(resolved)]
        place = reference.end()
    return "".join([*characters, text[place:end]]), [*offsets, *range(place, end)]
