from typing import Any

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Batch, Instance, Token
from allennlp.data.fields import Field, ListField, SequenceLabelField, SpanField, TextField

from hmtl.data.fields.spans_field import SpansField

TEXT = TextField([Token(word) for word in "a b c".split()], {})
SPANS = [(0, 0), (0, 1), (2, 2)]


def test_spans_field_gives_the_tensor_of_a_list_of_span_fields() -> None:
    def batch_of(fields: list[Field]) -> torch.Tensor:
        batch = Batch([Instance({"spans": field}) for field in fields])
        tensors: dict[str, Any] = batch.as_tensor_dict()
        return tensors["spans"]

    ours = batch_of([SpansField(SPANS, TEXT), SpansField(SPANS[:1], TEXT)])
    theirs = batch_of(
        [
            ListField([SpanField(start, end, TEXT) for start, end in spans])
            for spans in (SPANS, SPANS[:1])
        ]
    )
    assert ours.dtype == theirs.dtype
    assert torch.equal(ours, theirs)


def test_spans_field_carries_labels() -> None:
    labels = SequenceLabelField([0, -1, 0], SpansField(SPANS, TEXT))
    assert labels.as_tensor(labels.get_padding_lengths()).tolist() == [0, -1, 0]


def test_spans_field_length_text_and_equality() -> None:
    field = SpansField(SPANS, TEXT)
    assert len(field) == field.sequence_length() == 3
    assert field == SpansField(SPANS, TEXT)
    assert field != SpansField(SPANS[:2], TEXT)
    assert field.human_readable_repr() == SPANS
    assert len(field.empty_field()) == 0


@pytest.mark.parametrize("span", [(0, 3), (-1, 0), (2, 1)])
def test_spans_field_refuses_what_is_no_span_of_the_sequence(span: tuple[int, int]) -> None:
    with pytest.raises(ConfigurationError, match="no .start, end. within the sequence of 3 tokens"):
        SpansField([(0, 0), span], TEXT)
