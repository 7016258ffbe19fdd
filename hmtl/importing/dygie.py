"""
JSON lines as SciERC and DyGIE++ use: a .json or .jsonl file, or a folder of them, a document a line.

Read are doc_key, sentences, ner, relations and clusters: spans counted in tokens over the document, both ends
inclusive. A file whose spans are counted from each sentence is refused, since they then stand in the lists of
other sentences than they are in, or read with --counted-from sentence. With --predicted what a model wrote in
predicted_ner and so on is read in their place. Events are left out and counted; other fields are passed over.
"""

from __future__ import annotations

import argparse
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, pairwise
from pathlib import Path
from typing import Any

from hmtl.formats.annotated import Document, Mention, Relation, Sentence
from hmtl.formats.brackets import Span
from hmtl.formats.columns import shown_json
from hmtl.formats.json_files import Fields
from hmtl.importing import corpus_writer, splits
from hmtl.importing.json_corpus import records_of
from hmtl.importing.naming import UniqueNames
from hmtl.importing.sources import files_in, part_that_tells
from hmtl.importing.tally import Tally

SUFFIXES = (".json", ".jsonl")
PREDICTED = "predicted_"
FIELDS = ("ner", "relations", "clusters")
DOCUMENT, SENTENCE = "document", "sentence"
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
    parser.add_argument(
        "--counted-from",
        choices=(DOCUMENT, SENTENCE),
        help="where the spans of ner and relations are counted from (default: the document, refusing what "
        "looks otherwise)",
    )
    corpus_writer.add_arguments(parser, default_layout="like_conll")


def run(arguments: argparse.Namespace) -> Tally:
    """Converts a file or a folder."""
    tally = Tally()
    files = files_in(arguments.source, SUFFIXES)
    reader = _Reader(PREDICTED if arguments.predicted else "", arguments.counted_from, tally)
    left = Tally()
    names = UniqueNames(left)
    own = {
        names.of(name): part_that_tells(file, arguments.source)
        for file in files
        for name in _names(file, left)
    }
    documents = _renamed((d for file in files for d in reader.documents(file)), UniqueNames(tally))
    if left.faults:
        # The others show where documents are made.
        deque(documents, maxlen=0)
        tally.faults.check()
    division = splits.choose(arguments, own.keys, splits.of_source(own))
    corpus_writer.write_corpus(arguments, documents, division, tally, len(own))
    return tally


def _names(path: Path, tally: Tally) -> Iterator[str]:
    for fields in records_of(path, tally):
        with tally.faults:
            yield fields.string("doc_key")


def _renamed(documents: Iterable[Document], names: UniqueNames) -> Iterator[Document]:
    for document in documents:
        document.name = names.of(document.name)
        yield document


