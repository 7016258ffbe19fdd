"""
`.onf` files: OntoNotes' summary of all layers of a document, for people. Sentence after sentence it has the
text, the tree and a list of its leaves, each followed by what begins there, and after the sentences of a part
("section") the coreference chains in it.
"""

from __future__ import annotations

import re
from os import PathLike

from hmtl.errors import DataError
from hmtl.formats.annotated import Mention
from hmtl.formats.brackets import Span
from hmtl.formats.columns import read_lines
from hmtl.importing.ontonotes_sentences import AnnotatedSentence, Link
from hmtl.importing.penn_trees import read_trees

_TREE, _LEAVES, _CHAINS = "Tree:", "Leaves:", "Coreference chains"
_UNDERLINE = "---"
_SECTION = re.compile(r"Coreference chains for section (\d+):")
_CHAIN = re.compile(r"\s*Chain (\S+) \((\w+)\)\s*")
# Sentence (counted from the start of the document), first and last leaf; in appositions with the role before.
_MEMBER = re.compile(r"\s+(?:[A-Z]+\s+)?(\d+)\.(\d+)-(\d+)(?:\s.*)?")
_NAME = re.compile(r"\s+name:\s+(\S+)\s+(\d+)-(\d+)(?:\s.*)?")


def read_onf(path: str | PathLike[str]) -> list[AnnotatedSentence]:
    """
    # Raises

    `DataError`
        With file and line, for a malformed tree, and for leaves that are not there.
    """
    reader = _OnfReader(path)
    for number, line in read_lines(path):
        reader.add(number, line)
    reader.end_block()
    return reader.sentences


class _OnfReader:
    def __init__(self, path: str | PathLike[str]) -> None:
        self.sentences: list[AnnotatedSentence] = []
        self._path = path
        self._block = ""
        self._tree_lines: list[tuple[int, str]] = []
        self._section_begin = 0
        self._chain = ("", "")

    def add(self, number: int, line: str) -> None:
        """Reads a line."""
        if not line.strip():
            # Only chains hold blank lines.
            if self._block != _CHAINS:
                self.end_block()
        elif line.startswith(_UNDERLINE):
            return
        elif match := _SECTION.match(line):
            self._begin_chains(_number(match[1]))
        elif not line.startswith(" "):
            self.end_block()
            self._block = line
        elif self._block == _TREE:
            self._tree_lines.append((number, line))
        elif self._block == _LEAVES:
            self._add_name(number, line)
        elif self._block == _CHAINS:
            self._add_member(number, line)

    def end_block(self) -> None:
        """After a block: a tree is a sentence."""
        trees = read_trees(self._tree_lines, self._path)
        self.sentences += [AnnotatedSentence(tree) for tree in trees]
        self._tree_lines = []
        self._block = ""

    def _begin_chains(self, part: int) -> None:
        self.end_block()
        for sentence in self.sentences[self._section_begin :]:
            sentence.part = part
        self._section_begin = len(self.sentences)
        self._block = _CHAINS

    def _add_name(self, number: int, line: str) -> None:
        if match := _NAME.fullmatch(line):
            sentence = len(self.sentences) - 1
            span = self._span(number, sentence, match[2], match[3])
            self.sentences[sentence].names.append(Mention(*span, match[1]))

    def _add_member(self, number: int, line: str) -> None:
        if match := _CHAIN.fullmatch(line):
            self._chain = (match[1], match[2])
        elif match := _MEMBER.fullmatch(line):
            sentence = _number(match[1])
            span = self._span(number, sentence, match[2], match[3])
            self.sentences[sentence].links.append(Link(*self._chain, span))

    def _span(self, number: int, sentence: int, first: str, last: str) -> Span:
        span = _number(first), _number(last)
        there = 0 <= sentence < len(self.sentences)
        if not there or not span[0] <= span[1] < len(self.sentences[sentence].tree.leaves):
            raise DataError(
                f"leaves {first} to {last} of sentence {sentence}, which the file does not have",
                self._path,
                number,
            )
        return span


def _number(digits: str) -> int:
    # Python refuses to read very many; so large a number is out of any range as it is.
    return int(digits[:9])
