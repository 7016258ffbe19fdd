"""
DocRED JSON (Yao et al. 2019), also of Re-DocRED: one .json file, or a folder of them.

With --to docred all stays as it is: entities, relations between entities, evidence. Other layouts have no
entities: these (vertexSet) become mentions and clusters. Relations, of entities of a document, are written in
every sentence in which both have a mention, between the two mentions that begin closest to each other (of
equally close ones those that come first); where there is no such sentence, between the first mentions, if the
layout has a place for relations across sentences. Of mentions that share tokens the longest
stays, before relations are placed. Relation types are Wikidata's property numbers unless rel_info.json, which
the release brings, names them.
"""

from __future__ import annotations

import argparse
import logging
import re
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from hmtl.errors import DataError
from hmtl.formats.annotated import Document, Entity, Mention, Relation
from hmtl.formats.brackets import Span
from hmtl.formats.docred import BLANK, SUFFIX, title_of, to_document
from hmtl.formats.json_files import read_json
from hmtl.formats.json_records import read_records
from hmtl.importing import corpus_writer, splits
from hmtl.importing.corpus_writer import NO_WORD
from hmtl.importing.layouts import LAYOUTS, Docred
from hmtl.importing.naming import UniqueNames
from hmtl.importing.resolution import without_overlaps
from hmtl.importing.sources import files_in, part_that_tells
from hmtl.importing.splits import TRAIN, Splits
from hmtl.importing.tally import TRIPLES, Tally

logger = logging.getLogger(__name__)

