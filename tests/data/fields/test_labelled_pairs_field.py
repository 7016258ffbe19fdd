from typing import Any

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Batch, Instance, Token, Vocabulary
from allennlp.data.fields import ListField, TextField

from hmtl.data.fields.labelled_pairs_field import LabelledPairsField

TEXT = TextField([Token(word) for word in "a b c".split()], {})
VOCABULARY = Vocabulary(non_padded_namespaces=["relation_ace_labels"])
PHYS, ART = (VOCABULARY.add_token_to_namespace(x, "relation_ace_labels") for x in ("PHYS", "ART"))


def indexed(*relations: tuple[int, int, str]) -> LabelledPairsField:
    field = LabelledPairsField(relations, TEXT, "relation_ace_labels")
    field.index(VOCABULARY)
    return field


def test_labels_are_counted_in_their_namespace() -> None:
    field = LabelledPairsField([(0, 1, "PHYS"), (1, 0, "PHYS"), (0, 2, "ART")], TEXT, "types")
    vocab = Vocabulary.from_instances([Instance({"relations": field})])
    assert vocab.get_vocab_size("types") == 4
    assert {"PHYS", "ART"} < set(vocab.get_token_to_index_vocabulary("types"))


def test_a_pair_is_a_row() -> None:
    field = indexed((0, 1, "PHYS"), (0, 1, "ART"), (2, 2, "ART"))
    tensor = field.as_tensor(field.get_padding_lengths())
    assert tensor.dtype == torch.long
    assert tensor.tolist() == [[0, 1, PHYS], [0, 1, ART], [2, 2, ART]]


def test_padding_is_rows_of_minus_one() -> None:
    instances = [Instance({"r": indexed((0, 1, "PHYS"))}), Instance({"r": indexed()})]
    tensors: dict[str, Any] = Batch(instances).as_tensor_dict()
    assert tensors["r"].tolist() == [[[0, 1, PHYS]], [[-1, -1, -1]]]


def test_batch_without_pairs_has_no_rows() -> None:
    instances = [Instance({"r": indexed()}), Instance({"r": indexed()})]
    tensors: dict[str, Any] = Batch(instances).as_tensor_dict()
    assert tensors["r"].shape == (2, 0, 3)


def test_field_may_stand_in_list_field() -> None:
    field = ListField([indexed((0, 1, "PHYS")), indexed()])
    lengths = {**field.get_padding_lengths(), "num_fields": 3}
    assert field.as_tensor(lengths).shape == (3, 1, 3)


def test_field_without_labels_keeps_the_others() -> None:
    field = indexed((0, 1, "PHYS"), (0, 2, "ART")).without(["PHYS"])
    field.index(VOCABULARY)
    assert field.as_tensor({"num_pairs": 1}).tolist() == [[0, 2, ART]]


def test_field_must_be_indexed_before_it_is_a_tensor() -> None:
    with pytest.raises(ConfigurationError, match="index"):
        LabelledPairsField([], TEXT, "types").as_tensor({"num_pairs": 0})


@pytest.mark.parametrize("relation", [(0, 3, "PHYS"), (-1, 0, "PHYS")])
def test_tokens_outside_the_sequence_are_refused(relation: tuple) -> None:
    with pytest.raises(ConfigurationError, match="lies outside the sequence of 3 tokens"):
        LabelledPairsField([relation], TEXT, "types")


def test_field_has_a_length_and_a_text() -> None:
    field = LabelledPairsField([(0, 1, "PHYS")], TEXT, "types")
    assert len(field) == 1
    assert "(0, 1, 'PHYS')" in str(field)
    assert field.human_readable_repr() == [(0, 1, "PHYS")]
