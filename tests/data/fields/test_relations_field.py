from typing import Any

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Batch, Instance, Token, Vocabulary
from allennlp.data.fields import ListField, TextField

from hmtl.data.fields.relations_field import RelationsField

TEXT = TextField([Token(word) for word in "a b c".split()], {})
VOCABULARY = Vocabulary(non_padded_namespaces=["relation_ace_labels"])
PHYS, ART = (VOCABULARY.add_token_to_namespace(x, "relation_ace_labels") for x in ("PHYS", "ART"))


def indexed(*relations: tuple[int, int, str]) -> RelationsField:
    field = RelationsField(relations, TEXT)
    field.index(VOCABULARY)
    return field


def test_relations_field_counts_types_in_its_namespace() -> None:
    field = RelationsField([(0, 1, "PHYS"), (1, 0, "PHYS"), (0, 2, "ART")], TEXT, "types")
    vocab = Vocabulary.from_instances([Instance({"relations": field})])
    assert vocab.get_vocab_size("types") == 4
    assert {"PHYS", "ART"} < set(vocab.get_token_to_index_vocabulary("types"))


def test_relations_field_has_a_row_per_relation() -> None:
    field = indexed((0, 1, "PHYS"), (0, 1, "ART"), (2, 2, "ART"))
    tensor = field.as_tensor(field.get_padding_lengths())
    assert tensor.dtype == torch.long
    assert tensor.tolist() == [[0, 1, PHYS], [0, 1, ART], [2, 2, ART]]


def test_relations_field_is_padded_with_rows_of_minus_one() -> None:
    instances = [Instance({"r": indexed((0, 1, "PHYS"))}), Instance({"r": indexed()})]
    tensors: dict[str, Any] = Batch(instances).as_tensor_dict()
    assert tensors["r"].tolist() == [[[0, 1, PHYS]], [[-1, -1, -1]]]


def test_relations_field_of_batch_without_relations_has_no_rows() -> None:
    instances = [Instance({"r": indexed()}), Instance({"r": indexed()})]
    tensors: dict[str, Any] = Batch(instances).as_tensor_dict()
    assert tensors["r"].shape == (2, 0, 3)


def test_relations_field_may_stand_in_list_field() -> None:
    field = ListField([indexed((0, 1, "PHYS")), indexed()])
    lengths = {**field.get_padding_lengths(), "num_fields": 3}
    assert field.as_tensor(lengths).shape == (3, 1, 3)


def test_relations_field_without_types_keeps_the_others() -> None:
    field = indexed((0, 1, "PHYS"), (0, 2, "ART")).without(["PHYS"])
    field.index(VOCABULARY)
    assert field.as_tensor({"num_relations": 1}).tolist() == [[0, 2, ART]]


def test_relations_field_must_be_indexed_before_it_is_a_tensor() -> None:
    with pytest.raises(ConfigurationError, match="index"):
        RelationsField([], TEXT).as_tensor({"num_relations": 0})


@pytest.mark.parametrize("relation", [(0, 3, "PHYS"), (-1, 0, "PHYS")])
def test_relations_field_refuses_tokens_outside_the_sequence(relation: tuple) -> None:
    with pytest.raises(ConfigurationError, match="lies outside the sequence of 3 tokens"):
        RelationsField([relation], TEXT)


def test_relations_field_length_and_text() -> None:
    field = RelationsField([(0, 1, "PHYS")], TEXT)
    assert len(field) == 1
    assert "(0, 1, 'PHYS')" in str(field)
    assert field.human_readable_repr() == [(0, 1, "PHYS")]
