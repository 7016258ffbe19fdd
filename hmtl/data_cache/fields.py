"""Indexed fields whose content stays in the arrays of a cached split until a batch is made of it."""

from typing import Any, Dict, Iterable, List, Protocol

import numpy
import torch
from allennlp.data import Field

TextTensors = Dict[str, Dict[str, torch.Tensor]]
# How the padding of a text's indexers is named in its padding lengths.
LENGTH_KEY = "{}___{}"


def lengths_by_indexer(
    padding_lengths: Dict[str, int], indexers: Iterable[str]
) -> Dict[str, Dict[str, int]]:
    """Each indexer's own, under the names that it gives them."""
    lengths: Dict[str, Dict[str, int]] = {name: {} for name in indexers}
    for key, length in padding_lengths.items():
        name, _, own_key = key.partition(LENGTH_KEY.format("", ""))
        lengths[name][own_key] = length
    return lengths


class IndexedTexts(Protocol):
    """What one token indexer has made of all texts of a split."""

    def as_tensors(self, index: int, padding_lengths: Dict[str, int]) -> Dict[str, torch.Tensor]:
        """Of one text, padded; `padding_lengths` by the names that the indexer gives them."""

    def batch(
        self, indices: numpy.ndarray, padding_lengths: Dict[str, int]
    ) -> Dict[str, torch.Tensor]:
        """Of several texts, padded."""


class CachedField(Field):
    """What the cached fields have in common: they are indexed, and know no words any more."""

    __slots__: List[str] = []

    def count_vocab_items(self, counter: Dict[str, Dict[str, int]]) -> None:
        raise TypeError(
            "instances from the cache are indexed already: to make or extend a vocabulary, read the "
            "corpora with hmtl.corpora.read_corpora"
        )

    def index(self, vocab: Any) -> None:
        """Does nothing: it is done."""


class CachedArray(CachedField):
    """
    # Parameters

    values : `numpy.ndarray`
        Whole numbers of any width, of which the first dimension is padded.
    length_key : `str`
        The name of that dimension's length.
    padding : `int`
        What it is padded with.
    """

    __slots__ = ["values", "length_key", "padding"]

    def __init__(self, values: numpy.ndarray, length_key: str, padding: int) -> None:
        self.values = values
        self.length_key = length_key
        self.padding = padding

    def __len__(self) -> int:
        return len(self.values)

    def get_padding_lengths(self) -> Dict[str, int]:
        return {self.length_key: len(self.values)}

    def as_tensor(self, padding_lengths: Dict[str, int]) -> torch.Tensor:
        shape = (padding_lengths[self.length_key], *self.values.shape[1:])
        padded = numpy.full(shape, self.padding, numpy.int64)
        padded[: len(self.values)] = self.values
        return torch.from_numpy(padded)


class Texts(Protocol):
    """The texts of a split."""

    indexers: Dict[str, IndexedTexts]

    def num_tokens(self, index: int) -> int: ...

    def padding_lengths(self, index: int) -> Dict[str, int]: ...


class CachedText(CachedField):
    """
    # Parameters

    texts : `Texts`
    position : `int`
        Which of them.
    """

    __slots__ = ["texts", "position"]

    def __init__(self, texts: Texts, position: int) -> None:
        self.texts = texts
        self.position = position

    def __len__(self) -> int:
        return self.texts.num_tokens(self.position)

    def get_padding_lengths(self) -> Dict[str, int]:
        return self.texts.padding_lengths(self.position)

    def as_tensor(self, padding_lengths: Dict[str, int]) -> TextTensors:
        lengths = lengths_by_indexer(padding_lengths, self.texts.indexers)
        return {
            name: indexer.as_tensors(self.position, lengths[name])
            for name, indexer in self.texts.indexers.items()
        }

    def batch_tensors(self, tensor_list: List[TextTensors]) -> TextTensors:
        return {
            name: {key: torch.stack([each[name][key] for each in tensor_list]) for key in tensors}
            for name, tensors in tensor_list[0].items()
        }


class CachedMetadata(CachedField):
    """
    # Parameters

    values : `Any`
        Where the metadata stand, by position.
    position : `int`
    """

    __slots__ = ["values", "position"]

    def __init__(self, values: Any, position: int) -> None:
        self.values = values
        self.position = position

    @property
    def metadata(self) -> Any:
        """Read anew each time."""
        return self.values[self.position]

    def get_padding_lengths(self) -> Dict[str, int]:
        return {}

    def as_tensor(self, padding_lengths: Dict[str, int]) -> Any:
        return self.metadata

    def batch_tensors(self, tensor_list: List[Any]) -> List[Any]:
        return tensor_list
