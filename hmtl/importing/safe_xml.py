"""XML files read without trusting them: no entity of the file's own is expanded, nothing else is opened."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import NoReturn
from xml.parsers import expat

from hmtl.errors import DataError


@dataclass(slots=True)
class Element:
    """
    # Parameters

    tag : `str`
    attributes : `dict[str, str]`
    line : `int`
        The line of its start tag, counted from 1.
    children : `list[Element]`
    text : `str`
        All character data that stands in the element itself, without that of its children.
    """

    tag: str
    attributes: dict[str, str]
    line: int
    children: list[Element] = field(default_factory=list)
    text: str = ""

    def find(self, tag: str) -> Element | None:
        """The first child of a name."""
        return next((child for child in self.children if child.tag == tag), None)

    def descendants(self, *tags: str) -> Iterator[Element]:
        """All elements of these names inside this one, at any depth, in the order of the file."""
        waiting = self.children[::-1]
        while waiting:
            element = waiting.pop()
            if element.tag in tags:
                yield element
            waiting.extend(reversed(element.children))


def read_xml(path: str | PathLike[str]) -> Element:
    """
    The root element of a file. A document type may be named, but is not fetched.

    # Raises

    `DataError`
        With file and line, for what is not well-formed, and for a file that declares entities, or uses any
        beyond XML's own five: they could stand for gigabytes, or for other files.
    """
    builder = _TreeBuilder(path)
    builder.parse()
    assert builder.root is not None  # expat has told of a file without an element
    return builder.root


def check_xml(path: str | PathLike[str], tag: str = "") -> list[dict[str, str]]:
    """
    Read a file that another parser is to be given, refuse what `read_xml` refuses, and return the attributes
    of all elements of a name, whatever stands before it for the namespace.

    # Raises

    `DataError`
        As `read_xml` does.
    """
    checked = _Parser(path)
    found: list[dict[str, str]] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if name.rpartition(":")[2] == tag:
            found.append(attributes)

    if tag:
        checked.parser.StartElementHandler = start
    checked.parse()
    return found


class _Parser:
    """Refuses what is not to be trusted."""

    def __init__(self, path: str | PathLike[str]) -> None:
        self._path = path
        self.parser = expat.ParserCreate()
        self.parser.EntityDeclHandler = self._refuse_declaration
        self.parser.SkippedEntityHandler = self._refuse_reference

    def parse(self) -> None:
        try:
            content = Path(self._path).read_bytes()
        except OSError as error:
            raise DataError(f"the file cannot be read: {error.strerror}", self._path) from error
        try:
            self.parser.Parse(content, True)
        except expat.ExpatError as error:
            message = f"not well-formed XML: {expat.ErrorString(error.code)}"
            raise DataError(message, self._path, error.lineno) from error

    def _refuse_declaration(self, name: str, *_: object) -> NoReturn:
        raise DataError(
            f"the file declares the entity {name!r}; expected none, as entities can stand for gigabytes "
            "or for other files",
            self._path,
            self.parser.CurrentLineNumber,
        )

    def _refuse_reference(self, name: str, *_: object) -> NoReturn:
        raise DataError(
            f"unknown entity '&{name};'; expected '&amp;', '&lt;', '&gt;', '&quot;', '&apos;' or the "
            "number of a character",
            self._path,
            self.parser.CurrentLineNumber,
        )


class _TreeBuilder(_Parser):
    def __init__(self, path: str | PathLike[str]) -> None:
        super().__init__(path)
        self.root: Element | None = None
        self._open: list[Element] = []
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        element = Element(tag, attributes, self.parser.CurrentLineNumber)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def _end(self, _: str) -> None:
        self._open.pop()

    def _characters(self, text: str) -> None:
        self._open[-1].text += text
