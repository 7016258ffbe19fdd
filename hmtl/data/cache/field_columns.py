"""The fields of one name of all instances of a split, as arrays and JSON, and back."""

from typing import Any, Dict, Iterable, List, Optional, Protocol, Sequence, Tuple

import numpy
import torch
from allennlp.data import Field, Token, TokenIndexer, Vocabulary
from allennlp.data.fields import (
    LabelField,
    MetadataField,
    MultiLabelField,
    SequenceLabelField,
    TextField,
)
from allennlp.data.token_indexers import (
    ELMoTokenCharactersIndexer,
    SingleIdTokenIndexer,
    TokenCharactersIndexer,
)

from hmtl.data.cache.columns import (
    Arrays,
    Interned,
    JsonColumn,
    NotRepresentable,
    Ragged,
    smallest,
)
from hmtl.data.cache.fields import (
    Batches,
    CachedField,
    CachedMetadata,
    CachedSequence,
    CachedText,
    Lengths,
    TextTensors,
)
from hmtl.data.fields.labelled_pairs_field import (
    EntityPairsField,
    LabelledPairsField,
    LabelledSpansField,
)
from hmtl.data.fields.spans_field import SpansField

Json = Dict[str, Any]
Indexed = Dict[str, List[Any]]

# How the padding of a text's indexers is named in its padding lengths.
LENGTH_KEY = "{}___{}"
# Fields that are one array each, padded in its first dimension: that length's name, and the padding.
ARRAYS: Dict[type, Tuple[str, int]] = {
    SequenceLabelField: ("num_tokens", 0),
    SpansField: ("num_spans", -1),
    LabelledPairsField: ("num_pairs", -1),
    LabelledSpansField: ("num_pairs", -1),
    EntityPairsField: ("num_pairs", -1),
}
# Fields that are one array each, of the same size in all instances.
UNPADDED = {LabelField, MultiLabelField}
# Indexers that look at each token by itself, and pad with zeros: the name of the length of a token's own
# row of numbers, if it is padded.
TOKENWISE: Dict[type, str] = {
    SingleIdTokenIndexer: "",
    ELMoTokenCharactersIndexer: "",
    TokenCharactersIndexer: "num_token_characters",
}


class FieldColumn(Batches, Protocol):
    """The fields of one name. `of` takes at least one field, all of one type."""

    def field(self, index: int) -> Field:
        """Return that of one instance."""

    def to_arrays(self, name: str) -> Arrays:
        """All that must be kept, but for `content`."""

    @property
    def content(self) -> Json:
        """What else there is to know, for `load_column`."""


def column_of(fields: Sequence[Field], vocab: Vocabulary) -> FieldColumn:
    """
    Indexes the fields.

    # Raises

    NotRepresentable
        When there is no column for what they are.
    """
    kinds = {type(field) for field in fields}
    if kinds == {TextField}:
        return TextColumn.of(fields, vocab)  # type: ignore[arg-type]
    if kinds == {MetadataField}:
        return MetadataColumn(JsonColumn.of(field.metadata for field in fields))  # type: ignore[attr-defined]
    if len(kinds) == 1 and kinds <= ARRAYS.keys():
        return ArrayColumn.of(fields, vocab)
    if len(kinds) == 1 and kinds <= UNPADDED:
        return UnpaddedColumn.of(fields, vocab)
    raise NotRepresentable(f"fields of type {', '.join(sorted(kind.__name__ for kind in kinds))}")


def load_column(
    name: str, content: Json, arrays: Arrays, indexers: Dict[str, TokenIndexer]
) -> FieldColumn:
    """What `column_of` made; `indexers` are those of the texts."""
    if content["kind"] == TextColumn.KIND:
        return TextColumn.loaded(name, content, arrays, indexers)
    if content["kind"] == MetadataColumn.KIND:
        return MetadataColumn(JsonColumn(Ragged.loaded(name, arrays)))
    if content["kind"] == UnpaddedColumn.KIND:
        return UnpaddedColumn(arrays[name])
    return ArrayColumn(Ragged.loaded(name, arrays), content["length_key"], content["padding"])


