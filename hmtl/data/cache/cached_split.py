"""The instances of a split, indexed, in arrays."""

from typing import Any, Dict, Iterable, List, Optional, Sequence, Set, overload

import numpy
from allennlp.data import Field, Instance, TokenIndexer, Vocabulary
from allennlp.data.fields import MetadataField

from hmtl.common.array_file import ArrayFile
from hmtl.data.cache.columns import Arrays, NotRepresentable
from hmtl.data.cache.field_columns import FieldColumn, Json, column_of, load_column


class CachedInstance(Instance):
    """An instance whose fields are made when they are asked for."""

    __slots__ = ["_split", "_position"]

    def __init__(self, split: "CachedSplit", position: int) -> None:
        # Not the constructor above: it would set `fields`.
        self._split = split
        self._position = position
        self.indexed = True

    @property
    def fields(self) -> Dict[str, Field]:  # type: ignore[override]
        return self._split.fields_of(self._position)

    def __getitem__(self, key: str) -> Field:
        return self._split.field_of(key, self._position)

    @staticmethod
    def batch(instances: Sequence[Instance]) -> Optional[Dict[str, Any]]:
        """
        The batch of instances of one split, made in one go: the same as AllenNLP would make of their
        fields. `None` if that is not what they are.
        """
        own = [each for each in instances if isinstance(each, CachedInstance)]
        if len(own) < len(instances) or any(each._split is not own[0]._split for each in own):
            return None
        return own[0]._split.batch(numpy.array([each._position for each in own]))


class CachedSplit(Sequence[Instance]):
    """
    # Parameters

    columns : `Dict[str, FieldColumn]`
        By the fields' names.
    length : `int`
        The number of instances.
    documents : `Set[str]`
        The names of the documents that they are from, as far as they have any.
    misses : `Dict[str, int]`
        How often each label counts as a miss, because it was never seen in training.
    """

    def __init__(
        self,
        columns: Dict[str, FieldColumn],
        length: int,
        documents: Set[str],
        misses: Dict[str, int],
    ) -> None:
        self._columns = columns
        self._length = length
        self.documents = documents
        self.misses = misses

    @classmethod
    def of(
        cls,
        instances: Sequence[Instance],
        vocab: Vocabulary,
        misses: Optional[Dict[str, int]] = None,
    ) -> "CachedSplit":
        """
        Index instances.

        # Raises

        NotRepresentable
            When they hold something that has no form here. They are as they were then, but for what is
            indexed already.
        """
        names = list(instances[0].fields)
        if any(list(instance.fields) != names for instance in instances):
            raise NotRepresentable("instances that do not all have the same fields")
        columns = {
            name: column_of([instance.fields[name] for instance in instances], vocab)
            for name in names
        }
        return cls(columns, len(instances), document_names(instances), misses or {})

    @classmethod
    def loaded(cls, file: ArrayFile, indexers: Dict[str, TokenIndexer]) -> "CachedSplit":
        """
        # Parameters

        file : `ArrayFile`
            With the content and the arrays of a split.
        indexers : `Dict[str, TokenIndexer]`
            Of its texts.
        """
        columns = {
            name: load_column(name, entry, file.arrays, indexers)
            for name, entry in file.content["columns"].items()
        }
        content = file.content
        return cls(columns, content["length"], set(content["documents"]), content["misses"])

    @property
    def content(self) -> Json:
        """What is to be written beside the arrays."""
        columns = {name: column.content for name, column in self._columns.items()}
        return {
            "columns": columns,
            "length": self._length,
            "documents": sorted(self.documents),
            "misses": self.misses,
        }

    def to_arrays(self) -> Arrays:
        arrays: Arrays = {}
        for name, column in self._columns.items():
            arrays.update(column.to_arrays(name))
        return arrays

    def field_of(self, name: str, position: int) -> Field:
        """One field of one instance."""
        return self._columns[name].field(position)

    def fields_of(self, position: int) -> Dict[str, Field]:
        """The fields of one instance."""
        return {name: column.field(position) for name, column in self._columns.items()}

    def batch(self, positions: numpy.ndarray) -> Dict[str, Any]:
        """The fields of several instances, padded to a common size, by name."""
        return {name: column.batch(positions) for name, column in self._columns.items()}

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, position: int) -> Instance: ...

    @overload
    def __getitem__(self, position: slice) -> List[Instance]: ...

    def __getitem__(self, position):  # type: ignore[no-untyped-def]
        if isinstance(position, slice):
            return [self[index] for index in range(*position.indices(self._length))]
        if not -self._length <= position < self._length:
            raise IndexError(position)
        return CachedInstance(self, position % self._length)


def document_names(instances: Iterable[Instance]) -> Set[str]:
    """The names of the documents that instances are from, where their metadata tell."""
    fields = (instance.fields.get("metadata") for instance in instances)
    metadata = (field.metadata for field in fields if isinstance(field, MetadataField))
    names = (entry.get("document") for entry in metadata if isinstance(entry, dict))
    return {name for name in names if name}
