"""
brat standoff: a folder of .txt files, each with its .ann (or BioNLP's .a1 and .a2), to any depth.

Entities become mentions, relations (R) relations, and equivalences (*) and relations of a coreference type
clusters. A discontinuous entity is left out and counted, or, with --discontinuous widen, becomes one mention
from its first character to its last. Events and their triggers, attributes, normalizations and notes are
left out and counted.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from hmtl.errors import DataError
from hmtl.formats.annotated import CharacterSlice, Document, Mention, Relation
from hmtl.formats.brackets import Span
from hmtl.formats.brat import BARE_SPAN, NAME_PREFIX
from hmtl.formats.columns import BYTE_ORDER_MARK
from hmtl.importing import corpus_writer, splits, tokenization
from hmtl.importing.brat_files import (
    ANNOTATION_SUFFIX,
    TEXT_SUFFIX,
    Annotations,
    Entity,
    read_annotations,
)
from hmtl.importing.sources import by_stem, name_of
from hmtl.importing.tally import Tally
from hmtl.importing.tokenization import Segmenter, WordIndex
from hmtl.importing.unions import linked

# How brat's own configurations and those of corpora name the link between coreferent entities.
COREFERENCE_TYPES = ("Equiv", "Coref", "Coreference")
DROP, WIDEN = "drop", "widen"
NOT_ANNOTATED = "no .ann beside the .txt"
NO_TEXT = "no .txt beside the .ann"
TURNED = "arguments turned round, to stand as in the others of the type"
DISCONTINUOUS = "is discontinuous"
WIDENED = "widened over the gaps of a discontinuous one"
OF_LOST_MENTION = "one of its mentions was left out"
MENTION_LOST = "the mention was left out"
NO_PLACE = "nothing is learned from them"
_ANNOTATION_SUFFIXES = (ANNOTATION_SUFFIX, ".a1", ".a2")
# Ways to count characters that tools have beside brat's own: what they take the text for.
_OTHER_COUNTS: dict[str, Callable[[str], str]] = {
    "places counted a line end of CR and LF as one": lambda text: text.replace("\r\n", "\n"),
    "places counted a line end as two": lambda text: re.sub("\r?\n", "\r\n", text),
    "places did not count the byte order mark": lambda text: text.removeprefix(BYTE_ORDER_MARK),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the format."""
    parser.add_argument(
        "--coref-type",
        action="append",
        metavar="TYPE",
        help="the relations (R) and equivalences (*) that link coreferent entities; may be repeated "
        f"(default: {', '.join(COREFERENCE_TYPES)})",
    )
    parser.add_argument(
        "--discontinuous",
        choices=(DROP, WIDEN),
        default=DROP,
        help="what becomes of an entity in pieces (default: %(default)s)",
    )
    tokenization.add_arguments(parser)
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
    short = splits.without_folders(files)
    own = {short[name]: split for name, split in splits.by_folders(files).items()}
    division = splits.choose(arguments, short.values, own)
    converter = _Converter(
        tokenization.segmenter(arguments),
        arguments.sentences == tokenization.SPACY,
        frozenset(arguments.coref_type or COREFERENCE_TYPES),
        arguments.discontinuous == WIDEN,
        tally,
    )
    documents = (converter.document(short[name], same) for name, same in files.items())
    corpus_writer.write_corpus(arguments, documents, division, tally, len(files))
    return tally


