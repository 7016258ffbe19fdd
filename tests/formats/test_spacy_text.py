"""Texts as sentences of tokens: nothing is lost but white space, and all places are exact."""

import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc

from hmtl.errors import DataError
from hmtl.formats.annotated import Document, Sentence
from hmtl.formats.spacy_text import join_tokens, load_pipeline, read_doc, without_surrogates

PIPELINE = load_pipeline()


def sentence_texts(text: str) -> list[str]:
    return [" ".join(sentence.words) for sentence in read_doc(PIPELINE(text)).sentences]


def check_words_stand_where_they_are_said_to(read: Document) -> None:
    assert read.text is not None
    for sentence in read.sentences:
        assert sentence.words and sentence.offsets is not None
        assert sentence.words == [read.text[begin:end] for begin, end in sentence.offsets]


@settings(max_examples=100)
@given(st.text(max_size=80))
def test_tokens_hold_all_of_a_text_but_white_space(text: str) -> None:
    read = read_doc(PIPELINE(text))
    assert read.text == text
    check_words_stand_where_they_are_said_to(read)
    assert all(word.strip() for word in read.words)
    assert read.offsets() == sorted(read.offsets() or ())
    assert "".join("".join(read.words).split()) == "".join(text.split())


@settings(max_examples=100)
@given(st.lists(st.lists(st.text(min_size=1, max_size=5), max_size=4), max_size=4))
def test_joined_tokens_stand_where_they_are_said_to(sentences: list[list[str]]) -> None:
    read = join_tokens(sentences)
    assert [sentence.words for sentence in read.sentences] == [
        words for words in sentences if words
    ]
    check_words_stand_where_they_are_said_to(read)


def test_joined_tokens_have_a_space_between_and_sentences_a_line_break() -> None:
    assert join_tokens([["Ann", "met"], [], ["It"]]) == Document(
        "",
        [Sentence(["Ann", "met"], [(0, 3), (4, 7)]), Sentence(["It"], [(8, 10)])],
        text="Ann met\nIt",
    )


def test_places_count_characters_not_bytes() -> None:
    text = "😀 Zoë\tmet 👩\u200d👩\u200d👧.\r\nIt"
    offsets = read_doc(PIPELINE(text)).offsets()
    assert offsets is not None
    assert (2, 5) in offsets and (18, 20) in offsets
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
    assert list(map(len, read_doc(doc).sentences)) == [3, 3]
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
