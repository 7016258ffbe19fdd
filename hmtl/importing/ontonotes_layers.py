"""
The files of OntoNotes' release: `.parse`, and beside it `.name` and `.coref` with one sentence a line; or the
summary of all layers, `.onf`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hmtl.errors import DataError
from hmtl.formats.annotated import Mention
from hmtl.formats.brackets import Span
from hmtl.formats.columns import read_lines, shown
from hmtl.importing.ontonotes_onf import read_onf
from hmtl.importing.ontonotes_sentences import AnnotatedSentence, Link
from hmtl.importing.penn_trees import Tree, read_trees
from hmtl.importing.tally import Tally
from hmtl.importing.tokenization import COVERS_NO_WORD

logger = logging.getLogger(__name__)

TREES, NAMES, COREF, ALL_LAYERS = ".parse", ".name", ".coref", ".onf"

WIDENED = "widened to whole words"
OTHER_WORDS = "stands in a sentence whose words are not the tree's"
_NAME_TAGS, _COREF_TAGS = ("ENAMEX", "TIMEX", "NUMEX"), ("COREF",)
_FRAME = re.compile(r"</?(?:DOC|TEXT)\b[^>]*>")
_PART = re.compile(r'<TEXT PARTNO="(\d+)"')
_TAG = re.compile(r'<(?P<closes>/?)(?P<name>[A-Z]+)\b(?P<attributes>(?:"[^"]*"|[^">])*)>')
_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')
_WORD = re.compile(r"\S+")
# The treebank, and the markup once more, write some characters otherwise.
_ESCAPES = {
    "-LRB-": "(",
    "-RRB-": ")",
    "-LCB-": "{",
    "-RCB-": "}",
    "-LSB-": "[",
    "-RSB-": "]",
    "-LAB-": "<",
    "-RAB-": ">",
    "-AMP-": "&",
    "&amp;": "&",
    "&lt;": "<",
    "&gt;": ">",
}
_ESCAPE = re.compile("|".join(_ESCAPES))


def read_sentences(stem: Path, tally: Tally, trees_alone: bool = False) -> list[AnnotatedSentence]:
    """
    A document of the release.

    # Parameters

    stem : `Path`
        Its files' path without a suffix.
    tally : `Tally`
    trees_alone : `bool`, optional (default = `False`)
        Whether names and coreference are not wanted.

    # Raises

    `DataError`
        With file and line, for what is not as OntoNotes' files are; also if a layer has other sentences than
        the trees.
    """
    trees_path = beside(stem, TREES)
    if not trees_path.is_file():
        return read_onf(beside(stem, ALL_LAYERS))
    sentences = [AnnotatedSentence(tree) for tree in read_trees(read_lines(trees_path), trees_path)]
    if trees_alone:
        return sentences
    if beside(stem, NAMES).is_file():
        _add_names(beside(stem, NAMES), sentences, tally)
    if beside(stem, COREF).is_file():
        _add_links(beside(stem, COREF), sentences, tally)
    return sentences


def beside(stem: Path, suffix: str) -> Path:
    """The file of a layer. A document's name may hold dots."""
    return stem.with_name(stem.name + suffix)


@dataclass(slots=True)
class _TaggedSpan:
    attributes: dict[str, str]
    words: Span
    is_whole: bool


@dataclass(slots=True)
class _TaggedLine:
    number: int
    part: int
    words: list[str]
    spans: list[_TaggedSpan]
    num_empty: int


def _add_names(path: Path, sentences: list[AnnotatedSentence], tally: Tally) -> None:
    """`.name` has the words without the traces, so no line for a sentence of traces alone."""
    with_words = [
        sentence
        for sentence in sentences
        if not all(leaf.is_trace for leaf in sentence.tree.leaves)
    ]
    for sentence, line in _aligned(path, _NAME_TAGS, with_words):
        leaves = [index for index, leaf in enumerate(sentence.tree.leaves) if not leaf.is_trace]
        if _fits(path, line, sentence.tree, leaves, "names", tally):
            for span in line.spans:
                tally.changed("names", WIDENED, not span.is_whole)
                first, last = span.words
                label = _required(span, "TYPE", path, line)
                sentence.names.append(Mention(leaves[first], leaves[last], label))