@dataclass(frozen=True)
class _Converter:
    segment: Segmenter
    join: bool
    coreference_types: frozenset[str]
    widen: bool
    tally: Tally
    # By type of relation the roles of its arguments, in the order in which they first stood.
    roles: dict[str, tuple[str, str]] = field(default_factory=dict)

    def document(self, name: str, files: Mapping[str, Path]) -> Document:
        """One text with its annotations."""
        text, annotations = self._read(files)
        for kind, count in annotations.others.items():
            self.tally.dropped(kind, NO_PLACE, count)
        places = self._places(annotations, text)
        sentences = tokenization.cut(text, self.segment, places.values(), self.tally, self.join)
        index = WordIndex(text, sentences)
        spans = {entity: index.span(place) for entity, place in places.items()}
        found = {entity: span for entity, span in spans.items() if span is not None}
        self.tally.dropped("mentions", tokenization.COVERS_NO_WORD, len(spans) - len(found))
        entities = [(annotations.entities[entity].type, span) for entity, span in found.items()]
        return Document(
            name,
            sentences,
            mentions=[Mention(*span, type_) for type_, span in entities if not _is_apart(type_)],
            names=[
                Mention(*span, type_.removeprefix(NAME_PREFIX))
                for type_, span in entities
                if type_.startswith(NAME_PREFIX)
            ],
            relations=self._relations(annotations, found),
            clusters=self._clusters(annotations, found),
            text=text,
        )

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
            for how, as_counted in _OTHER_COUNTS.items():
                with suppress(DataError):
                    other = as_counted(text)
                    annotations = read_annotations(paths, other, all_quoted=True)
                    self.tally.changed("documents", how)
                    return other, annotations
            raise error

    def _places(self, annotations: Annotations, text: str) -> dict[str, CharacterSlice]:
        """Where each entity stands, as one slice of the text."""
        places: dict[str, CharacterSlice] = {}
        for name, entity in annotations.entities.items():
            if _is_one_piece(entity, text):
                places[name] = _extent(entity)
            elif self.widen:
                self.tally.changed("mentions", WIDENED)
                places[name] = _extent(entity)
            else:
                self.tally.dropped("mentions", DISCONTINUOUS)
        return places

    def _relations(self, annotations: Annotations, spans: dict[str, Span]) -> list[Relation]:
        relations = []
        for relation in annotations.relations:
            if relation.type in self.coreference_types:
                continue
            if relation.arg1 not in spans or relation.arg2 not in spans:
                self.tally.dropped("relations", OF_LOST_MENTION)
                continue
            arguments = spans[relation.arg1], spans[relation.arg2]
            usual = self.roles.setdefault(relation.type, relation.roles)
            if relation.roles != usual and relation.roles == usual[::-1]:
                arguments = arguments[::-1]
                self.tally.changed("relations", TURNED)
            relations.append(Relation(relation.type, *arguments))
        return relations

    def _clusters(self, annotations: Annotations, spans: dict[str, Span]) -> list[list[Span]]:
        links: list[tuple[str, ...]] = []
        for equivalence in annotations.equivalences:
            if equivalence.type in self.coreference_types:
                links.append(equivalence.names)
            else:
                self.tally.dropped(f"equivalences of type {equivalence.type}", NO_PLACE)
        links += [
            (relation.arg1, relation.arg2)
            for relation in annotations.relations
            if relation.type in self.coreference_types
        ]
        clusters = []
        for names in linked(links):
            kept = [spans[name] for name in names if name in spans]
            self.tally.dropped("cluster members", MENTION_LOST, len(names) - len(kept))
            if kept:
                clusters.append(kept)
            else:
                self.tally.dropped("clusters", MENTION_LOST)
        return clusters


def _is_apart(entity_type: str) -> bool:
    """Whether `hmtl.formats.brat` wrote the entity for a name, or for a span that is no mention."""
    return entity_type.startswith(NAME_PREFIX) or entity_type == BARE_SPAN


def _is_one_piece(entity: Entity, text: str) -> bool:
    """brat itself cuts an entity in pieces where it runs over a line end: such pieces are no gap."""
    gaps = pairwise(sorted(entity.pieces))
    return all(not text[end:begin].strip() for (_, end), (begin, _) in gaps)


def _extent(entity: Entity) -> CharacterSlice:
    return min(begin for begin, _ in entity.pieces), max(end for _, end in entity.pieces)


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
