"""The field of a sentence's relations."""

from typing import Collection, Dict, List, Optional, Sequence, Tuple

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.data.fields import Field, SequenceField

PADDING = -1


class RelationsField(Field[torch.Tensor]):
    """
    Relations between tokens of a sequence. A pair of tokens may stand in several.

    The tensor has one row of (first token, second token, index of the type) per relation, and is
    padded with rows of -1. Shape `(num_relations, 3)`; without any relation `(0, 3)`.

    # Parameters

    relations : `Sequence[Tuple[int, int, str]]`
        (first token, second token, type), tokens counted from 0.
    sequence_field : `SequenceField`
        The sequence that the tokens belong to.
    label_namespace : `str`, optional (default = `"relation_ace_labels"`)
        The namespace of the types.
    """

    __slots__ = ["relations", "sequence_field", "label_namespace", "_type_indices"]

    def __init__(
        self,
        relations: Sequence[Tuple[int, int, str]],
        sequence_field: SequenceField,
        label_namespace: str = "relation_ace_labels",
    ) -> None:
        length = sequence_field.sequence_length()
        for first, second, relation_type in relations:
            if not (0 <= first < length and 0 <= second < length):
                raise ConfigurationError(
                    f"the relation {relation_type} ({first}, {second}) lies outside the sequence "
                    f"of {length} tokens"
                )
        self.relations: List[Tuple[int, int, str]] = list(relations)
        self.sequence_field = sequence_field
        self.label_namespace = label_namespace
        self._type_indices: Optional[List[int]] = None

    def count_vocab_items(self, counter: Dict[str, Dict[str, int]]) -> None:
        for _, _, relation_type in self.relations:
            counter[self.label_namespace][relation_type] += 1

    def index(self, vocab: Vocabulary) -> None:
        self._type_indices = [
            vocab.get_token_index(relation_type, self.label_namespace)
            for _, _, relation_type in self.relations
        ]

    def get_padding_lengths(self) -> Dict[str, int]:
        return {"num_relations": len(self.relations)}

    def as_tensor(self, padding_lengths: Dict[str, int]) -> torch.Tensor:
        if self._type_indices is None:
            raise ConfigurationError("index(vocab) must be called before as_tensor()")
        num_relations = padding_lengths["num_relations"]
        rows = [
            (first, second, type_index)
            for (first, second, _), type_index in zip(
                self.relations, self._type_indices, strict=True
            )
        ]
        rows += [(PADDING, PADDING, PADDING)] * (num_relations - len(rows))
        # Shape: (num_relations, 3)
        return torch.tensor(rows, dtype=torch.long).reshape(num_relations, 3)

    def empty_field(self) -> "RelationsField":
        empty = RelationsField([], self.sequence_field.empty_field(), self.label_namespace)
        empty._type_indices = []
        return empty

    def without(self, types: Collection[str]) -> "RelationsField":
        """The same field, not yet indexed, but for the relations of these types."""
        kept = [relation for relation in self.relations if relation[2] not in types]
        return RelationsField(kept, self.sequence_field, self.label_namespace)

    def __len__(self) -> int:
        return len(self.relations)

    def __str__(self) -> str:
        return f"RelationsField of {self.relations} in namespace '{self.label_namespace}'."

    def human_readable_repr(self) -> List[Tuple[int, int, str]]:
        return self.relations
