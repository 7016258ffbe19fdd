from collections import Counter

import pytest
from allennlp.data import Instance, Token
from allennlp.data.fields import LabelField, MetadataField, SequenceLabelField, TextField
from allennlp.data.token_indexers import SingleIdTokenIndexer, TokenCharactersIndexer
from hypothesis import given
from hypothesis import strategies as st

from hmtl.checking.example import example_of, spans_of_tags
from hmtl.data.readers.coref import CorefReader
from hmtl.data.readers.mention_ace import MentionAceReader
from hmtl.data.readers.relation_ace import RelationAceReader
from hmtl.formats.annotated import Relation
from hmtl.formats.tags import spans_to_tags

WORDS = ["Ann", "Lee", "met", "Bob", "."]


def text_of(words: list[str], lowercase: bool = True) -> TextField:
    indexers = {
        "token_characters": TokenCharactersIndexer(min_padding_length=1),
        "tokens": SingleIdTokenIndexer(lowercase_tokens=lowercase),
    }
    return TextField([Token(word) for word in words], indexers)


def test_tagged_sentence_has_spans_labels_and_what_the_vocabulary_counts() -> None:
    reader = MentionAceReader()
    instance = reader.text_to_instance(
        WORDS, [("PER", (0, 1)), ("PER", (3, 3))], "a.like_conll:7", "doc"
    )
    instance["text"].token_indexers = text_of([]).token_indexers  # type: ignore[attr-defined]
    example = example_of(instance)
    assert example.words == WORDS
    assert example.sentences == [(0, 4)] and not example.whole_document
    assert example.spans == [("PER", (0, 1)), ("PER", (3, 3))]
    assert example.labels == Counter(PER=2)
    assert example.relations is None and example.clusters is None
    assert example.vocabulary_labels == {
        "ace_mention_labels": {"B-PER": 1, "L-PER": 1, "U-PER": 1, "O": 2}
    }
    assert example.vocabulary_words == {"tokens": dict.fromkeys(map(str.lower, WORDS), 1)}
    assert example.document == ("doc", 0)
    assert (example.source, example.file) == ("a.like_conll:7", "a.like_conll")
    assert example.annotated


def test_words_are_counted_as_they_are_where_the_config_keeps_their_case() -> None:
    example = example_of(Instance({"text": text_of(WORDS, lowercase=False)}))
    assert example.vocabulary_words == {"tokens": dict.fromkeys(WORDS, 1)}


def test_sentence_with_relations_has_them_and_the_mentions_beside() -> None:
    reader = RelationAceReader()
    mentions = [("PER", (0, 1)), ("PER", (3, 3))]
    instance = reader.text_to_instance(WORDS, [(1, 3, "PER-SOC")], "a:1", mentions, "doc")
    reader.apply_token_indexers(instance)
    example = example_of(instance)
    assert example.spans is None
    assert example.mentions == mentions
    assert example.relations == [Relation("PER-SOC", (1, 1), (3, 3))]
    assert example.labels == Counter({"PER-SOC": 1})


@pytest.mark.parametrize("max_span_width", [2, 3, 10])
def test_document_has_its_sentences_back(max_span_width: int) -> None:
    reader = CorefReader(max_span_width)
    sentences = [["a", "b", "c"], ["d"], ["e", "f"], ["g"]]
    instance = reader.text_to_instance(sentences, [[(0, 2), (4, 5)]], "doc", 1, "a:1")
    reader.apply_token_indexers(instance)
    example = example_of(instance)
    assert example.whole_document
    assert example.sentences == [(0, 2), (3, 3), (4, 5), (6, 6)]
    assert example.num_sentences == 4
    assert example.clusters == [[(0, 2), (4, 5)]]
    assert example.document == ("doc", 1)


def test_sentences_that_candidates_do_not_tell_are_counted_all_the_same() -> None:
    reader = CorefReader(1)
    instance = reader.text_to_instance([["a", "b"], ["c"]], [])
    reader.apply_token_indexers(instance)
    example = example_of(instance)
    assert (example.num_sentences, example.sentences) == (2, [])
    assert not example.annotated


def test_mention_is_too_wide_from_one_token_more_than_the_widest_candidate() -> None:
    reader = CorefReader(2)
    instance = reader.text_to_instance([["a", "b", "c"]], [[(0, 1), (0, 2)]])
    reader.apply_token_indexers(instance)
    example = example_of(instance)
    assert not example.is_too_wide((0, 1)) and example.is_too_wide((0, 2))


def test_class_of_a_text_is_its_label() -> None:
    instance = Instance({"sentence": text_of(WORDS), "label": LabelField("news")})
    example = example_of(instance)
    assert example.labels == Counter(news=1)
    assert example.spans is None and example.document is None and example.source == ""


def test_instance_without_a_text_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no TextField; it has the fields \['metadata'\]"):
        example_of(Instance({"metadata": MetadataField({})}))


# Tags


@given(st.lists(st.sampled_from(["PER", "GPE", ""]), max_size=8), st.data())
def test_spans_of_tags_are_those_that_the_tags_were_made_from(
    labels: list[str], data: st.DataObject
) -> None:
    spans, start = [], 0
    for label in labels:
        width = data.draw(st.integers(1, 3))
        if label:
            spans.append((label, (start, start + width - 1)))
        start += width
    for scheme in ("IOB1", "BIO", "BIOUL"):
        assert spans_of_tags(spans_to_tags(spans, start, scheme)) == spans
    bioul = spans_to_tags(spans, start, "BIOUL")
    bioes = [{"L": "E", "U": "S"}.get(tag[0], tag[0]) + tag[1:] for tag in bioul]
    assert spans_of_tags(bioes) == spans


def test_tags_of_no_scheme_are_labels_of_their_tokens() -> None:
    assert spans_of_tags(["NNP", "VBD"]) == [("NNP", (0, 0)), ("VBD", (1, 1))]


def test_labels_of_something_else_than_tokens_are_no_tags() -> None:
    text = text_of(WORDS)
    other = text_of(["one"])
    instance = Instance({"text": text, "of_other": SequenceLabelField(["X"], other)})
    assert example_of(instance).spans is None
