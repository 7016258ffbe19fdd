"""
Trees of the Penn Treebank's bracketed files (`.parse` of OntoNotes), flat: the leaves, and for each
constituent the leaves it spans.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from os import PathLike

from hmtl.errors import DataError
from hmtl.formats.brackets import Span
from hmtl.formats.columns import shown

TOP = "TOP"
_TRACE = "-NONE-"
_DISFLUENCY = "EDITED"
_SYMBOL = re.compile(r"[()]|[^\s()]+")
# Lines that hold no tree: comments and markup.
_NOT_TREES = (";", "<", "*")
# What follows a phrase's name: functions, and numbers that link it to traces.
_FUNCTION = re.compile(r"(?<=.)[-=].*")


@dataclass(frozen=True, slots=True)
class Leaf:
    """
    # Parameters

    tag : `str`
        The part of speech.
    word : `str`
        As the treebank writes it: `-LRB-` for a bracket.
    """

    tag: str
    word: str

    @property
    def is_trace(self) -> bool:
        """Whether it stands for a word that is elsewhere, or nowhere."""
        return self.tag == _TRACE


@dataclass(slots=True)
class Tree:
    """
    # Parameters

    line : `int`
        Where it begins in its file, counted from 1.
    leaves : `list[Leaf]`
        Traces among them.
    constituents : `list[tuple[str, Span]]`
        Label and span (indices of leaves, both inclusive) of each node above the parts of speech, parents
        before children.
    """

    line: int
    leaves: list[Leaf] = field(default_factory=list)
    constituents: list[tuple[str, Span]] = field(default_factory=list)

    def spoken(self) -> list[int]:
        """
        The leaves that CoNLL-2012 keeps: no traces, and nothing that the speaker took back (below an
        `EDITED` node).
        """
        edited = {
            leaf
            for label, (first, last) in self.constituents
            if label == _DISFLUENCY
            for leaf in range(first, last + 1)
        }
        return [
            index
            for index, leaf in enumerate(self.leaves)
            if not leaf.is_trace and index not in edited
        ]

    def parse_cells(self, kept: Container[int]) -> list[str]:
        """
        The parse column of CoNLL-2012 for some of the leaves: `(TOP(S(NP*`, `*)`; phrases without their
        functions, and none that holds no leaf.
        """
        number = {
            leaf: index
            for index, leaf in enumerate(leaf for leaf in range(len(self.leaves)) if leaf in kept)
        }
        opening, closing = [""] * len(number), [0] * len(number)
        for label, (first, last) in self.constituents:
            inside = [number[leaf] for leaf in range(first, last + 1) if leaf in number]
            if inside:
                opening[inside[0]] += "(" + _FUNCTION.sub("", label)
                closing[inside[-1]] += 1
        return [f"{opened}*{')' * closed}" for opened, closed in zip(opening, closing)]


@dataclass(slots=True)
class _Node:
    first_leaf: int
    label: str = ""
    word: str = ""
    constituent: int = -1


def read_trees(lines: Iterable[tuple[int, str]], path: str | PathLike[str]) -> list[Tree]:
    """
    # Parameters

    lines : `Iterable[tuple[int, str]]`
        Number and text of each line, as `hmtl.formats.columns.read_lines` gives them.
    path : `str` or `PathLike`
        For messages.

    # Raises

    `DataError`
        With file and line, for brackets that do not match and nodes that are neither word nor phrase.
    """
    builder = _TreeBuilder(path)
    line = 1
    for line, text in lines:
        if not text.startswith(_NOT_TREES):
            for symbol in _SYMBOL.findall(text):
                builder.add(line, symbol)
    return builder.finish(line)


class _TreeBuilder:
    def __init__(self, path: str | PathLike[str]) -> None:
        self._path = path
        self._trees: list[Tree] = []
        self._open: list[_Node] = []

    def add(self, line: int, symbol: str) -> None:
        if symbol == "(":
            self._begin(line)
        elif not self._open:
            raise DataError(
                f"{shown(symbol)} stands outside a tree; expected '('", self._path, line
            )
        elif symbol == ")":
            self._end(line)
        else:
            self._name(line, symbol)

    def finish(self, line: int) -> list[Tree]:
        if self._open:
            begun = self._trees[-1].line
            raise DataError(f"the tree begun on line {begun} is never closed", self._path, line)
        return self._trees

    def _begin(self, line: int) -> None:
        if not self._open:
            self._trees.append(Tree(line))
        else:
            parent = self._open[-1]
            if parent.word:
                raise DataError(
                    f"a node inside the word {shown(parent.word)}; expected ')'", self._path, line
                )
            self._make_phrase(parent, line)
        self._open.append(_Node(len(self._trees[-1].leaves)))

    def _make_phrase(self, node: _Node, line: int) -> None:
        if node.constituent >= 0:
            return
        if not node.label and len(self._open) == 1:
            node.label = TOP
        if not node.label:
            raise DataError("a phrase without a label", self._path, line)
        constituents = self._trees[-1].constituents
        node.constituent = len(constituents)
        constituents.append((node.label, (node.first_leaf, node.first_leaf)))

    def _name(self, line: int, symbol: str) -> None:
        node = self._open[-1]
        if node.word or node.constituent >= 0:
            raise DataError(
                f"{shown(symbol)} after what the node {shown(node.label)} holds; expected ')'",
                self._path,
                line,
            )
        if node.label:
            node.word = symbol
        else:
            node.label = symbol

    def _end(self, line: int) -> None:
        node, tree = self._open.pop(), self._trees[-1]
        if node.constituent >= 0:
            tree.constituents[node.constituent] = (
                node.label,
                (node.first_leaf, len(tree.leaves) - 1),
            )
        elif node.word:
            tree.leaves.append(Leaf(node.label, node.word))
        else:
            raise DataError(
                f"the node {shown(node.label)} holds neither a word nor a phrase", self._path, line
            )
