"""The field of labelled pairs of tokens: relations between two tokens, or spans from one to another."""

from typing import Collection, Dict, List, Optional, Sequence, Tuple

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.data.fields import Field, SequenceField

PADDING = -1


class LabelledPairsField(Field[torch.Tensor]):
    """
    Labelled pairs of tokens of a sequence. A pair may have several labels.

    The tensor has one row of (first token, second token, index of the label) per pair, and is padded with
    rows of -1. Shape `(num_pairs, 3)`; without any pair `(0, 3)`.

    # Parameters

    pairs : `Sequence[Tuple[int, int, str]]`
        (first token, second token, label), tokens counted from 0.
    sequence_field : `SequenceField`
        The sequence that the tokens belong to.
    label_namespace : `str`
        The namespace of the labels.
    """

    __slots__ = ["pairs", "sequence_field", "label_namespace", "_label_indices"]

    def __init__(
        self,
        pairs: Sequence[Tuple[int, int, str]],
        sequence_field: SequenceField,
        label_namespace: str,
    ) -> None:
        length = sequence_field.sequence_length()
        for first, second, label in pairs:
            if not (0 <= first < length and 0 <= second < length):
                raise ConfigurationError(
                    f"the pair {label} ({first}, {second}) lies outside the sequence of {length} tokens"
                )
        self.pairs: List[Tuple[int, int, str]] = list(pairs)
        self.sequence_field = sequence_field
        self.label_namespace = label_namespace
        self._label_indices: Optional[List[int]] = None

    def count_vocab_items(self, counter: Dict[str, Dict[str, int]]) -> None:
        for _, _, label in self.pairs:
            counter[self.label_namespace][label] += 1

    def index(self, vocab: Vocabulary) -> None:
        self._label_indices = [
            vocab.get_token_index(label, self.label_namespace) for _, _, label in self.pairs
        ]

    def get_padding_lengths(self) -> Dict[str, int]:
        return {"num_pairs": len(self.pairs)}

    def as_tensor(self, padding_lengths: Dict[str, int]) -> torch.Tensor:
        if self._label_indices is None:
            raise ConfigurationError("index(vocab) must be called before as_tensor()")
        num_pairs = padding_lengths["num_pairs"]
        rows = [
            (first, second, label)
            for (first, second, _), label in zip(self.pairs, self._label_indices, strict=True)
        ]
        rows += [(PADDING, PADDING, PADDING)] * (num_pairs - len(rows))
        # Shape: (num_pairs, 3)
        return torch.tensor(rows, dtype=torch.long).reshape(num_pairs, 3)

    def empty_field(self) -> "LabelledPairsField":
        empty = type(self)([], self.sequence_field.empty_field(), self.label_namespace)
        empty._label_indices = []
        return empty

    def without(self, labels: Collection[str]) -> "LabelledPairsField":
        """Return the same field, not yet indexed, but for the pairs of these labels."""
        kept = [pair for pair in self.pairs if pair[2] not in labels]
        return type(self)(kept, self.sequence_field, self.label_namespace)

    def __len__(self) -> int:
        return len(self.pairs)

    def __str__(self) -> str:
        return f"{type(self).__name__} of {self.pairs} in namespace '{self.label_namespace}'."

    def human_readable_repr(self) -> List[Tuple[int, int, str]]:
        return self.pairs


class LabelledSpansField(LabelledPairsField):
    """
    Labelled spans of a sequence, which may nest and cross: pairs of a first and a last token (inclusive).
    """

    def __init__(
        self,
        pairs: Sequence[Tuple[int, int, str]],
        sequence_field: SequenceField,
        label_namespace: str,
    ) -> None:
        super().__init__(pairs, sequence_field, label_namespace)
        for start, end, label in pairs:
            if start > end:
                raise ConfigurationError(f"the span {label} ({start}, {end}) ends before it begins")


class EntityPairsField(LabelledPairsField):
    """
    Labelled pairs of the entities of a document, as the first and the second number; the sequence is that of
    all their mentions.
    """
