"""The field of many spans over one sequence."""

from typing import Dict, List, Sequence, Tuple

import numpy
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data.fields import SequenceField

PADDING = -1


class SpansField(SequenceField[torch.Tensor]):
    """
    Spans of a sequence, kept in one array.

    It gives the tensor that a `ListField` of `SpanField`s gives, padded alike with rows of -1,
    shape `(num_spans, 2)`. But a document of 10,000 tokens has 80,000 candidate spans, and as
    objects they take many times the memory, and a tensor each whenever a batch is made.

    # Parameters

    spans : `Sequence[Tuple[int, int]]`
        (start, end) token indices, both inclusive.
    sequence_field : `SequenceField`
        The sequence that the tokens belong to.
    """

    __slots__ = ["sequence_field", "_spans"]

    def __init__(self, spans: Sequence[Tuple[int, int]], sequence_field: SequenceField) -> None:
        self.sequence_field = sequence_field
        # Shape: (num_spans, 2)
        self._spans = numpy.array(spans, dtype=numpy.int32).reshape(-1, 2)
        starts, ends = self._spans[:, 0], self._spans[:, 1]
        length = sequence_field.sequence_length()
        outside = numpy.flatnonzero((starts < 0) | (starts > ends) | (ends >= length))
        if outside.size:
            raise ConfigurationError(
                f"the span {tuple(self._spans[outside[0]].tolist())} is no (start, end) within the "
                f"sequence of {length} tokens"
            )

    def sequence_length(self) -> int:
        return len(self._spans)

    def get_padding_lengths(self) -> Dict[str, int]:
        return {"num_spans": len(self._spans)}

    def as_tensor(self, padding_lengths: Dict[str, int]) -> torch.Tensor:
        # Shape: (num_spans, 2)
        tensor = torch.full((padding_lengths["num_spans"], 2), PADDING, dtype=torch.long)
        tensor[: len(self._spans)] = torch.from_numpy(self._spans)
        return tensor

    def empty_field(self) -> "SpansField":
        return SpansField([], self.sequence_field.empty_field())

    def __len__(self) -> int:
        return len(self._spans)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SpansField):
            return NotImplemented
        return numpy.array_equal(self._spans, other._spans)

    def __str__(self) -> str:
        return f"SpansField of {len(self._spans)} spans."

    def human_readable_repr(self) -> List[Tuple[int, int]]:
        return [(start, end) for start, end in self._spans.tolist()]
