"""
Text to sentences of words, with the place of each in the text, and annotations by characters to spans of
words.

Two rules make every annotation fit, whatever the tokenizer: a word is split where an annotation begins or
ends inside it, and sentences that spaCy found are joined where an annotation reaches across their boundary.
Both are counted.
"""

from __future__ import annotations

import argparse
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

from hmtl.formats.annotated import CharacterSlice, Sentence
from hmtl.formats.brackets import Span
from hmtl.formats.spacy_text import (
    SENTENCE_SPLITTER,
    load_pipeline,
    sentence_places,
    word_places,
)
from hmtl.importing.tally import Tally

SPACY, WHITESPACE, LINES = "spacy", "whitespace", "lines"
COVERS_NO_WORD = "covers no word"
SPLIT_WORD = "split where an annotation begins or ends inside"
JOINED = "joined, as an annotation reaches across their boundary"

# For each sentence the places of its words.
Segmenter = Callable[[str], list[list[CharacterSlice]]]

_NOT_NEEDED = ("ner", "lemmatizer", "attribute_ruler")
# Kinds of tokens: what begins a sentence after a mark that ends one, such a mark, other punctuation.
_WORD, _MARK, _OTHER = range(3)
# So many stretches are remembered, which bounds the memory.
_MOST_CHUNKS = 2**19
_LINE = re.compile(r"[^\n]+")
_PARAGRAPH = re.compile(r".+?(?=\n[^\S\n]*\n|\Z)", re.DOTALL)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options by which plain text is cut."""
    group = parser.add_argument_group("words and sentences")
    group.add_argument(
        "--tokens",
        choices=(SPACY, WHITESPACE),
        default=SPACY,
        help="what makes words: spaCy's rules for the language, or the blanks of the text "
        "(default: %(default)s)",
    )
    group.add_argument(
        "--sentences",
        choices=(SPACY, LINES),
        default=SPACY,
        help="what makes sentences: spaCy within paragraphs, or the lines of the text (default: %(default)s)",
    )
    group.add_argument(
        "--spacy-model",
        metavar="NAME",
        help="an installed spaCy pipeline that finds sentences; without it spaCy's rules alone are used",
    )
    group.add_argument(
        "--language",
        default="en",
        metavar="CODE",
        help="the language of spaCy's rules (default: %(default)s)",
    )


def segmenter(arguments: argparse.Namespace) -> Segmenter:
    """
    What the options of `add_arguments` ask for.

    # Raises

    `DataError`
        If the pipeline is not installed, or the language not known.
    """
    by_lines = arguments.sentences == LINES
    # Only what finds sentences; names and lemmas would take most of the time.
    pipeline = load_pipeline(arguments.spacy_model, arguments.language, exclude=_NOT_NEEDED)
    tokenizer = pipeline.tokenizer
    if arguments.tokens == WHITESPACE:
        tokenizer = partial(_doc_of_words, pipeline.vocab)
    if arguments.spacy_model is None and (arguments.tokens == WHITESPACE or _by_chunks(tokenizer)):
        return _ChunkSegmenter(pipeline, tokenizer, by_lines, arguments.tokens == WHITESPACE)

    def segment(text: str) -> list[list[CharacterSlice]]:
        sentences: list[list[CharacterSlice]] = []
        for stretch in (_LINE if by_lines else _PARAGRAPH).finditer(text):
            doc = tokenizer(stretch[0])
            found = [list(word_places(doc))] if by_lines else sentence_places(pipeline(doc))
            for places in found:
                sentences.append(
                    [(start + stretch.start(), end + stretch.start()) for start, end in places]
                )
        return [sentence for sentence in sentences if sentence]

    return segment


def _by_chunks(tokenizer: Any) -> bool:
    """Whether a tokenizer cuts each stretch without blanks as if it stood alone."""
    from spacy.tokenizer import Tokenizer

    rules = getattr(tokenizer, "rules", None) or {}
    return type(tokenizer) is Tokenizer and all(len(special.split()) < 2 for special in rules)


class _ChunkSegmenter:
    """
    What spaCy's tokenizer and its `sentencizer` find, several times as fast: a stretch without blanks is
    given to the tokenizer when it comes for the first time.

    # Parameters

    pipeline : `spacy.Language`
        With a `sentencizer`, whose rule is: a sentence ends after a mark of its `punct_chars`, and marks of
        punctuation that follow.
    tokenizer : `Callable[[str], spacy.tokens.Doc]`
    by_lines : `bool`
        Whether lines are sentences, in place of that rule.
    blanks_are_tokens : `bool`
        Whether the sentencizer sees each blank as a token; else only one that is more than a space.
    """

    def __init__(
        self, pipeline: Any, tokenizer: Any, by_lines: bool, blanks_are_tokens: bool
    ) -> None:
        from spacy.attrs import IS_PUNCT, IS_SPACE

        # The pipeline is ours alone, and working out all that spaCy knows of a new word takes longer than to
        # find it.
        getters = pipeline.vocab.lex_attr_getters
        pipeline.vocab.lex_attr_getters = {IS_SPACE: getters[IS_SPACE]}
        self._is_punctuation: Callable[[str], bool] = getters[IS_PUNCT]
        self._tokenizer = tokenizer
        self._marks = pipeline.get_pipe(SENTENCE_SPLITTER).punct_chars
        self._by_lines = by_lines
        self._blanks_are_tokens = blanks_are_tokens
        # By stretch its tokens, as begin, end and kind; `None` for one token of the kind `_WORD`.
        self._known: dict[str, list[tuple[int, int, int]] | None] = {}

    def __call__(self, text: str) -> list[list[CharacterSlice]]:
        sentences: list[list[CharacterSlice]] = []
        words: list[CharacterSlice] = []
        known, by_lines, find = self._known, self._by_lines, text.find
        # Whether a mark has come that ends the sentence, unless more punctuation follows.
        ended = False
        before = 0
        chunks = text.split()
        self._learn(chunks)
        for chunk in chunks:
            # What stands before it is blank.
            begin = find(chunk, before)
            end = begin + len(chunk)
            if begin - before != 1 or text[before] != " " or self._blanks_are_tokens:
                num_lines = text.count("\n", before, begin)
                if (num_lines if by_lines else num_lines > 1) or (ended and begin > before):
                    sentences.append(words)
                    words, ended = [], False
            before = end
            pieces = known[chunk]
            if pieces is None:
                if ended:
                    sentences.append(words)
                    words, ended = [], False
                words.append((begin, end))
                continue
            for first, last, kind in pieces:
                if ended and kind == _WORD:
                    sentences.append(words)
                    words, ended = [], False
                elif kind == _MARK:
                    ended = not by_lines
                words.append((begin + first, begin + last))
        sentences.append(words)
        return [sentence for sentence in sentences if sentence]

    def _learn(self, chunks: Iterable[str]) -> None:
        """Have stretches cut that are not known yet, all at once."""
        if len(self._known) >= _MOST_CHUNKS:
            self._known.clear()
        new = sorted(set(chunks).difference(self._known))
        tokens = iter(self._tokenizer(" ".join(new)))
        begin = 0
        for chunk in new:
            end = begin + len(chunk)
            pieces: list[tuple[int, int, int]] = []
            last = begin
            while last < end:
                token = next(tokens)
                if token.is_space:
                    continue
                first, last = token.idx, token.idx + len(token)
                pieces.append((first - begin, last - begin, self._kind(token)))
            is_word = len(pieces) == 1 and pieces[0][2] == _WORD
            self._known[chunk] = None if is_word else pieces
            begin = end + 1

    def _kind(self, token: Any) -> int:
        text = token.text
        if text.isalnum():
            return _WORD
        if text in self._marks:
            return _MARK
        return _OTHER if self._is_punctuation(text) else _WORD


def _doc_of_words(vocab: Any, text: str) -> Any:
    from spacy.tokens import Doc

    # Runs of blanks are tokens of their own, so that the places of characters stay what they are.
    pieces = re.findall(r"\S+|\s+", text)
    return Doc(vocab, words=pieces, spaces=[False] * len(pieces))


def cut(
    text: str,
    segment: Segmenter,
    annotated: Iterable[CharacterSlice],
    tally: Tally,
    join: bool = True,
) -> list[Sentence]:
    """
    The sentences of a text, in which each annotated slice is a span of whole words.

    # Parameters

    text : `str`
    segment : `Segmenter`
    annotated : `Iterable[CharacterSlice]`
        What is annotated; blanks at its edges do not count.
    tally : `Tally`
        Counts words split and sentences joined.
    join : `bool`, optional (default = `True`)
        Whether sentences are joined, so that each slice is in one.
    """
    annotated = list(annotated)
    return fitted(text, segment(text), annotated, annotated if join else [], tally)


def fitted(
    text: str,
    found: list[list[CharacterSlice]],
    whole: Iterable[CharacterSlice],
    together: Iterable[CharacterSlice],
    tally: Tally,
) -> list[Sentence]:
    """
    The sentences of a text whose words are found already: words are split where slices in `whole` begin or
    end inside them, and sentences joined where slices in `together` reach across their boundary.
    """
    edges = sorted({edge for place in _trimmed(text, whole) for edge in place})
    split = [_split_at(words, edges) for words in found]
    tally.changed("words", SPLIT_WORD, sum(map(len, split)) - sum(map(len, found)))
    joined = _joined(split, _trimmed(text, together))
    tally.changed("sentences", JOINED, len(split) - len(joined))
    return [Sentence([text[begin:end] for begin, end in words], words) for words in joined]


def _trimmed(text: str, places: Iterable[CharacterSlice]) -> list[CharacterSlice]:
    return [place for place in (trimmed(text, place) for place in places) if place]


def trimmed(text: str, place: CharacterSlice) -> CharacterSlice | None:
    """A slice of a text without the blanks at its edges; `None` if nothing is left."""
    begin, end = place
    if begin < end and not text[begin].isspace() and not text[end - 1].isspace():
        return place
    covered = text[begin:end]
    begin += len(covered) - len(covered.lstrip())
    end = begin + len(covered.strip())
    return (begin, end) if begin < end else None


def _split_at(words: list[CharacterSlice], edges: Sequence[int]) -> list[CharacterSlice]:
    within = edges[bisect_right(edges, words[0][0]) : bisect_left(edges, words[-1][1])]
    # Most edges are those of words.
    within = sorted(set(within).difference(*words)) if within else within
    if not within:
        return words
    pieces: list[CharacterSlice] = []
    for begin, end in words:
        inside = within[bisect_right(within, begin) : bisect_left(within, end)]
        pieces += pairwise([begin, *inside, end])
    return pieces


def _joined(
    sentences: Sequence[list[CharacterSlice]], annotated: Iterable[CharacterSlice]
) -> list[list[CharacterSlice]]:
    """Two sentences are one where a slice begins before the second and ends within or after it."""
    if not sentences:
        return []
    starts = [words[0][0] for words in sentences]
    within: set[int] = set()
    for begin, end in annotated:
        within.update(range(bisect_right(starts, begin), bisect_left(starts, end)))
    joined: list[list[CharacterSlice]] = []
    for index, words in enumerate(sentences):
        if index in within and joined:
            joined[-1] = joined[-1] + words
        else:
            joined.append(words)
    return joined


class WordIndex:
    """
    Finds the words that a slice of the text covers.

    # Parameters

    text : `str`
    sentences : `Sequence[Sentence]`
        As `cut` returns them.
    """

    def __init__(self, text: str, sentences: Sequence[Sentence]) -> None:
        self._text = text
        self._offsets = [place for sentence in sentences for place in sentence.offsets or ()]
        self._begins = [begin for begin, _ in self._offsets]
        self._ends = [end for _, end in self._offsets]

    def span(self, place: CharacterSlice) -> Span | None:
        """
        The words (indices in the document, both inclusive) that a slice covers, in whole or in part;
        `None` if it covers none.
        """
        inside = trimmed(self._text, place)
        if inside is None:
            return None
        first = bisect_right(self._ends, inside[0])
        last = bisect_left(self._begins, inside[1]) - 1
        return (first, last) if first <= last else None

    def whole_words(self, place: CharacterSlice) -> Span | None:
        """The words that a slice covers in whole."""
        first = bisect_left(self._begins, place[0])
        last = bisect_right(self._ends, place[1]) - 1
        return (first, last) if first <= last else None
