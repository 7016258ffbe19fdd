"""Texts as sentences of words, each with its place in the text: by spaCy, or given as tokens."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING

from hmtl.errors import DataError
from hmtl.formats.annotated import CharacterSlice, Document, Sentence, with_text
from hmtl.formats.brackets import Span

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc, Token

LANGUAGE = "en"
# The part of a pipeline that needs no download: it ends sentences at punctuation.
SENTENCE_SPLITTER = "sentencizer"
# White space with so many line breaks ends a paragraph, and with it a sentence.
BREAKS_OF_A_BLANK_LINE = 2
_SURROGATE = re.compile("[\ud800-\udfff]")


def load_pipeline(
    name: str | None = None, language: str = LANGUAGE, exclude: Sequence[str] = ()
) -> Language:
    """
    A spaCy pipeline that splits texts into tokens and sentences.

    # Parameters

    name : `str`, optional (default = `None`)
        An installed pipeline, as `"en_core_web_sm"`, or the path of one. Without a name: spaCy's rules for
        the language with its `sentencizer`, for texts of any length.
    language : `str`, optional (default = `"en"`)
    exclude : `Sequence[str]`, optional (default = `()`)
        Parts of a named pipeline that are not loaded.

    # Raises

    DataError
        When there is no such pipeline or language.
    """
    import spacy

    if name is None:
        try:
            pipeline = spacy.blank(language)
        except ImportError as error:
            raise DataError(f"spaCy has no rules for the language {language!r}") from error
        pipeline.add_pipe(SENTENCE_SPLITTER)
        # spaCy's limit is there for its parser and its own recognizer of names.
        pipeline.max_length = sys.maxsize
        return pipeline
    try:
        return spacy.load(name, exclude=exclude)
    except (OSError, ValueError) as error:
        raise DataError(
            f"the spaCy pipeline {name!r} cannot be loaded: {error} Give the name of an installed pipeline "
            "(`python -m spacy download NAME` installs one) or the path of one, or none for spaCy's rules "
            "alone."
        ) from error


def without_surrogates(text: str) -> str:
    """
    The text with U+FFFD for each lone surrogate, which JSON can hold but neither UTF-8 nor spaCy: all places
    stay as they are.
    """
    return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)


def read_doc(doc: Doc) -> Document:
    """
    What a spaCy document says of its text: its tokens but for white space, which no corpus has as tokens, and
    its sentences, which a blank line ends too. A document without sentences is split by spaCy's
    `sentencizer`, and is not changed.

    # Raises

    TypeError
        When it is none.
    """
    from spacy.tokens import Doc

    if not isinstance(doc, Doc):
        raise TypeError(f"{doc!r:.60} is {type(doc).__name__}; expected a spaCy Doc")
    text: str = doc.text
    sentences = [
        Sentence([text[begin:end] for begin, end in places], places)
        for places in sentence_places(doc)
    ]
    return Document("", sentences, text=text, noun_chunks=_noun_chunks(doc))


def word_places(words: Iterable[Token]) -> list[CharacterSlice]:
    """The places of tokens in the text, white space left out."""
    return [(token.idx, token.idx + len(token)) for token in words if not token.is_space]


def sentence_places(doc: Doc) -> list[list[CharacterSlice]]:
    """For each sentence, as `read_doc` finds them, the places of its tokens; none is empty."""
    sentences: list[list[Token]] = [[]]
    for token, starts in zip(doc, _sentence_starts(doc)):
        if starts:
            sentences.append([])
        sentences[-1].append(token)
        if token.is_space and token.text.count("\n") >= BREAKS_OF_A_BLANK_LINE:
            sentences.append([])
    return [places for places in map(word_places, sentences) if places]


def join_tokens(sentences: Sequence[Sequence[str]]) -> Document:
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
    found = []
    for number, sentence in enumerate(sentences, start=1):
        if isinstance(sentence, (str, bytes)) or not all(
            isinstance(word, str) for word in sentence
        ):
            raise TypeError(
                f"sentence {number} of a document is {sentence!r:.60}; expected a list of tokens, each a str"
            )
        words = [without_surrogates(word) for word in sentence]
        if not all(words):
            raise ValueError(f"an empty token in sentence {number}: {words!r:.100}")
        if words:
            found.append(Sentence(words))
    document = with_text(Document("", found))
    return replace(document, text=(document.text or "").removesuffix("\n"))


def _sentence_starts(doc: Doc) -> list[bool]:
    """For each of spaCy's tokens whether a sentence begins there."""
    if doc.has_annotation("SENT_START"):
        return [bool(token.is_sent_start) for token in doc]
    from spacy.pipeline import Sentencizer

    (starts,) = Sentencizer().predict([doc]) if len(doc) else ([],)
    return starts


def _noun_chunks(doc: Doc) -> list[Span] | None:
    if not doc.has_annotation("DEP"):
        return None
    # For each token of spaCy's, how many of ours are before it.
    before = list(accumulate((not token.is_space for token in doc), initial=0))
    try:
        spans = [(before[chunk.start], before[chunk.end] - 1) for chunk in doc.noun_chunks]
    except NotImplementedError:
        # spaCy has no rules for noun chunks in this language.
        return None
    return [(first, last) for first, last in spans if first <= last]
