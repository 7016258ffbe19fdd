"""Annotated characters as words."""

import argparse
import re
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hmtl.errors import DataError
from hmtl.formats.spacy_text import load_pipeline, sentence_places
from hmtl.importing import tokenization
from hmtl.importing.tally import Tally
from hmtl.importing.tokenization import WordIndex, cut, trimmed

KINDS = [("spacy", "spacy"), ("spacy", "lines"), ("whitespace", "spacy"), ("whitespace", "lines")]


@cache
def segmenter(tokens: str, sentences: str, *others: str) -> tokenization.Segmenter:
    parser = argparse.ArgumentParser()
    tokenization.add_arguments(parser)
    options = ["--tokens", tokens, "--sentences", sentences, *others]
    return tokenization.segmenter(parser.parse_args(options))


TEXTS = st.text("ab'. -,\n\u00a0é\U0001f600", max_size=40)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60)
@given(TEXTS, st.data())
def test_every_annotation_is_a_span_of_whole_words(
    kind: tuple[str, str], text: str, data: st.DataObject
) -> None:
    edge = st.integers(0, len(text))
    edges = data.draw(st.lists(st.tuples(edge, edge), max_size=4))
    slices = [(min(pair), max(pair)) for pair in edges]
    sentences = cut(text, segmenter(*kind), slices, Tally())
    index = WordIndex(text, sentences)
    offsets = [place for sentence in sentences for place in sentence.offsets or ()]
    sentence_of = [number for number, sentence in enumerate(sentences) for _ in sentence.words]
    for place in slices:
        inside, span = trimmed(text, place), index.span(place)
        assert (inside is None) == (span is None)
        if inside is not None and span is not None:
            assert (offsets[span[0]][0], offsets[span[1]][1]) == inside
            assert sentence_of[span[0]] == sentence_of[span[1]]


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60)
@given(TEXTS)
def test_words_cover_all_but_the_blanks(kind: tuple[str, str], text: str) -> None:
    sentences = cut(text, segmenter(*kind), [], Tally())
    words = [word for sentence in sentences for word in sentence.words]
    assert "".join("".join(words).split()) == "".join(text.split())
    for sentence in sentences:
        assert sentence.words == [text[begin:end] for begin, end in sentence.offsets or ()]


PIPELINE = load_pipeline()
MARKS = st.lists(
    st.sampled_from(["a", "St.", "don't", "x.", "!", '"', ")", ":-)", " ", "  ", "\n"])
)


@settings(max_examples=100)
@given(MARKS.map("".join))
def test_stretches_cut_once_are_what_spacy_finds(text: str) -> None:
    pipeline = PIPELINE
    found = []
    # Paragraphs are texts of their own.
    for match in re.finditer(r".+?(?=\n\s*?\n|\Z)", text, re.DOTALL):
        for words in sentence_places(pipeline(match[0])):
            found.append([(begin + match.start(), end + match.start()) for begin, end in words])
    assert segmenter("spacy", "spacy")(text) == found


def test_words_split_and_sentences_joined_are_counted() -> None:
    tally = Tally()
    text = "Near St. Selby they met.\n"
    # spaCy's rules end no sentence at `St.`; whitespace words leave the full stop at the end.
    sentences = cut("One two.\n\nThree.", segmenter("spacy", "spacy"), [(4, 13)], tally)
    assert [sentence.words for sentence in sentences] == [["One", "two", ".", "Thr", "ee", "."]]
    assert sum(tally.num_changed.values()) == 2
    sentences = cut(text, segmenter("whitespace", "lines"), [(5, 14), (20, 23)], tally)
    assert sentences[0].words == ["Near", "St.", "Selby", "they", "met", "."]


def test_lines_given_as_sentences_are_not_joined() -> None:
    sentences = cut("a b\nc", segmenter("whitespace", "lines"), [(2, 5)], Tally(), join=False)
    assert [sentence.words for sentence in sentences] == [["a", "b"], ["c"]]


def test_blank_line_ends_a_sentence() -> None:
    sentences = cut("A title\n\nIt goes on\nhere", segmenter("spacy", "spacy"), [], Tally())
    assert [sentence.words for sentence in sentences] == [
        ["A", "title"],
        ["It", "goes", "on", "here"],
    ]


def test_pipeline_that_is_not_installed_is_an_error() -> None:
    with pytest.raises(DataError, match="'no_such_pipeline' cannot be loaded"):
        segmenter("spacy", "spacy", "--spacy-model", "no_such_pipeline")


def test_language_that_spacy_lacks_is_an_error() -> None:
    with pytest.raises(DataError, match="spaCy has no rules for the language 'qq'"):
        segmenter("spacy", "spacy", "--language", "qq")
