"""
JSON lines as SciERC and DyGIE++ use: a .json or .jsonl file, or a folder of them, a document a line.

Read are doc_key, sentences, ner, relations and clusters (spans counted in tokens over the document, both ends
inclusive). With --predicted what a model wrote in predicted_ner and so on is read in their place. Events are
left out and counted; other fields are passed over.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from hmtl.data_import import corpus_writer, splits
from hmtl.data_import.documents import Document, Mention, Relation, Sentence
from hmtl.data_import.json_files import Fields, read_json_lines
from hmtl.data_import.naming import UniqueNames
from hmtl.data_import.sources import files_in
from hmtl.data_import.tally import Tally
from hmtl.formats.brackets import Span
from hmtl.formats.columns import shown

SUFFIXES = (".json", ".jsonl")
NO_PLACE = "nothing is learned from them"
# Of a list in `ner` and `relations`: how many numbers come before the type. What follows the type (the scores
# of a prediction) is passed over.
_NER_NUMBERS, _RELATION_NUMBERS = 2, 4


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the format."""
    parser.add_argument(
        "--predicted",
        action="store_true",
        help="read predicted_ner, predicted_relations and predicted_clusters",
    )
    corpus_writer.add_arguments(parser, default_layout="like_conll")


def run(arguments: argparse.Namespace) -> Tally:
    """Converts a file or a folder."""
    tally = Tally()
    files = files_in(arguments.source, SUFFIXES)
    reader = _Reader("predicted_" if arguments.predicted else "", tally)
    documents: list[Document] = []
    file_of: dict[str, str] = {}
    names = UniqueNames(tally)
    for file in files:
        for document in reader.documents(file):
            document.name = names.of(document.name)
            documents.append(document)
            file_of[document.name] = file.name
    division = splits.choose(arguments, file_of.keys, splits.of_source(file_of))
    corpus_writer.write_corpus(arguments, documents, division, tally, len(documents))
    return tally


@dataclass(frozen=True)
class _Reader:
    prefix: str
    tally: Tally

    def documents(self, path: Path) -> Iterator[Document]:
        for number, content in read_json_lines(path):
            yield self._document(Fields(content, path, number))

    def _document(self, fields: Fields) -> Document:
        sentences = fields.sentences("sentences")
        length = sum(map(len, sentences))
        events = sum(map(len, fields.list_of(f"{self.prefix}events")))
        self.tally.dropped("events", NO_PLACE, events)
        mentions = [
            Mention(start, end, label)
            for (start, end), label in self._rows(fields, "ner", _NER_NUMBERS, length)
        ]
        relations = [
            Relation(label, (first, last), (other_first, other_last))
            for (first, last, other_first, other_last), label in self._rows(
                fields, "relations", _RELATION_NUMBERS, length
            )
        ]
        return Document(
            fields.string("doc_key"),
            [Sentence(words) for words in sentences if words],
            mentions=mentions,
            relations=relations,
            clusters=self._clusters(fields, length),
        )

    def _rows(
        self, fields: Fields, key: str, num_numbers: int, length: int
    ) -> Iterator[tuple[list[int], str]]:
        """The numbers and the type of each list in a field that has a list of them for each sentence."""
        key = self.prefix + key
        for row in chain.from_iterable(_lists(fields, key)):
            if (
                not isinstance(row, list)
                or len(row) <= num_numbers
                or not isinstance(row[num_numbers], str)
            ):
                raise fields.error(
                    f"{key} holds {shown(json.dumps(row))}; expected {num_numbers} numbers and a type"
                )
            numbers = row[:num_numbers]
            for span in zip(numbers[::2], numbers[1::2]):
                _check_span(span, length, key, fields)
            yield numbers, row[num_numbers]

    def _clusters(self, fields: Fields, length: int) -> list[list[Span]]:
        key = f"{self.prefix}clusters"
        clusters: list[list[Span]] = []
        for cluster in _lists(fields, key):
            clusters.append([])
            for mention in cluster:
                span = tuple(mention[:2]) if isinstance(mention, list) else (mention,)
                _check_span(span, length, key, fields)
                clusters[-1].append((span[0], span[1]))
        return clusters


def _lists(fields: Fields, key: str) -> list[list[Any]]:
    lists = fields.list_of(key)
    for inner in lists:
        if not isinstance(inner, list):
            raise fields.error(f"{key} holds {shown(json.dumps(inner))}; expected a list of lists")
    return lists


def _check_span(span: Sequence[Any], length: int, key: str, fields: Fields) -> None:
    whole = len(span) == 2 and all(isinstance(i, int) and not isinstance(i, bool) for i in span)
    if not whole or not 0 <= span[0] <= span[1] < length:
        raise fields.error(
            f"{key} has the span {shown(json.dumps(span))}; expected two of the {length} tokens of the "
            "document, counted from 0, the first before the last"
        )