class ArrayColumn:
    """Labels, spans, relations."""

    KIND = "array"

    def __init__(self, values: Ragged, length_key: str, padding: int) -> None:
        self.values = values
        self.length_key = length_key
        self.padding = padding

    @classmethod
    def of(cls, fields: Sequence[Field], vocab: Vocabulary) -> "ArrayColumn":
        arrays = []
        for field in fields:
            field.index(vocab)
            arrays.append(field.as_tensor(field.get_padding_lengths()).numpy())
        return cls(Ragged.of(arrays), *ARRAYS[type(fields[0])])

    def field(self, index: int) -> CachedSequence:
        return CachedSequence(self, index)

    def padding_lengths(self, index: int) -> Lengths:
        return {self.length_key: self.values.length(index)}

    def batch(self, indices: numpy.ndarray, lengths: Optional[Lengths] = None) -> torch.Tensor:
        rows = [self.values[index] for index in indices]
        length = max(map(len, rows)) if lengths is None else lengths[self.length_key]
        shape = (len(rows), length, *self.values.values.shape[1:])
        padded = numpy.full(shape, self.padding, numpy.int64)
        for place, row in zip(padded, rows):
            place[: len(row)] = row
        return torch.from_numpy(padded)

    def to_arrays(self, name: str) -> Arrays:
        return self.values.to_arrays(name)

    @property
    def content(self) -> Json:
        return {"kind": self.KIND, "length_key": self.length_key, "padding": self.padding}


class UnpaddedColumn:
    """Labels of whole texts."""

    KIND = "unpadded"

    def __init__(self, values: numpy.ndarray) -> None:
        self.values = values

    @classmethod
    def of(cls, fields: Sequence[Field], vocab: Vocabulary) -> "UnpaddedColumn":
        for field in fields:
            field.index(vocab)
        return cls(smallest(numpy.stack([field.as_tensor({}).numpy() for field in fields])))

    def field(self, index: int) -> CachedField:
        return CachedField(self, index)

    def padding_lengths(self, index: int) -> Lengths:
        return {}

    def batch(self, indices: numpy.ndarray, lengths: Optional[Lengths] = None) -> torch.Tensor:
        return torch.from_numpy(self.values[indices].astype(numpy.int64))

    def to_arrays(self, name: str) -> Arrays:
        return {name: self.values}

    @property
    def content(self) -> Json:
        return {"kind": self.KIND}


class MetadataColumn:
    """What is handed on as it is."""

    KIND = "metadata"

    def __init__(self, values: JsonColumn) -> None:
        self.values = values

    def field(self, index: int) -> CachedMetadata:
        return CachedMetadata(self, index)

    def padding_lengths(self, index: int) -> Lengths:
        return {}

    def batch(self, indices: numpy.ndarray, lengths: Optional[Lengths] = None) -> List[Any]:
        return [self.values[index] for index in indices]

    def to_arrays(self, name: str) -> Arrays:
        return self.values.texts.to_arrays(name)

    @property
    def content(self) -> Json:
        return {"kind": self.KIND}


class IndexedTexts(Protocol):
    """What one token indexer has made of all texts of a split."""

    def batch(self, indices: numpy.ndarray, lengths: Lengths) -> Dict[str, torch.Tensor]:
        """Return several texts, padded; `lengths` by the names that the indexer gives them."""


class TextColumn:
    """
    Texts, as their indexers see them.

    # Parameters

    words : `Ragged`
        The numbers of each text's words among all different words.
    lengths : `numpy.ndarray`
        The padding lengths of each text. Shape `(num_texts, num_lengths)`.
    length_keys : `List[str]`
        Their names.
    indexers : `Dict[str, IndexedTexts]`
    """

    KIND = "text"

    def __init__(
        self,
        words: Ragged,
        lengths: numpy.ndarray,
        length_keys: List[str],
        indexers: Dict[str, Any],
    ) -> None:
        self.words = words
        self.lengths = lengths
        self.length_keys = length_keys
        self.indexers = indexers

    @classmethod
    def of(cls, fields: Sequence[TextField], vocab: Vocabulary) -> "TextColumn":
        interned = Interned()
        numbers = [[interned.number(token.text) for token in field.tokens] for field in fields]
        words = Ragged.of([numpy.array(text, dtype=numpy.int64) for text in numbers])
        vocabulary = [Token(word) for word in interned]
        lengths: List[List[Dict[str, int]]] = []
        indexers: Dict[str, IndexedTexts] = {}
        for name, indexer in fields[0].token_indexers.items():
            if _is_tokenwise(indexer, vocab):
                table = _single(indexer.tokens_to_indices(vocabulary, vocab))
                texts = [{table.key: [table.rows[n] for n in text]} for text in numbers]
                indexers[name] = TokenwiseTexts.of(table, words, TOKENWISE[type(indexer)])
            else:
                texts = [indexer.tokens_to_indices(field.tokens, vocab) for field in fields]
                indexers[name] = OtherTexts.of(texts, indexer)
            lengths.append([_named(name, indexer.get_padding_lengths(text)) for text in texts])
        merged = [{k: v for part in parts for k, v in part.items()} for parts in zip(*lengths)]
        keys = list(merged[0])
        rows = numpy.array([[text[key] for key in keys] for text in merged], dtype=numpy.int64)
        return cls(words, smallest(rows), keys, indexers)

    @classmethod
    def loaded(
        cls, name: str, content: Json, arrays: Arrays, indexers: Dict[str, TokenIndexer]
    ) -> "TextColumn":
        words = Ragged.loaded(f"{name}.words", arrays)
        texts: Dict[str, IndexedTexts] = {}
        for indexer, entry in content["indexers"].items():
            place = f"{name}.{indexer}"
            if entry["kind"] == TokenwiseTexts.KIND:
                texts[indexer] = TokenwiseTexts.loaded(place, entry, arrays, words)
            else:
                texts[indexer] = OtherTexts.loaded(place, entry, arrays, indexers[indexer])
        return cls(words, arrays[f"{name}.lengths"], content["length_keys"], texts)

    def field(self, index: int) -> CachedText:
        return CachedText(self, index, self.words.length(index))

    def padding_lengths(self, index: int) -> Lengths:
        return dict(zip(self.length_keys, self.lengths[index].tolist()))

    def batch(self, indices: numpy.ndarray, lengths: Optional[Lengths] = None) -> TextTensors:
        if lengths is None:
            lengths = dict(zip(self.length_keys, self.lengths[indices].max(axis=0).tolist()))
        own = _by_indexer(lengths, self.indexers)
        return {name: each.batch(indices, own[name]) for name, each in self.indexers.items()}

    def to_arrays(self, name: str) -> Arrays:
        arrays = {f"{name}.lengths": self.lengths, **self.words.to_arrays(f"{name}.words")}
        for indexer, texts in self.indexers.items():
            arrays.update(texts.to_arrays(f"{name}.{indexer}"))
        return arrays

    @property
    def content(self) -> Json:
        indexers = {name: texts.content for name, texts in self.indexers.items()}
        return {"kind": self.KIND, "length_keys": self.length_keys, "indexers": indexers}


