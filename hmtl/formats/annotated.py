"""
The one model of an annotated document: every parser and importer fills it, every writer writes it.

All positions are token indices counted from the start of the DOCUMENT, both ends inclusive, so that what
crosses a sentence boundary can be held too (the writers of column files resolve it, and count).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TypeVar

from hmtl.formats.brackets import LabelledSpan, Span

# A slice of the document's text: the end is exclusive.
CharacterSlice = tuple[int, int]

# CoNLL-2012's marks of a layer that a corpus does not have. The part of speech is the Treebank's own tag for
# the unknown; a parse of `*` alone is what the readers of CoNLL-2012 take for none.
NO_POS_TAG, NO_PARSE, NO_LAYER = "XX", "*", "-"


@dataclass(frozen=True, slots=True, order=True)
class Mention:
    """
    A typed span: a mention's head (EMD), or a name (NER).

    # Parameters

    start, end : `int`
        Token indices in the document, both inclusive.
    type : `str`
    score : `float`, optional (default = `None`)
        How probable a predicted one is.
    """

    start: int
    end: int
    type: str
    score: float | None = field(default=None, compare=False, kw_only=True)

    @property
    def span(self) -> Span:
        return self.start, self.end

    @property
    def labelled(self) -> LabelledSpan:
        return self.type, self.span

    def shifted(self, by: int) -> Mention:
        """Return the same so many tokens later."""
        return Mention(self.start + by, self.end + by, self.type, score=self.score)


@dataclass(frozen=True, slots=True, order=True)
class Relation:
    """
    # Parameters

    type : `str`
    arg1, arg2 : `Span`
        The spans of the arguments, token indices in the document, both ends inclusive.
    score : `float`, optional (default = `None`)
        How probable a predicted one is.
    arg_types : `tuple[str, str]`, optional (default = `None`)
        The types of the arguments, as `hmtl.formats.standoff` has them, where mentions of several types stand
        over the words of one. Files of columns have no place for them.
    """

    type: str
    arg1: Span
    arg2: Span
    score: float | None = field(default=None, compare=False, kw_only=True)
    arg_types: tuple[str, str] | None = field(default=None, compare=False, kw_only=True)

    @property
    def start(self) -> int:
        return self.arg1[0]

    @property
    def labelled_arguments(self) -> tuple[LabelledSpan, LabelledSpan]:
        """The arguments with their types, empty where the place alone tells which they are."""
        first, second = self.arg_types or ("", "")
        return (first, self.arg1), (second, self.arg2)

    def shifted(self, by: int) -> Relation:
        """Return the same so many tokens later."""
        return Relation(
            self.type,
            shifted(self.arg1, by),
            shifted(self.arg2, by),
            score=self.score,
            arg_types=self.arg_types,
        )


@dataclass(frozen=True, slots=True)
class Entity:
    """
    What a document speaks of.

    # Parameters

    mentions : `tuple[Mention, ...]`
        All its mentions, one at least, in the order of the source, which may hold one twice.
    """

    mentions: tuple[Mention, ...]

    @property
    def spans(self) -> list[Span]:
        """Where its mentions are, in the order of the text, each once."""
        return sorted({mention.span for mention in self.mentions})


@dataclass(frozen=True, slots=True)
class EntityRelation:
    """
    A relation between two entities of a document, wherever in it their mentions stand.

    # Parameters

    type : `str`
    head, tail : `int`
        Which of the document's entities; not the same.
    evidence : `tuple[int, ...]`, optional (default = `()`)
        The sentences that it follows from, where the source tells.
    score : `float`, optional (default = `None`)
        How probable a predicted one is.
    """

    type: str
    head: int
    tail: int
    evidence: tuple[int, ...] = ()
    score: float | None = field(default=None, compare=False, kw_only=True)


AnnotationT = TypeVar("AnnotationT", Mention, Relation)


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
    predicates: list[list[str]] = field(default_factory=list, kw_only=True)

    @classmethod
    def absent(cls, num_words: int) -> TreebankColumns:
        """Return those of a sentence that has none of these layers."""
        marks = (NO_POS_TAG, NO_PARSE, NO_LAYER, NO_LAYER, NO_LAYER, NO_LAYER)
        return cls(*([mark] * num_words for mark in marks))


@dataclass(slots=True)
class Sentence:
    """
    # Parameters

    words : `list[str]`
    offsets : `list[CharacterSlice]`, optional (default = `None`)
        For each word where it stands in the document's text: begin, and end (exclusive).
    treebank : `TreebankColumns`, optional (default = `None`)
        Only corpora in CoNLL-2012 columns have it.
    line : `int`, optional (default = `0`)
        The line of the file on which the first word stands, counted from 1; 0 where there is none.
    empty_frames : `int`, optional (default = `0`)
        How many of like_conll's relation columns mark nothing at all: filling, as where a converter gives
        every sentence of a file as many columns.
    tree : `list[tuple[int | None, str]]`, optional (default = `None`)
        For each word its head, counted from 0 in the sentence, `None` for a root, and its relation to that,
        as a file has them: nobody checked that they make a tree.
    """

    words: list[str]
    offsets: list[CharacterSlice] | None = None
    treebank: TreebankColumns | None = None
    line: int = field(default=0, compare=False)
    empty_frames: int = field(default=0, compare=False)
    tree: list[tuple[int | None, str]] | None = field(default=None, compare=False)

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
    heads : `dict[Span, Span]`
        Of spans in clusters the head, or the least of it that a system must find, where a corpus tells.
    text : `str`, optional (default = `None`)
        What the words' offsets are counted in.
    noun_chunks : `list[Span]`, optional (default = `None`)
        The base noun phrases, where a parser found them.
    has_both : `bool`, optional (default = `False`)
        Whether names and mentions are told apart where it has none of one, as its corpus has both.
    pieces : `dict[Span, tuple[Span, ...]]`, optional (default = `{}`)
        For a discontinuous span its parts, in order, at least two. All else holds the span from its first
        token to its last.
    entities : `list[Entity]`, optional (default = `[]`)
        Where a corpus relates these, and not spans: all of them, in its order.
    entity_relations : `list[EntityRelation]`, optional (default = `[]`)
    title : `str`, optional (default = `None`)
        What the source calls it, where `name` is another.
    part : `int`, optional (default = `0`)
        CoNLL-2012 cuts long documents into parts.
    line : `int`, optional (default = `0`)
        The line of the file on which it begins, counted from 1; 0 where there is none.
    """

    name: str
    sentences: list[Sentence]
    mentions: list[Mention] = field(default_factory=list)
    names: list[Mention] = field(default_factory=list)
    relations: list[Relation] = field(default_factory=list)
    clusters: list[list[Span]] = field(default_factory=list)
    heads: dict[Span, Span] = field(default_factory=dict)
    text: str | None = None
    noun_chunks: list[Span] | None = None
    part: int = 0
    line: int = field(default=0, compare=False)
    pieces: dict[Span, tuple[Span, ...]] = field(default_factory=dict)
    has_both: bool = field(default=False, compare=False)
    entities: list[Entity] = field(default_factory=list)
    entity_relations: list[EntityRelation] = field(default_factory=list)
    title: str | None = None

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

    def by_sentence(self, annotations: Iterable[AnnotationT]) -> list[list[AnnotationT]]:
        """
        Return for each sentence the annotations that begin in it, in the order given, with tokens counted
        from its own first one.
        """
        firsts = [first for first, _ in self.sentence_bounds()]
        found: list[list[AnnotationT]] = [[] for _ in firsts]
        for annotation in annotations:
            sentence = bisect_right(firsts, annotation.start) - 1
            found[sentence].append(annotation.shifted(-firsts[sentence]))
        return found


def shifted(span: Span, by: int) -> Span:
    """Return the span so many tokens later."""
    return span[0] + by, span[1] + by


def mentions_of(spans: Iterable[LabelledSpan], first: int) -> list[Mention]:
    """Return the labelled spans of a sentence whose first token has this place in the document."""
    return [Mention(start + first, end + first, label) for label, (start, end) in spans]


def with_text(document: Document) -> Document:
    """
    The document itself if it has its text and its words' places in it; else with a text of its words, a blank
    between two and a sentence a line.
    """
    if document.text is not None and document.offsets() is not None:
        return document
    sentences, lines, begin = [], [], 0
    for sentence in document.sentences:
        offsets = []
        for word in sentence.words:
            offsets.append((begin, begin + len(word)))
            begin += len(word) + 1
        sentences.append(replace(sentence, offsets=offsets))
        lines.append(" ".join(sentence.words) + "\n")
    return replace(document, sentences=sentences, text="".join(lines))
