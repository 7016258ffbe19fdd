"""
The common model of an annotated document: every importer fills it, every exporter writes it.

All positions are token indices counted from the start of the DOCUMENT, both ends inclusive, so that what
crosses a sentence boundary can be held too (the writers of column files resolve it, and count).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from hmtl.formats.brackets import Span

# A slice of the document's text: the end is exclusive.
CharacterSlice = tuple[int, int]


@dataclass(frozen=True, slots=True, order=True)
class Mention:
    """
    A typed span: a mention's head (EMD), or a name (NER).

    # Parameters

    start, end : `int`
        Token indices in the document, both inclusive.
    type : `str`
    """

    start: int
    end: int
    type: str

    @property
    def span(self) -> Span:
        return self.start, self.end


@dataclass(frozen=True, slots=True, order=True)
class Relation:
    """
    # Parameters

    type : `str`
    arg1, arg2 : `Span`
        The spans of the arguments, token indices in the document, both ends inclusive.
    """

    type: str
    arg1: Span
    arg2: Span


@dataclass(slots=True)
class TreebankColumns:
    """
    What a CoNLL-2012 row holds beside words, names and coreference, one cell per token of a sentence, as
    the file has it (Pradhan et al. 2012). Where a corpus has no such layer, that format's mark of absence
    stands.

    # Parameters

    pos_tags, parse, lemmas, framesets, senses, speakers : `list[str]`
    predicates : `list[list[str]]`
        One column per predicate.
    """

    pos_tags: list[str]
    parse: list[str]
    lemmas: list[str]
    framesets: list[str]
    senses: list[str]
    speakers: list[str]
    predicates: list[list[str]] = field(default_factory=list)


@dataclass(slots=True)
class Sentence:
    """
    # Parameters

    words : `list[str]`
    offsets : `list[CharacterSlice]`, optional (default = `None`)
        For each word where it stands in the document's text: begin, and end (exclusive).
    treebank : `TreebankColumns`, optional (default = `None`)
        Only corpora in CoNLL-2012 columns have it.
    """

    words: list[str]
    offsets: list[CharacterSlice] | None = None
    treebank: TreebankColumns | None = None

    def __len__(self) -> int:
        return len(self.words)


@dataclass(slots=True)
class Document:
    """
    # Parameters

    name : `str`
        Unique in its corpus (together with `part`).
    sentences : `list[Sentence]`
        None of them empty.
    mentions : `list[Mention]`
        What EMD learns: heads of entity mentions. They may nest and cross.
    names : `list[Mention]`
        What NER learns, kept apart: a corpus may have both.
    relations : `list[Relation]`
        Between any spans, as a rule those of mentions.
    clusters : `list[list[Span]]`
        Coreferent spans, as a rule those of mentions; a cluster may hold one span only.
    text : `str`, optional (default = `None`)
        What the words' offsets are counted in.
    part : `int`, optional (default = `0`)
        CoNLL-2012 cuts long documents into parts.
    """

    name: str
    sentences: list[Sentence]
    mentions: list[Mention] = field(default_factory=list)
    names: list[Mention] = field(default_factory=list)
    relations: list[Relation] = field(default_factory=list)
    clusters: list[list[Span]] = field(default_factory=list)
    text: str | None = None
    part: int = 0

    @property
    def words(self) -> list[str]:
        return [word for sentence in self.sentences for word in sentence.words]

    @property
    def num_words(self) -> int:
        return sum(len(sentence) for sentence in self.sentences)

    def offsets(self) -> list[CharacterSlice] | None:
        """For each word its place in the text; `None` unless each sentence says so."""
        offsets: list[CharacterSlice] = []
        for sentence in self.sentences:
            if sentence.offsets is None:
                return None
            offsets.extend(sentence.offsets)
        return offsets

    def sentence_bounds(self) -> Iterator[Span]:
        """For each sentence its first and its last token (inclusive)."""
        first = 0
        for sentence in self.sentences:
            yield first, first + len(sentence) - 1
            first += len(sentence)

    def sentence_of_words(self) -> list[int]:
        """For each word of the document the index of its sentence."""
        return [index for index, sentence in enumerate(self.sentences) for _ in sentence.words]
