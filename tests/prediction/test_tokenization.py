"""Texts as sentences of tokens: nothing is lost but white space, and all places are exact."""

import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc

from hmtl.errors import DataError
from hmtl.prediction.results import Sentence, Token
from hmtl.prediction.tokenization import (
    TokenizedText,
    join_tokens,
    load_pipeline,
    read_doc,
    without_surrogates,
)

PIPELINE = load_pipeline()


def sentence_texts(text: str) -> list[str]:
    read = read_doc(PIPELINE(text))
    return [" ".join(words) for words in read.words]


def check_sentences_partition_tokens(read: TokenizedText) -> None:
    covered = [
        index
        for sentence in read.sentences
        for index in range(sentence.begin_token, sentence.end_token + 1)
    ]
    assert covered == list(range(len(read.tokens)))


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=80))
def test_tokens_hold_all_of_a_text_but_white_space(text: str) -> None:
    read = read_doc(PIPELINE(text))
    assert read.text == text
    for token in read.tokens:
        assert token.text == text[token.begin_char : token.end_char]
        assert token.text.strip()
    begins = [token.begin_char for token in read.tokens]
    assert begins == sorted(begins)
    assert "".join("".join(token.text for token in read.tokens).split()) == "".join(text.split())
    check_sentences_partition_tokens(read)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(st.text(min_size=1, max_size=5), max_size=4), max_size=4))
def test_joined_tokens_stand_where_they_are_said_to(sentences: list[list[str]]) -> None:
    read = join_tokens(sentences)
    assert read.words == [words for words in sentences if words]
    for token in read.tokens:
        assert read.text[token.begin_char : token.end_char] == token.text
    check_sentences_partition_tokens(read)


def test_joined_tokens_have_a_space_between_and_sentences_a_line_break() -> None:
    assert join_tokens([["Ann", "met"], [], ["It"]]) == TokenizedText(
        "Ann met\nIt",
        [Token("Ann", 0, 3), Token("met", 4, 7), Token("It", 8, 10)],
        [Sentence(0, 1), Sentence(2, 2)],
    )


def test_places_count_characters_not_bytes() -> None:
    text = "😀 Zoë\tmet 👩\u200d👩\u200d👧.\r\nIt"
    tokens = read_doc(PIPELINE(text)).tokens
    assert Token("Zoë", 2, 5) in tokens
    assert Token("It", 18, 20) in tokens
    assert text[18:20] == "It"


def test_a_blank_line_ends_a_sentence() -> None:
    assert sentence_texts("A heading\n\nAnn met Bob\nin Oslo. It rained.") == [
        "A heading",
        "Ann met Bob in Oslo .",
        "It rained .",
    ]


def test_white_space_between_sentences_makes_none() -> None:
    assert sentence_texts(" Ann left.  \n\n \n\n It rained. \n") == ["Ann left .", "It rained ."]


def test_lone_surrogates_are_replaced_in_place() -> None:
    assert without_surrogates("a\ud800b\udfffc😀") == "a\ufffdb\ufffdc😀"


def test_the_blank_pipeline_takes_texts_longer_than_those_of_spacy() -> None:
    text = "Ann met Bob. " * 100_000
    assert len(text) > spacy.blank("en").max_length
    assert len(PIPELINE.make_doc(text)) == 400_000


def test_a_document_without_sentences_is_split_and_left_as_it_is() -> None:
    doc = spacy.blank("en")("Ann left. It rained.")
    assert [len(words) for words in read_doc(doc).words] == [3, 3]
    assert not doc.has_annotation("SENT_START")


def test_noun_chunks_of_a_parser_are_counted_in_our_tokens() -> None:
    vocab = spacy.blank("en").vocab
    doc = Doc(
        vocab,
        words=["\n", "the", "old", "man", "sleeps"],
        spaces=[False, True, True, True, False],
        pos=["SPACE", "DET", "ADJ", "NOUN", "VERB"],
        deps=["dep", "det", "amod", "nsubj", "ROOT"],
        heads=[4, 3, 3, 4, 4],
    )
    assert read_doc(doc).noun_chunks == [(0, 2)]


def test_without_a_parser_there_are_no_noun_chunks() -> None:
    assert read_doc(PIPELINE("The old man sleeps.")).noun_chunks is None


def test_a_pipeline_that_is_not_there_is_an_error_that_names_it() -> None:
    with pytest.raises(DataError, match="'no_such_pipeline' cannot be loaded"):
        load_pipeline("no_such_pipeline")


def test_a_saved_pipeline_may_be_given_by_its_path(tmp_path) -> None:
    german = spacy.blank("de")
    german.to_disk(tmp_path / "german")
    assert load_pipeline(str(tmp_path / "german")).lang == "de"
