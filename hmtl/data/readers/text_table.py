"""Labelled texts in tables: TSV, CSV, JSON lines."""

from collections import Counter
from os import PathLike
from typing import Any, Dict, Iterator, List, Optional, Union

from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Instance, TokenIndexer

from hmtl.data.readers.corpus_reader import INSTANCES
from hmtl.data.readers.labelled_text_reader import LabelledTextReader
from hmtl.errors import DataError, passing_over
from hmtl.formats.columns import shown_json
from hmtl.formats.spacy_text import LANGUAGE, load_pipeline, without_surrogates
from hmtl.formats.text_table import TABLE_FORMATS, read_table


@DatasetReader.register("text_table")
class TextTableReader(LabelledTextReader):
    """
    Texts with labels, a row each, from one file: TSV (cells parted by tabs, no quotes), CSV or JSON lines (an
    object each line). See `LabelledTextReader` for the instances.

    # Parameters

    text : `str` or `int`, optional (default = `"text"`)
        The column of the texts: its name in the header (or the key of the objects), or its number, counted
        from 1, in a table without a header. In JSON lines a text may be a list of tokens.
    label : `str` or `int`, optional (default = `"label"`)
        The column of the labels, likewise.
    label_separator : `str`, optional (default = `None`)
        What stands between the labels of a text that has several, as `";"`; in JSON lines they may be a list
        then. Without it each text has one label.
    format : `str`, optional (default = `None`)
        `"tsv"`, `"csv"` or `"jsonl"`; without it the file's name tells.
    tokenized : `bool`, optional (default = `False`)
        Whether the tokens of the texts are parted by blanks already. Else spaCy's rules part them, as they do
        in prediction.
    language : `str`, optional (default = `"en"`)
        Of these rules.
    label_namespace : `str`, optional (default = `"labels"`)
        The namespace of the labels.
    token_indexers : `Dict[str, TokenIndexer]`, optional (default = single ids, named `"tokens"`)
    max_instances : `int`, optional (default = `None`)
        Read no more than this many instances.
    """

    def __init__(
        self,
        text: Union[str, int] = "text",
        label: Union[str, int] = "label",
        label_separator: Optional[str] = None,
        format: Optional[str] = None,
        tokenized: bool = False,
        language: str = LANGUAGE,
        label_namespace: str = "labels",
        token_indexers: Optional[Dict[str, TokenIndexer]] = None,
        max_instances: Optional[int] = None,
    ) -> None:
        super().__init__(
            label_namespace, label_separator is not None, token_indexers, max_instances
        )
        if isinstance(text, str) != isinstance(label, str):
            raise ConfigurationError(
                f"text is {text!r} and label is {label!r}: name both columns, or number both"
            )
        for key, column in (("text", text), ("label", label)):
            if isinstance(column, int) and column < 1:
                raise ConfigurationError(f"{key} is {column}; columns are counted from 1")
        if label_separator == "":
            raise ConfigurationError("label_separator is empty; write what stands between labels")
        if format is not None and format not in TABLE_FORMATS:
            raise ConfigurationError(
                f"format is {format!r}; choose one of {', '.join(TABLE_FORMATS)}"
            )
        self._columns = [text, label]
        self._separator = label_separator
        self._format = format
        self._tokenized = tokenized
        self._language = language
        self._pipeline: Any = None

    def _read(self, file_path: Union[str, PathLike]) -> Iterator[Instance]:
        counts: Counter[str] = Counter()
        rows = read_table(file_path, self._columns, self._format, self.on_error)
        for line, (text, label) in rows:
            with passing_over(self.on_error):
                try:
                    words, labels = self._words(text), self._labels(label)
                except ValueError as error:
                    raise DataError(str(error), file_path, line) from error
                counts[INSTANCES] += 1
                counts["labels"] += len(labels)
                yield self.text_to_instance(words, labels, f"{file_path}:{line}")
        self.conclude(file_path, counts)

    def _words(self, text: Any) -> List[str]:
        where = f"the text (column {self._columns[0]!r})"
        if isinstance(text, list) and all(isinstance(word, str) and word.strip() for word in text):
            words = text
        elif not isinstance(text, str):
            raise ValueError(
                f"{where} is {shown_json(text)}; expected a string, or a list of words"
            )
        elif self._tokenized:
            words = text.split()
        else:
            if self._pipeline is None:
                self._pipeline = load_pipeline(language=self._language)
            tokens = self._pipeline.tokenizer(without_surrogates(text))
            words = [token.text for token in tokens if not token.is_space]
        if not words:
            raise ValueError(f"{where} is empty; expected a text with a word in it")
        return words

    def _labels(self, label: Any) -> List[str]:
        where = f"the label (column {self._columns[1]!r})"
        if isinstance(label, list) and self._separator is None:
            raise ValueError(
                f"{where} is the list {shown_json(label)}; expected one label. Should texts have several, "
                "give the reader a label_separator"
            )
        if isinstance(label, str) and self._separator is not None:
            found: List[Any] = [each for each in label.split(self._separator) if each.strip()]
        else:
            found = label if isinstance(label, list) else [label]
        for each in found:
            # A number in JSON is a class as well as a word is.
            if not isinstance(each, (str, int)):
                raise ValueError(f"{where} is {shown_json(label)}; expected a string or a number")
        labels = [each.strip() if isinstance(each, str) else shown_json(each) for each in found]
        if not all(labels):
            raise ValueError(f"{where} is empty")
        return list(dict.fromkeys(labels))