def _add_links(path: Path, sentences: list[AnnotatedSentence], tally: Tally) -> None:
    """`.coref` has all leaves, the traces among them."""
    for sentence, line in _aligned(path, _COREF_TAGS, sentences):
        sentence.part = line.part
        leaves = range(len(sentence.tree.leaves))
        if _fits(path, line, sentence.tree, leaves, "cluster members", tally):
            for span in line.spans:
                tally.changed("cluster members", WIDENED, not span.is_whole)
                chain, kind = (_required(span, name, path, line) for name in ("ID", "TYPE"))
                sentence.links.append(Link(chain, kind, span.words))


def _aligned(
    path: Path, tags: tuple[str, ...], sentences: list[AnnotatedSentence]
) -> Iterator[tuple[AnnotatedSentence, _TaggedLine]]:
    lines = list(_read_tagged_lines(path, tags))
    if len(lines) != len(sentences):
        raise DataError(
            f"the file has {len(lines)} sentences, and {TREES} beside it {len(sentences)}; expected as many",
            path,
        )
    return zip(sentences, lines)


def _fits(
    path: Path, line: _TaggedLine, tree: Tree, leaves: Sequence[int], kind: str, tally: Tally
) -> bool:
    """Whether a line has the words of the tree; else its spans are left out. Empty ones are anyway."""
    tally.dropped(kind, COVERS_NO_WORD, line.num_empty)
    expected = [_unescaped(tree.leaves[leaf].word) for leaf in leaves]
    if [_unescaped(word) for word in line.words] == expected:
        return True
    tally.dropped(kind, OTHER_WORDS, len(line.spans))
    logger.warning(
        "%s:%d: the words are not those of the tree on line %d of the %s file; %d %s left out",
        path,
        line.number,
        tree.line,
        TREES,
        len(line.spans),
        kind,
    )
    return False


def _unescaped(word: str) -> str:
    return _ESCAPE.sub(lambda match: _ESCAPES[match[0]], word)


def _required(span: _TaggedSpan, name: str, path: Path, line: _TaggedLine) -> str:
    if name not in span.attributes:
        raise DataError(f"a tag without {name}", path, line.number)
    return span.attributes[name]


def _read_tagged_lines(path: Path, tags: tuple[str, ...]) -> Iterator[_TaggedLine]:
    """The sentences of a `.name` or `.coref` file: one a line, with tags in it."""
    part = 0
    for number, text in read_lines(path):
        if begins := _PART.search(text):
            # Python refuses to read very many digits.
            part = int(begins[1][:9])
        text = _FRAME.sub("", text)
        if text.strip():
            yield _read_tagged_line(path, number, part, text, tags)


def _read_tagged_line(
    path: Path, number: int, part: int, text: str, tags: tuple[str, ...]
) -> _TaggedLine:
    plain = ""
    place = 0
    open_tags: list[tuple[int, dict[str, str]]] = []
    slices: list[tuple[Span, dict[str, str]]] = []
    for tag in _TAG.finditer(text):
        if tag["name"] not in tags:
            continue
        plain += text[place : tag.start()]
        place = tag.end()
        if not tag["closes"]:
            open_tags.append((len(plain), dict(_ATTRIBUTE.findall(tag["attributes"]))))
        elif open_tags:
            begin, attributes = open_tags.pop()
            slices.append(((begin, len(plain)), attributes))
        else:
            raise DataError(f"{shown(tag[0])} closes what was never opened", path, number)
    if open_tags:
        raise DataError(f"a tag {'/'.join(tags)} is never closed on its line", path, number)
    plain += text[place:]
    places = [match.span() for match in _WORD.finditer(plain)]
    words = [plain[begin:end] for begin, end in places]
    spans = [_to_words(covered, attributes, places) for covered, attributes in slices]
    with_words = [span for span in spans if span is not None]
    return _TaggedLine(number, part, words, with_words, len(spans) - len(with_words))


def _to_words(
    covered: Span, attributes: dict[str, str], places: Sequence[Span]
) -> _TaggedSpan | None:
    """A tagged stretch of a line as words: all that it touches. `S_OFF` and `E_OFF` tell of less."""
    begin, end = covered
    inside = [index for index, place in enumerate(places) if place[0] < end and begin < place[1]]
    if not inside:
        return None
    first, last = inside[0], inside[-1]
    exact = begin <= places[first][0] and places[last][1] <= end
    offsets = (attributes.get("S_OFF", "0"), attributes.get("E_OFF", "0"))
    return _TaggedSpan(attributes, (first, last), exact and offsets == ("0", "0"))