class _Table:
    """What an indexer makes of each word: a number, or a list of them."""

    def __init__(self, key: str, rows: List[Any]) -> None:
        self.key = key
        self.rows = rows


def _single(indexed: Indexed) -> _Table:
    ((key, rows),) = indexed.items()
    return _Table(key, rows)


def _is_tokenwise(indexer: TokenIndexer, vocab: Vocabulary) -> bool:
    """Also, that it adds no tokens of its own at the ends."""
    if type(indexer) not in TOKENWISE:
        return False
    return len(_single(indexer.tokens_to_indices([Token("a")], vocab)).rows) == 1


def _named(name: str, lengths: Lengths) -> Lengths:
    return {LENGTH_KEY.format(name, key): length for key, length in lengths.items()}


def _by_indexer(lengths: Lengths, indexers: Iterable[str]) -> Dict[str, Lengths]:
    """Each indexer's own, under the names that it gives them."""
    own: Dict[str, Lengths] = {name: {} for name in indexers}
    for key, length in lengths.items():
        name, _, own_key = key.partition(LENGTH_KEY.format("", ""))
        own[name][own_key] = length
    return own


class TokenwiseTexts:
    """
    Each different word once, and for each text which words it has.

    # Parameters

    key : `str`
        Of the tensor, and of its length.
    table : `Ragged`
        Per word, a number or several.
    words : `Ragged`
        Per text, its words' positions in the table.
    scalar : `bool`
        One number per word: the tensor has one dimension, else two.
    width_key : `str`
        The name of the padded length of a word's numbers; empty where all words have as many.
    """

    KIND = "tokenwise"

    def __init__(
        self, key: str, table: Ragged, words: Ragged, scalar: bool, width_key: str
    ) -> None:
        self.key = key
        self.table = table
        self.words = words
        self.scalar = scalar
        self.width_key = width_key

    @classmethod
    def of(cls, table: _Table, words: Ragged, width_key: str) -> "TokenwiseTexts":
        scalar = isinstance(table.rows[0], int)
        rows = [numpy.array([row] if scalar else row, dtype=numpy.int64) for row in table.rows]
        return cls(table.key, Ragged.of(rows), words, scalar, width_key)

    @classmethod
    def loaded(cls, name: str, content: Json, arrays: Arrays, words: Ragged) -> "TokenwiseTexts":
        table = Ragged.loaded(name, arrays)
        return cls(content["key"], table, words, content["scalar"], content["width_key"])

    def batch(self, indices: numpy.ndarray, lengths: Lengths) -> Dict[str, torch.Tensor]:
        # Each word of all texts is looked up in one go.
        texts = [self.words[index] for index in indices]
        words, length = numpy.concatenate(texts), lengths[self.key]
        # Shape: (num_texts, length)
        real = numpy.arange(length) < numpy.array([[len(text)] for text in texts])
        if self.scalar:
            padded = numpy.zeros(real.shape, numpy.int64)
            padded[real] = self.table.values[words]
        else:
            width = lengths[self.width_key] if self.width_key else self.table.length(0)
            padded = numpy.zeros((*real.shape, width), numpy.int64)
            padded[real] = self.table.padded_rows(words, width)
        return {self.key: torch.from_numpy(padded)}

    def to_arrays(self, name: str) -> Arrays:
        return self.table.to_arrays(name)

    @property
    def content(self) -> Json:
        return {
            "kind": self.KIND,
            "key": self.key,
            "scalar": self.scalar,
            "width_key": self.width_key,
        }