RELATION_NAMES = "rel_info.json"
NO_SENTENCE = "no sentence has mentions of both entities"
UNNAMED = "its type is not in --relation-names"
RARE = "its type is too rare in the training documents"
RELATIONS, ENTITY_RELATIONS = "relations", "entity_relations"
MENTION_LOST = "the mention was left out"
BLANK_WORD = f"held blanks alone, or nothing, and became {BLANK}"
# Long titles are cut in the names of documents; the number before them tells them apart.
_LONGEST_TITLE = 40


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the format."""
    parser.add_argument(
        "--relation-names",
        type=Path,
        metavar="FILE",
        help='JSON that names the relation types, as the release\'s rel_info.json: {"P17": "country", ...}; '
        f"types that it does not name are left out (default: {RELATION_NAMES} beside the corpus, if there). "
        "With --to docred types stay numbers",
    )
    parser.add_argument(
        "--least-relations",
        type=int,
        default=1,
        metavar="N",
        help="leave out relation types with fewer than N relations in the training documents (with "
        "--split-by labels: in all)",
    )
    corpus_writer.add_arguments(parser, default_layout="like_conll")


def run(arguments: argparse.Namespace) -> Tally:
    """Converts a file or a folder."""
    tally = Tally()
    files = [file for file in files_in(arguments.source, [SUFFIX]) if file.name != RELATION_NAMES]
    layout = LAYOUTS[arguments.to]
    by_spans: Callable[[Tally], Reader] | None = None
    if layout is not Docred:
        relation_names = _relation_names(arguments.relation_names, arguments.source)
        by_spans = partial(Reader, relation_names, across=layout.crosses_sentences)

    def documents(tally: Tally) -> Iterator[Document]:
        reader = by_spans and by_spans(tally)
        for document in _documents(files, tally):
            yield document if reader is None else reader.by_spans(document)

    left = Tally()
    part_of = {name: part_that_tells(file, arguments.source) for file, name in _names(files, left)}
    if left.faults:
        # The others show where documents are made.
        deque(documents(tally), maxlen=0)
        tally.faults.check()
    division = splits.choose(arguments, part_of.keys, splits.of_source(part_of))
    of = RELATIONS if by_spans else ENTITY_RELATIONS
    kept = documents(tally)
    if arguments.least_relations > 1:
        counts = type_counts(documents(Tally()), division, of)
        kept = without_rare_types(kept, counts, arguments.least_relations, tally, of)
    corpus_writer.write_corpus(arguments, kept, division, tally, len(part_of))
    return tally


def _records(files: Iterable[Path], tally: Tally) -> Iterator[tuple[Path, int, int, Any]]:
    """What stands in each file for a document: with its number there, counted from 0, and its line."""
    for file in files:
        records = read_records(file, tally.faults.add, tally.replaced)
        for number, (line, content) in enumerate(records):
            yield file, number, line, content


def _names(files: Iterable[Path], tally: Tally) -> Iterator[tuple[Path, str]]:
    """The name of each document, with its file."""
    names = UniqueNames(tally)
    for file, number, line, content in _records(files, tally):
        with tally.faults:
            title = title_of(content, number, file, line)
            yield file, names.of(document_name(file.stem, number, title))


def _documents(files: Iterable[Path], tally: Tally) -> Iterator[Document]:
    """The documents, under the same names."""
    names = UniqueNames(tally)
    for file, number, line, content in _records(files, tally):
        with tally.faults:
            document = to_document(content, number, file, line)
            sentences = content["sents"]
            tally.dropped("sentences", NO_WORD, len(sentences) - len(document.sentences))
            blank = sum(not word.strip() for words in sentences for word in words)
            tally.changed("words", BLANK_WORD, blank)
            document.name = names.of(document_name(file.stem, number, document.name))
            yield document


def _relation_names(path: Path | None, source: Path) -> dict[str, str] | None:
    if path is None:
        path = (source if source.is_dir() else source.parent) / RELATION_NAMES
        if not path.is_file():
            logger.info("no %s beside the corpus: relation types stay as they are", RELATION_NAMES)
            return None
    names = read_json(path)
    if not isinstance(names, dict) or not all(isinstance(name, str) for name in names.values()):
        raise DataError('expected {"P17": "country", ...}', path)
    return names


@dataclass(frozen=True)
class Reader:
    """
    # Parameters

    relation_names : `Mapping[str, str]`, optional
        By its property number the name of each relation type; others are left out. `None`: types stay
        numbers.
    tally : `Tally`
        Counts what does not get into a document.
    across : `bool`, optional (default = `False`)
        Relate the first mentions of two entities that have none in one sentence.
    """

    relation_names: Mapping[str, str] | None
    tally: Tally
    across: bool = False

    def by_spans(self, document: Document) -> Document:
        """A document with mentions, clusters and relations of mentions beside its entities."""
        mentions = self._apart([mention for each in document.entities for mention in each.mentions])
        spans = _spans_by_entity(document.entities, mentions)
        clusters = [cluster for cluster in spans if cluster]
        self.tally.dropped("clusters", MENTION_LOST, len(spans) - len(clusters))
        relations = self._relations(document, spans)
        return replace(document, mentions=mentions, clusters=clusters, relations=relations)

    def _apart(self, mentions: Sequence[Mention]) -> list[Mention]:
        apart = without_overlaps(mentions, self.tally, "mentions")
        lost = len(mentions) - len(apart)
        self.tally.read("mentions", lost)
        self.tally.dropped("cluster members", MENTION_LOST, lost)
        return apart

    def _relations(self, document: Document, spans: Sequence[Sequence[Span]]) -> list[Relation]:
        sentences = document.sentence_of_words()
        relations: list[Relation] = []
        for relation in document.entity_relations:
            self.tally.read(TRIPLES)
            if self.relation_names is not None and relation.type not in self.relation_names:
                self.tally.left_out(TRIPLES, UNNAMED)
                continue
            named = _hyphenated((self.relation_names or {}).get(relation.type, relation.type))
            heads, tails = spans[relation.head], spans[relation.tail]
            pairs = closest_pairs(heads, tails, sentences)
            if self.across and not pairs and heads and tails:
                pairs = [(heads[0], tails[0])]
            relations += [Relation(named, *pair) for pair in pairs]
            if pairs:
                self.tally.converted(TRIPLES)
            else:
                self.tally.left_out(TRIPLES, NO_SENTENCE)
        return relations


def document_name(collection: str, number: int, title: str) -> str:
    """The name of the document that has this number, counted from 0, in a file."""
    slug = re.sub(r"[^A-Za-z0-9]+", "-", title).strip("-")[:_LONGEST_TITLE]
    return f"{collection}/{number:03d}-{slug}"


def _hyphenated(name: str) -> str:
    """`languages spoken, written or signed` without blanks and commas, which columns do not bear."""
    return re.sub(r"[\W_]+", "-", name).strip("-")


def closest_pairs(
    heads: Sequence[Span], tails: Sequence[Span], sentences: Sequence[int]
) -> list[tuple[Span, Span]]:
    """
    For each sentence in which two entities both have mentions, the two that begin closest to each other; of
    equally close ones those that come first.

    # Parameters

    heads, tails : `Sequence[Span]`
        The mentions of the two entities.
    sentences : `Sequence[int]`
        For each word of the document the index of its sentence.
    """
    closest: dict[int, tuple[int, Span, Span]] = {}
    for head in heads:
        for tail in tails:
            sentence = sentences[head[0]]
            if sentence != sentences[tail[0]] or head == tail:
                continue
            candidate = (abs(tail[0] - head[0]), head, tail)
            closest[sentence] = min(closest.get(sentence, candidate), candidate)
    return [(head, tail) for _, (_, head, tail) in sorted(closest.items())]


def _spans_by_entity(entities: Sequence[Entity], kept: Sequence[Mention]) -> list[list[Span]]:
    """The spans of each entity, each span for the first entity that has it."""
    left = set(kept)
    spans: list[list[Span]] = []
    for entity in entities:
        own = left.intersection(entity.mentions)
        left -= own
        spans.append(sorted(mention.span for mention in own))
    return spans


def type_counts(
    documents: Iterable[Document], division: Splits, of: str = RELATIONS
) -> Counter[str]:
    """
    How many relations of each type training documents have (where labels decide which these are: all); `of`
    is the field of a document that holds them.
    """
    return Counter(
        relation.type
        for document in documents
        if division.of_labels is not None or division.split_of(document.name) == TRAIN
        for relation in getattr(document, of)
    )


def without_rare_types(
    documents: Iterable[Document],
    counts: Mapping[str, int],
    least: int,
    tally: Tally,
    of: str = RELATIONS,
) -> Iterator[Document]:
    """The documents without relations of a type that `type_counts` found fewer than `least` of."""
    kind = TRIPLES if of == ENTITY_RELATIONS else of
    for document in documents:
        relations = getattr(document, of)
        common = [each for each in relations if counts.get(each.type, 0) >= least]
        tally.dropped(kind, RARE, len(relations) - len(common))
        changes: dict[str, Any] = {of: common}
        yield replace(document, **changes)
