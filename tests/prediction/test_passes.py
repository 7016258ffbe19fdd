"""How texts are cut into pieces and parts."""

from hypothesis import given
from hypothesis import strategies as st

from hmtl.prediction.passes import parts_of, pieces_of

limits = st.integers(min_value=1, max_value=60)
documents = st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=9), max_size=8)


@given(st.lists(st.sampled_from("abc"), max_size=20), limits)
def test_pieces_are_the_sentence(sentence: list[str], most: int) -> None:
    pieces = pieces_of(sentence, most)
    assert [word for _, piece in pieces for word in piece] == sentence
    for first, piece in pieces:
        assert 0 < len(piece) <= most
        assert sentence[first : first + len(piece)] == piece


@given(documents, limits)
def test_parts_are_the_document(sentences: list[list[str]], most: int) -> None:
    words = [word for sentence in sentences for word in sentence]
    parts = parts_of(sentences, most)
    assert [word for _, part in parts for sentence in part for word in sentence] == words
    for first, part in parts:
        flat = [word for sentence in part for word in sentence]
        assert 0 < len(flat) <= most
        assert words[first : first + len(flat)] == flat


def test_a_document_is_cut_between_sentences() -> None:
    parts = parts_of([["a", "b"], ["c", "d"], ["e"], ["f", "g", "h", "i"]], most_tokens=3)
    assert parts == [
        (0, [["a", "b"]]),
        (2, [["c", "d"], ["e"]]),
        (5, [["f", "g", "h"]]),
        (8, [["i"]]),
    ]


def test_a_document_within_the_limit_is_one_part() -> None:
    sentences = [["a", "b"], ["c"]]
    assert parts_of(sentences, most_tokens=3) == [(0, sentences)]
