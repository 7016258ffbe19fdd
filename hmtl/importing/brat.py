"""
brat standoff: a folder of .txt files, each with its .ann (or BioNLP's .a1 and .a2), to any depth.

Entities become mentions, relations (R) relations, and equivalences (*) and relations of a coreference type
clusters. Events and their triggers, attributes, normalizations and notes are left out and counted. So is a
discontinuous entity where the files to write have no place for it (see --discontinuous).
The same text in several folders is that of several annotators: --annotators says who counts.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from hmtl.errors import DataError
from hmtl.formats.annotated import Document
from hmtl.formats.standoff import Link, Standoff
from hmtl.importing import annotators, corpus_writer, splits, standoff
from hmtl.importing.brat_files import (
    ANNOTATION_SUFFIX,
    TEXT_SUFFIX,
    Annotations,
    read_annotations,
)
from hmtl.importing.sources import by_stem, name_of
from hmtl.importing.standoff import OTHER_COUNTS, DocumentMaker
from hmtl.importing.tally import Tally

NOT_ANNOTATED = "no .ann beside the .txt"
NO_TEXT = "no .txt beside the .ann"
TURNED = "arguments turned round, to stand as in the others of the type"
NO_PLACE = "nothing is learned from them"
_ANNOTATION_SUFFIXES = (ANNOTATION_SUFFIX, ".a1", ".a2")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the format."""
    annotators.add_arguments(parser, "curation", "the name of the folder that is theirs")
    standoff.add_arguments(parser)
    corpus_writer.add_arguments(parser, default_layout="like_conll")


def run(arguments: argparse.Namespace) -> Tally:
    """Converts a folder, or one pair of files."""
    tally = Tally()
    source = arguments.source
    files: dict[str, dict[str, Path]] = {}
    for stem, same in by_stem(source, [TEXT_SUFFIX, *_ANNOTATION_SUFFIXES]).items():
        if TEXT_SUFFIX not in same:
            tally.dropped("documents", NO_TEXT)
        elif len(same) == 1:
            # A README.txt is no document.
            tally.dropped("documents", NOT_ANNOTATED)
        else:
            files[name_of(stem, source)] = same
    if not files:
        raise DataError(
            f"holds no document: expected files that end in {TEXT_SUFFIX}, and beside each one that ends in "
            f"{' or '.join(_ANNOTATION_SUFFIXES)}",
            source,
        )
    own = splits.by_folders(files)
    groups = annotators.by_text(
        files, lambda name: _read_text(files[name][TEXT_SUFFIX]), own.get, tally
    )
    counting = {
        name: counting
        for name, group in groups.items()
        if (counting := annotators.counting_files(arguments.annotators, group, tally))
    }
    if not counting:
        raise tally.nothing_left(source)
    short = splits.without_folders(counting)
    own = {short[name]: own[names[0]] for name, names in counting.items() if own}
    division = splits.choose(arguments, short.values, own)
    converter = _Converter(DocumentMaker(arguments, tally), tally)

    def documents() -> Iterator[Document]:
        for name, names in counting.items():
            with tally.faults:
                yield converter.document(short[name], [files[each] for each in names])

    corpus_writer.write_corpus(arguments, documents(), division, tally, len(counting))
    return tally


@dataclass(frozen=True)
class _Converter:
    maker: DocumentMaker
    tally: Tally
    # By type of relation the roles of its arguments, in the order in which they first stood.
    roles: dict[str, tuple[str, str]] = field(default_factory=dict)

    def document(self, name: str, of_annotators: Sequence[Mapping[str, Path]]) -> Document:
        """One text with its annotations; several of them are to be voted on."""
        read = [self._standoff(files) for files in of_annotators]
        found = annotators.combined(read, self.maker.is_coreference, self.tally)
        return self.maker.document(name, *found)

    def _standoff(self, files: Mapping[str, Path]) -> Standoff:
        text, annotations = self._read(files)
        for kind, count in annotations.others.items():
            self.tally.dropped(kind, NO_PLACE, count)
        links = [*self._equivalences(annotations), *self._relations(annotations)]
        return Standoff(text, annotations.entities, links)

    def _read(self, files: Mapping[str, Path]) -> tuple[str, Annotations]:
        """
        The text and what is said about it. Where the quoted words do not stand at their places, but would if
        characters were counted otherwise, the text is taken as it was counted.
        """
        text = _read_text(files[TEXT_SUFFIX])
        paths = [files[suffix] for suffix in _ANNOTATION_SUFFIXES if suffix in files]
        try:
            return text, read_annotations(paths, text)
        except DataError as error:
            for how, as_counted in OTHER_COUNTS.items():
                with suppress(DataError):
                    other = as_counted(text)
                    annotations = read_annotations(paths, other, all_quoted=True)
                    self.tally.changed("documents", how)
                    return other, annotations
            raise error

    def _relations(self, annotations: Annotations) -> Iterator[Link]:
        for relation in annotations.relations:
            arguments = relation.arg1, relation.arg2
            if self.maker.is_coreference(relation.type):
                yield Link(relation.type, *arguments)
                continue
            usual = self.roles.setdefault(relation.type, relation.roles)
            if relation.roles != usual and relation.roles == usual[::-1]:
                arguments = arguments[::-1]
                self.tally.changed("relations", TURNED)
            yield Link(relation.type, *arguments)

    def _equivalences(self, annotations: Annotations) -> Iterator[Link]:
        for equivalence in annotations.equivalences:
            if self.maker.is_coreference(equivalence.type):
                for first, second in pairwise(equivalence.names):
                    yield Link(equivalence.type, first, second)
            else:
                self.tally.dropped(f"equivalences of type {equivalence.type}", NO_PLACE)


def _read_text(path: Path) -> str:
    """The text as brat counts its characters: line ends as they stand."""
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(
            f"byte {error.start} is not UTF-8; convert the file to UTF-8", path
        ) from error
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", path) from error
