"""Lists of unequal lengths, and values of JSON, as arrays: the columns of a split in the cache."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy

Arrays = dict[str, numpy.ndarray]

# A tuple in JSON, which has none: an object with this one key.
TUPLE = "__tuple__"
WHOLE_NUMBERS = (numpy.int8, numpy.int16, numpy.int32, numpy.int64)


class NotRepresentable(Exception):
    """An instance holds something that the cache has no form for."""


def smallest(values: numpy.ndarray) -> numpy.ndarray:
    """The same whole numbers in the narrowest type that holds them all; other values as they are."""
    if values.dtype.kind != "i":
        return values
    low, high = (int(values.min()), int(values.max())) if values.size else (0, 0)
    fitting = (t for t in WHOLE_NUMBERS if numpy.iinfo(t).min <= low and high <= numpy.iinfo(t).max)
    return values.astype(next(fitting))


class Ragged:
    """
    Arrays that differ in the length of their first dimension, end to end in one.

    # Parameters

    values : `numpy.ndarray`
        Shape `(total, ...)`.
    offsets : `numpy.ndarray`
        Where each begins and, at the end, where the last one ends. Shape `(num_arrays + 1,)`.
    """

    def __init__(self, values: numpy.ndarray, offsets: numpy.ndarray) -> None:
        self.values = values
        self.offsets = offsets

    @classmethod
    def of(cls, arrays: Sequence[numpy.ndarray]) -> Ragged:
        """Of at least one array; whole numbers become as narrow as they can be."""
        values = smallest(numpy.concatenate(arrays))
        lengths = [len(array) for array in arrays]
        return cls(values, numpy.cumsum([0, *lengths], dtype=numpy.int64))

    @classmethod
    def loaded(cls, name: str, arrays: Mapping[str, numpy.ndarray]) -> Ragged:
        """What `to_arrays` put among the arrays."""
        return cls(arrays[f"{name}.values"], arrays[f"{name}.offsets"])

    def to_arrays(self, name: str) -> Arrays:
        return {f"{name}.values": self.values, f"{name}.offsets": self.offsets}

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> numpy.ndarray:
        return self.values[self.offsets[index] : self.offsets[index + 1]]

    def length(self, index: int) -> int:
        return int(self.offsets[index + 1] - self.offsets[index])

    def padded_rows(self, indices: numpy.ndarray, width: int) -> numpy.ndarray:
        """
        Some of the arrays, which have one dimension, one below the other, each filled up with zeros.

        # Parameters

        indices : `numpy.ndarray`
            Which of them. Shape `(num_rows,)`.
        width : `int`
            How many entries of each, at most.

        # Returns

        rows : `numpy.ndarray`
            Shape `(num_rows, width)`.
        """
        if not self.values.size:
            return numpy.zeros((len(indices), width), self.values.dtype)
        columns = numpy.arange(width)
        # Shape: (num_rows, 1)
        starts = self.offsets[indices][:, None]
        inside = columns < self.offsets[indices + 1][:, None] - starts
        return self.values[numpy.where(inside, starts + columns, 0)] * inside


class JsonColumn:
    """
    A value of JSON per instance. Tuples come back as tuples, and are not confounded with lists.

    # Parameters

    texts : `Ragged`
        The values as UTF-8.
    """

    def __init__(self, texts: Ragged) -> None:
        self.texts = texts

    @classmethod
    def of(cls, values: Iterable[Any]) -> JsonColumn:
        """
        # Raises

        NotRepresentable
            When a value is none of JSON's, nor a tuple of such.
        """
        encoded = (json.dumps(_with_tuples_marked(value)).encode() for value in values)
        return cls(Ragged.of([numpy.frombuffer(text, numpy.uint8) for text in encoded]))

    def __getitem__(self, index: int) -> Any:
        return json.loads(bytes(self.texts[index]), object_hook=_tuple_or_object)


def _with_tuples_marked(value: Any) -> Any:
    kind = type(value)
    if kind in (str, int, float, bool, type(None)):
        return value
    if kind is list:
        return [_with_tuples_marked(element) for element in value]
    if kind is tuple:
        return {TUPLE: [_with_tuples_marked(element) for element in value]}
    if kind is dict and TUPLE not in value and all(type(key) is str for key in value):
        return {key: _with_tuples_marked(element) for key, element in value.items()}
    raise NotRepresentable(f"a value of type {kind.__name__} in the metadata")


def _tuple_or_object(value: dict[str, Any]) -> Any:
    return tuple(value[TUPLE]) if TUPLE in value else value


class Interned:
    """Numbers things in the order in which they first come."""

    def __init__(self) -> None:
        self._numbers: dict[Any, int] = {}

    def number(self, thing: Any) -> int:
        return self._numbers.setdefault(thing, len(self._numbers))

    def __iter__(self) -> Iterator[Any]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)
