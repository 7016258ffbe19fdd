"""Texts as sentences of tokens, each with its place in the text; spaCy's or the user's own."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hmtl.errors import DataError
from hmtl.prediction.results import Range, Sentence, Token

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc

# The pipeline that needs no download: rules split words, and sentences at punctuation.
BLANK_LANGUAGE = "en"
SENTENCE_SPLITTER = "sentencizer"
# White space with so many line breaks ends a paragraph, and with it a sentence.
BREAKS_OF_A_BLANK_LINE = 2
REPLACEMENT_CHARACTER = "\N{REPLACEMENT CHARACTER}"
FIRST_SURROGATE, LAST_SURROGATE = "\ud800", "\udfff"


@dataclass(frozen=True)
class TokenizedText:
    """
    # Parameters

    text : `str`
    tokens : `list[Token]`
        None of them empty or, in a text that spaCy tokenized, nothing but white space.
    sentences : `list[Sentence]`
        In order, none empty; each token is in one.
    noun_chunks : `list[tuple[int, int]]`, optional (default = `None`)
        First and last token of each base noun phrase, where a parser found them.
    """

    text: str
    tokens: list[Token]
    sentences: list[Sentence]
    noun_chunks: list[Range] | None = None

    @property
    def words(self) -> list[list[str]]:
        """The words of each sentence."""
        return [
            [token.text for token in self.tokens[sentence.begin_token : sentence.end_token + 1]]
            for sentence in self.sentences
        ]


def load_pipeline(name: str | None = None) -> Language:
    """
    A spaCy pipeline that splits texts into tokens and sentences.

    # Parameters

    name : `str`, optional (default = `None`)
        An installed pipeline, as `"en_core_web_sm"`, or the path of one. Without a name: a blank English
        one with spaCy's `sentencizer`, for texts of any length.

    # Raises

    DataError
        When there is no such pipeline.
    """
    import spacy

    if name is None:
        pipeline = spacy.blank(BLANK_LANGUAGE)
        pipeline.add_pipe(SENTENCE_SPLITTER)
        # spaCy's limit is there for its parser and its own recognizer of names.
        pipeline.max_length = sys.maxsize
        return pipeline
    try:
        return spacy.load(name)
    except (OSError, ValueError) as error:
        raise DataError(
            f"the spaCy pipeline {name!r} cannot be loaded: {error} Give the name of an installed pipeline "
            "or the path of one, or none for the blank English one."
        ) from error


def without_surrogates(text: str) -> str:
    """
    The text with U+FFFD for each lone surrogate, which JSON can hold but neither UTF-8 nor spaCy: all places
    stay as they are.
    """
    if not any(FIRST_SURROGATE <= character <= LAST_SURROGATE for character in text):
        return text
    return "".join(
        REPLACEMENT_CHARACTER if FIRST_SURROGATE <= character <= LAST_SURROGATE else character
        for character in text
    )


def read_doc(doc: Doc) -> TokenizedText:
    """
    What the model reads of a spaCy document: its tokens but for white space, which no corpus has as tokens,
    and its sentences, which a blank line ends too. A document without sentences is split by spaCy's
    `sentencizer`, and is not changed.

    # Raises

    TypeError
        When it is none.
    """
    from spacy.tokens import Doc

    if not isinstance(doc, Doc):
        raise TypeError(f"{doc!r:.60} is {type(doc).__name__}; expected a spaCy Doc")
    tokens: list[Token] = []
    # Of each token the number of its sentence.
    sentence_of: list[int] = []
    # For each token of spaCy's, how many of ours are before it.
    before: list[int] = []
    sentence = 0
    for token, starts in zip(doc, _sentence_starts(doc)):
        before.append(len(tokens))
        sentence += starts
        if not token.is_space:
            tokens.append(Token(token.text, token.idx, token.idx + len(token)))
            sentence_of.append(sentence)
        elif token.text.count("\n") >= BREAKS_OF_A_BLANK_LINE:
            sentence += 1
    before.append(len(tokens))
    return TokenizedText(doc.text, tokens, _sentences(sentence_of), _noun_chunks(doc, before))


def join_tokens(sentences: Sequence[Sequence[str]]) -> TokenizedText:
    """
    The text made of given tokens, with a space between two and a line break between two sentences.

    # Raises

    TypeError
        When a string stands where a list should, or something else where a token should.
    ValueError
        When a token is empty.
    """
    if isinstance(sentences, (str, bytes)):
        raise TypeError(f"a document is {sentences!r:.60}; expected a list of sentences of tokens")
    tokens: list[Token] = []
    sentence_of: list[int] = []
    lines: list[str] = []
    offset = 0
    for number, sentence in enumerate(sentences):
        if isinstance(sentence, (str, bytes)) or not all(
            isinstance(word, str) for word in sentence
        ):
            raise TypeError(
                f"sentence {number + 1} of a document is {sentence!r:.60}; expected a list of tokens, each a "
                "str"
            )
        words = [without_surrogates(word) for word in sentence]
        for word in words:
            if not word:
                raise ValueError(f"an empty token in sentence {number + 1}: {words!r:.100}")
            tokens.append(Token(word, offset, offset + len(word)))
            sentence_of.append(number)
            offset += len(word) + 1
        if words:
            lines.append(" ".join(words))
    return TokenizedText("\n".join(lines), tokens, _sentences(sentence_of))


def _sentences(sentence_of: Sequence[int]) -> list[Sentence]:
    """From the number of each token's sentence."""
    sentences: list[Sentence] = []
    first = 0
    for index, number in enumerate(sentence_of):
        if index + 1 == len(sentence_of) or sentence_of[index + 1] != number:
            sentences.append(Sentence(first, index))
            first = index + 1
    return sentences


def _sentence_starts(doc: Doc) -> list[bool]:
    """For each of spaCy's tokens whether a sentence begins there."""
    if doc.has_annotation("SENT_START"):
        return [bool(token.is_sent_start) for token in doc]
    from spacy.pipeline import Sentencizer

    (starts,) = Sentencizer().predict([doc]) if len(doc) else ([],)
    return starts


def _noun_chunks(doc: Doc, before: Sequence[int]) -> list[Range] | None:
    if not doc.has_annotation("DEP"):
        return None
    try:
        spans = [(before[chunk.start], before[chunk.end] - 1) for chunk in doc.noun_chunks]
    except NotImplementedError:
        # spaCy has no rules for noun chunks in this language.
        return None
    return [(first, last) for first, last in spans if first <= last]