@dataclass(frozen=True)
class _Reader:
    prefix: str
    counted_from: str | None
    tally: Tally

    def documents(self, path: Path) -> Iterator[Document]:
        for fields in records_of(path, self.tally):
            with self.tally.faults:
                yield self._document(fields)

    def _document(self, fields: Fields) -> Document:
        self._check_which_is_there(fields)
        sentences = fields.sentences("sentences")
        length = sum(map(len, sentences))
        ends = list(accumulate(map(len, sentences), initial=0))
        events = sum(map(len, fields.list_of(f"{self.prefix}events")))
        self.tally.dropped("events", NO_PLACE, events)
        mentions = [
            Mention(start, end, label)
            for (start, end), label in self._rows(fields, "ner", _NER_NUMBERS, ends)
        ]
        relations = [
            Relation(label, (first, last), (other_first, other_last))
            for (first, last, other_first, other_last), label in self._rows(
                fields, "relations", _RELATION_NUMBERS, ends
            )
        ]
        return Document(
            fields.string("doc_key"),
            [Sentence(words) for words in sentences if words],
            mentions=mentions,
            relations=relations,
            clusters=self._clusters(fields, length),
        )

    def _check_which_is_there(self, fields: Fields) -> None:
        """Predictions are not to be read as a corpus of no annotation, nor a corpus as none."""
        other = "" if self.prefix else PREDICTED
        there = [other + key for key in FIELDS if other + key in fields]
        if there and not any(self.prefix + key in fields for key in FIELDS):
            remedy = "leave --predicted out" if self.prefix else "add --predicted"
            wanted = ", ".join(self.prefix + key for key in FIELDS)
            raise fields.error(
                f"there is {', '.join(there)}, but none of {wanted}; to read what is there {remedy}"
            )

    def _rows(
        self, fields: Fields, key: str, num_numbers: int, ends: Sequence[int]
    ) -> Iterator[tuple[list[int], str]]:
        """
        The numbers, counted over the document, and the type of each list in a field that has a list of them
        for each sentence. `ends` holds where each sentence ends, after a 0.
        """
        key = self.prefix + key
        lists = _lists(fields, key)
        if lists and len(lists[0]) > num_numbers and isinstance(lists[0][0], int):
            raise fields.error(
                f"{key} holds {shown_json(lists[0])} where the list of a sentence should be; expected a list "
                "of lists for each sentence, in their order"
            )
        for row in chain.from_iterable(lists):
            if (
                not isinstance(row, list)
                or len(row) <= num_numbers
                or not isinstance(row[num_numbers], str)
            ):
                raise fields.error(
                    f"{key} holds {shown_json(row)}; expected {num_numbers} numbers and a type, as "
                    f"{shown_json([*range(num_numbers), 'TYPE'])}"
                )
        if lists and len(lists) != len(ends) - 1:
            raise fields.error(
                f"{key} has {len(lists)} lists, and there are {len(ends) - 1} sentences; expected as many"
            )
        for sentence, (rows, (first, end)) in enumerate(zip(lists, pairwise(ends))):
            begin, length, whose = 0, ends[-1], "the document"
            if self.counted_from == SENTENCE:
                begin, length, whose = first, end - first, f"sentence {sentence}"
            for row in rows:
                numbers = row[:num_numbers]
                spans = list(zip(numbers[::2], numbers[1::2]))
                for span in spans:
                    _check_span(span, length, whose, key, fields)
                if self.counted_from is None and _is_misplaced(spans, first, end):
                    raise fields.error(
                        f"{key} has {shown_json(row)} in the list of sentence {sentence} (counted from 0), "
                        f"which has the tokens {first} to {end - 1} of the document. If spans are counted "
                        f"from each sentence, add --counted-from {SENTENCE}; if they are right, "
                        f"--counted-from {DOCUMENT}"
                    )
                yield [begin + number for number in numbers], row[num_numbers]

    def _clusters(self, fields: Fields, length: int) -> list[list[Span]]:
        key = f"{self.prefix}clusters"
        clusters: list[list[Span]] = []
        for cluster in _lists(fields, key):
            clusters.append([])
            for mention in cluster:
                span = tuple(mention[:2]) if isinstance(mention, list) else (mention,)
                _check_span(span, length, "the document", key, fields)
                clusters[-1].append((span[0], span[1]))
        return clusters


def _lists(fields: Fields, key: str) -> list[list[Any]]:
    lists = fields.list_of(key)
    for inner in lists:
        if not isinstance(inner, list):
            raise fields.error(f"{key} holds {shown_json(inner)}; expected a list of lists")
    return lists


def _is_misplaced(spans: Sequence[Span], first: int, end: int) -> bool:
    """
    Whether spans, valid for the document, cannot be meant so in the list of a sentence: none of them begins
    in it, or one does not, and all would fit if they were counted from its beginning. (What is left are
    relations between two sentences.)
    """
    inside = [first <= start < end for start, _ in spans]
    if all(inside):
        return False
    return not any(inside) or all(last < end - first for _, last in spans)


def _check_span(span: Sequence[Any], length: int, whose: str, key: str, fields: Fields) -> None:
    whole = len(span) == 2 and all(isinstance(i, int) and not isinstance(i, bool) for i in span)
    if not whole or not 0 <= span[0] <= span[1] < length:
        raise fields.error(
            f"{key} has the span {shown_json(span)}; expected two of the {length} tokens of {whose}, counted "
            f"from 0, the first before the last{_hint(span, length)}"
        )


def _hint(span: Sequence[Any], length: int) -> str:
    """What a wrong span looks like."""
    numbers = [number for number in span if isinstance(number, int)]
    if len(numbers) == len(span) == 2:
        if numbers[1] == length:
            return ". Does it end behind its last token? The last token is to be named itself"
        if numbers[1] > length:
            return ". Are these characters, or numbers from the beginning of something longer?"
    return ""