class OtherTexts:
    """
    What an indexer makes of each text as a whole. The indexer itself pads it.

    # Parameters

    lists : `Dict[str, Ragged]`
        Per text one number per entry.
    rows : `Dict[str, Tuple[Ragged, Ragged]]`
        Per text several numbers per entry: which rows, and the rows.
    keys : `List[str]`
        In the indexer's order.
    indexer : `TokenIndexer`
    """

    KIND = "other"

    def __init__(
        self,
        lists: Dict[str, Ragged],
        rows: Dict[str, Tuple[Ragged, Ragged]],
        keys: List[str],
        indexer: TokenIndexer,
    ) -> None:
        self.lists = lists
        self.rows = rows
        self.keys = keys
        self.indexer = indexer

    @classmethod
    def of(cls, texts: List[Indexed], indexer: TokenIndexer) -> "OtherTexts":
        lists: Dict[str, Ragged] = {}
        rows: Dict[str, Tuple[Ragged, Ragged]] = {}
        for key in texts[0]:
            column = [text[key] for text in texts]
            if all(type(entry) in (int, bool) for entries in column for entry in entries):
                lists[key] = Ragged.of([_array(entries) for entries in column])
            else:
                rows[key] = _rows(key, column)
        return cls(lists, rows, list(texts[0]), indexer)

    @classmethod
    def loaded(
        cls, name: str, content: Json, arrays: Arrays, indexer: TokenIndexer
    ) -> "OtherTexts":
        lists = {key: Ragged.loaded(f"{name}.{key}", arrays) for key in content["lists"]}
        rows = {
            key: (
                Ragged.loaded(f"{name}.{key}.numbers", arrays),
                Ragged.loaded(f"{name}.{key}.rows", arrays),
            )
            for key in content["keys"]
            if key not in lists
        }
        return cls(lists, rows, content["keys"], indexer)

    def _padded(self, index: int, lengths: Lengths) -> Dict[str, torch.Tensor]:
        indexed: Indexed = {}
        for key in self.keys:
            if key in self.lists:
                indexed[key] = self.lists[key][index].tolist()
            else:
                numbers, rows = self.rows[key]
                indexed[key] = [rows[number].tolist() for number in numbers[index]]
        return self.indexer.as_padded_tensor_dict(indexed, lengths)

    def batch(self, indices: numpy.ndarray, lengths: Lengths) -> Dict[str, torch.Tensor]:
        texts = [self._padded(index, lengths) for index in indices]
        return {key: torch.stack([text[key] for text in texts]) for key in texts[0]}

    def to_arrays(self, name: str) -> Arrays:
        arrays: Arrays = {}
        for key, values in self.lists.items():
            arrays.update(values.to_arrays(f"{name}.{key}"))
        for key, (numbers, rows) in self.rows.items():
            arrays.update(numbers.to_arrays(f"{name}.{key}.numbers"))
            arrays.update(rows.to_arrays(f"{name}.{key}.rows"))
        return arrays

    @property
    def content(self) -> Json:
        return {"kind": self.KIND, "keys": self.keys, "lists": list(self.lists)}


def _rows(key: str, column: List[List[Any]]) -> Tuple[Ragged, Ragged]:
    """Each different row once."""
    interned = Interned()
    try:
        numbers = [[interned.number(tuple(row)) for row in rows] for rows in column]
    except TypeError as error:
        raise NotRepresentable(f"{key!r} of a token indexer") from error
    if not all(type(number) is int for row in interned for number in row):
        raise NotRepresentable(f"{key!r} of a token indexer")
    table = Ragged.of([numpy.array(row, dtype=numpy.int64) for row in interned])
    return Ragged.of([numpy.array(rows, dtype=numpy.int64) for rows in numbers]), table


def _array(entries: List[Any]) -> numpy.ndarray:
    """Of whole numbers, or of true and false."""
    boolean = bool(entries) and type(entries[0]) is bool
    return numpy.array(entries, dtype=bool if boolean else numpy.int64)
