"""Indexed fields whose content stays in the arrays of a cached split until a batch is made of it."""

from typing import Any, Dict, List, Optional, Protocol

import numpy
import torch
from allennlp.data import Field

TextTensors = Dict[str, Dict[str, torch.Tensor]]
Lengths = Dict[str, int]


class Batches(Protocol):
    """The fields of one name of a split, in arrays."""

    def batch(self, positions: numpy.ndarray, lengths: Optional[Lengths] = None) -> Any:
        """
        Return what a batch of these instances holds, as AllenNLP would make it of their fields; padded to
        the largest of them, or to `lengths`.
        """

    def padding_lengths(self, position: int) -> Lengths:
        """Return those of one instance."""


class CachedField(Field):
    """
    Stands for the field of an instance of its own. It is indexed, and knows no words any more.

    # Parameters

    column : `Batches`
    position : `int`
        Which of them.
    """

    __slots__ = ["column", "position"]

    def __init__(self, column: Batches, position: int) -> None:
        self.column = column
        self.position = position

    def count_vocab_items(self, counter: Dict[str, Dict[str, int]]) -> None:
        raise TypeError(
            "instances from the cache are indexed already: to make or extend a vocabulary, read the "
            "corpora with hmtl.data.corpora.read_corpora"
        )

    def index(self, vocab: Any) -> None:
        """Do nothing: it is done."""

    def get_padding_lengths(self) -> Lengths:
        return self.column.padding_lengths(self.position)

    def as_tensor(self, padding_lengths: Lengths) -> Any:
        return self.column.batch(numpy.array([self.position]), padding_lengths)[0]


class CachedSequence(CachedField):
    """Labels, spans, relations."""

    __slots__: List[str] = []

    def __len__(self) -> int:
        (length,) = self.get_padding_lengths().values()
        return length


class CachedText(CachedField):
    """
    # Parameters

    column : `Batches`
    position : `int`
    num_tokens : `int`
    """

    __slots__ = ["num_tokens"]

    def __init__(self, column: Batches, position: int, num_tokens: int) -> None:
        super().__init__(column, position)
        self.num_tokens = num_tokens

    def __len__(self) -> int:
        return self.num_tokens

    def as_tensor(self, padding_lengths: Lengths) -> TextTensors:
        batch = self.column.batch(numpy.array([self.position]), padding_lengths)
        return {
            name: {key: tensor[0] for key, tensor in tensors.items()}
            for name, tensors in batch.items()
        }

    def batch_tensors(self, tensor_list: List[TextTensors]) -> TextTensors:
        return {
            name: {key: torch.stack([each[name][key] for each in tensor_list]) for key in tensors}
            for name, tensors in tensor_list[0].items()
        }


class CachedMetadata(CachedField):
    """What is handed on as it is."""

    __slots__: List[str] = []

    @property
    def metadata(self) -> Any:
        """Read anew each time."""
        return self.as_tensor({})

    def batch_tensors(self, tensor_list: List[Any]) -> List[Any]:
        return tensor_list
