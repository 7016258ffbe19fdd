import logging
from typing import Any

import pytest
from allennlp.data import Instance, Token, Vocabulary
from allennlp.data.fields import (
    Field,
    LabelField,
    ListField,
    MultiLabelField,
    SequenceLabelField,
    TextField,
)
from allennlp.data.token_indexers import SingleIdTokenIndexer

from hmtl.data.readers.ner_ontonotes import NerOntonotesReader
from hmtl.data.readers.relation_ace import RelationAceReader
from hmtl.data.readers.unseen_labels import apply_unseen_label_rule
from hmtl.errors import DataError

WORDS = ["Ann", "in", "Oslo"]


def sentence(*names: tuple[str, tuple[int, int]], source: str = "a_conll:7") -> Instance:
    reader = NerOntonotesReader(coding_scheme="BIOUL")
    instance = reader.text_to_instance(WORDS, list(names), source)
    reader.apply_token_indexers(instance)
    return instance


def related(*relations: tuple[int, int, str]) -> Instance:
    reader = RelationAceReader()
    instance = reader.text_to_instance(WORDS, list(relations), "b.like_conll:3")
    reader.apply_token_indexers(instance)
    return instance


@pytest.fixture
def vocab() -> Vocabulary:
    training = [sentence(("PERSON", (0, 0))), related((0, 2, "PHYS"))]
    return Vocabulary.from_instances(training)


def labels(instance: Instance) -> Any:
    return instance["tags"].labels  # type: ignore[attr-defined]


@pytest.mark.parametrize("rule", ["error", "miss"])
def test_known_labels_stay_as_they_are(vocab: Vocabulary, rule: str) -> None:
    instance = sentence(("PERSON", (2, 2)))
    apply_unseen_label_rule([instance], vocab, rule, "test data")
    assert labels(instance) == ["O", "O", "U-PERSON"]


def test_unseen_tag_is_an_error_that_names_file_and_line(vocab: Vocabulary) -> None:
    # SPEC 8.4: in the reference a KeyError after a whole epoch.
    with pytest.raises(
        DataError, match=r"^a_conll:7: the label 'U-GPE' in the test data .*unseen_labels: 'miss'"
    ):
        apply_unseen_label_rule([sentence(("GPE", (2, 2)))], vocab, "error", "test data")


def test_unseen_relation_is_an_error_that_names_file_and_line(vocab: Vocabulary) -> None:
    with pytest.raises(DataError, match=r"^b\.like_conll:3: the label 'ART' in the test data"):
        apply_unseen_label_rule([related((0, 2, "ART"))], vocab, "error", "test data")


def test_unseen_tag_can_be_scored_as_a_miss(
    vocab: Vocabulary, caplog: pytest.LogCaptureFixture
) -> None:
    instance = sentence(("PERSON", (0, 0)), ("GPE", (2, 2)))
    with caplog.at_level(logging.WARNING):
        apply_unseen_label_rule([instance], vocab, "miss", "test data")
    assert labels(instance) == ["U-PERSON", "O", "O"]
    # The metric counts what the metadata say.
    assert instance["metadata"]["tags"] == ["U-PERSON", "O", "U-GPE"]  # type: ignore[index]
    (message,) = caplog.messages
    assert message == "test data: labels never seen in training count as misses: {'U-GPE': 1}"
    instance.index_fields(vocab)


def test_unseen_relation_can_be_scored_as_a_miss(vocab: Vocabulary) -> None:
    instance = related((0, 2, "ART"), (2, 0, "PHYS"))
    apply_unseen_label_rule([instance], vocab, "miss", "test data")
    assert instance["relations"].pairs == [(2, 0, "PHYS")]  # type: ignore[attr-defined]
    assert len(instance["metadata"]["relations"]) == 2  # type: ignore[index]
    instance.index_fields(vocab)


def test_namespace_that_is_new_altogether_is_unseen(vocab: Vocabulary) -> None:
    instance = Instance({"label": LabelField("good", "toy_labels")})
    with pytest.raises(DataError, match="^the label 'good' in the dev data"):
        apply_unseen_label_rule([instance], vocab, "error", "dev data")


def test_unseen_label_of_a_text_can_be_scored_as_a_miss() -> None:
    training = Instance({"label": LabelField("good"), "labels": MultiLabelField(["good", "bad"])})
    vocab = Vocabulary.from_instances([training])
    instance = Instance({"label": LabelField("new"), "labels": MultiLabelField(["new", "bad"])})
    apply_unseen_label_rule([instance], vocab, "miss", "dev data")
    instance.index_fields(vocab)
    tensors = instance.as_tensor_dict()
    # What torch's cross-entropy passes over.
    assert tensors["label"] == -100
    assert tensors["labels"].tolist() == [0, 1]


def test_field_that_cannot_do_without_its_label_is_an_error(vocab: Vocabulary) -> None:
    instance = Instance({"all": ListField([LabelField("good", "toy_labels")])})
    with pytest.raises(DataError, match="does not know fields of type ListField"):
        apply_unseen_label_rule([instance], vocab, "miss", "dev data")


def test_words_and_numbers_are_no_labels(vocab: Vocabulary) -> None:
    indexers: dict = {"tokens": SingleIdTokenIndexer()}
    text = TextField([Token("unheard-of")], indexers)
    texts: list[Field] = [text, TextField([Token("as-well")], indexers)]
    fields: dict[str, Field] = {
        "text": text,
        "texts": ListField(texts),
        "clusters": SequenceLabelField([3], text),
    }
    apply_unseen_label_rule([Instance(fields)], vocab, "error", "test data")
