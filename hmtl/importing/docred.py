"""
DocRED JSON (Yao et al. 2019), also of Re-DocRED: one .json file, or a folder of them.

Entities (vertexSet) become mentions and clusters. Relations are annotated between entities of a document:
each is written in every sentence in which both have a mention, between the two mentions that begin closest to
each other (of equally close ones those that come first). Of mentions that share tokens the longest stays,
before relations are placed. Relation types are Wikidata's property numbers unless rel_info.json, which the
release brings, names them.
"""

from __future__ import annotations

import argparse
import logging
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hmtl.errors import DataError
from hmtl.formats.annotated import Document, Mention, Relation, Sentence
from hmtl.formats.brackets import Span
from hmtl.formats.columns import shown_json
from hmtl.importing import corpus_writer, splits
from hmtl.importing.json_files import Fields, read_json
from hmtl.importing.naming import UniqueNames
from hmtl.importing.resolution import without_overlaps
from hmtl.importing.sources import files_in
from hmtl.importing.splits import TRAIN, Splits
from hmtl.importing.tally import Tally

logger = logging.getLogger(__name__)

SUFFIX = ".json"
RELATION_NAMES = "rel_info.json"
NO_SENTENCE = "no sentence has mentions of both entities"
UNNAMED = "its type is not in --relation-names"
RARE = "its type is too rare in the training documents"
TRIPLES = "relations of entities"
MENTION_LOST = "the mention was left out"
# Long titles are cut in the names of documents; the number before them tells them apart.
_LONGEST_TITLE = 40


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the format."""
    parser.add_argument(
        "--relation-names",
        type=Path,
        metavar="FILE",
        help='JSON that names the relation types, as the release\'s rel_info.json: {"P17": "country", ...}; '
        f"types that it does not name are left out (default: {RELATION_NAMES} beside the corpus, if there)",
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
    names = UniqueNames(tally)
    reader = Reader(_relation_names(arguments.relation_names, arguments.source), tally)
    documents: list[Document] = []
    file_of: dict[str, str] = {}
    for file in files:
        for document in reader.documents(file, file.stem):
            document.name = names.of(document.name)
            documents.append(document)
            file_of[document.name] = file.name
    division = splits.choose(arguments, file_of.keys, splits.of_source(file_of))
    kept = without_rare_types(documents, arguments.least_relations, division, tally)
    corpus_writer.write_corpus(arguments, kept, division, tally, len(documents))
    return tally


def _relation_names(path: Path | None, source: Path) -> dict[str, str] | None:
    if path is None:
        path = (source if source.is_dir() else source.parent) / RELATION_NAMES
        if not path.is_file():
            logger.info("no %s beside the corpus: relation types stay numbers", RELATION_NAMES)
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
    """

    relation_names: Mapping[str, str] | None
    tally: Tally

    def documents(self, path: Path, collection: str) -> Iterator[Document]:
        """
        The documents of a file, named `<collection>/<number, from 0>-<title>`.

        # Raises

        `DataError`
            With file and document, for what is no DocRED.
        """
        content = read_json(path)
        if not isinstance(content, list):
            raise DataError('expected a list of documents, [{"title": ..., ...}, ...]', path)
        for number, fields in enumerate(content):
            title = Fields(fields, path, where=f"document {number}").string("title")
            name = document_name(collection, number, title)
            yield self._document(name, Fields(fields, path, where=f"document {number} ({title})"))

    def _document(self, name: str, fields: Fields) -> Document:
        sentences = fields.sentences("sents")
        entities = [
            [_mention(mention, sentences, fields) for mention in entity]
            for entity in fields.list_of("vertexSet")
        ]
        mentions = self._apart([mention for entity in entities for mention in entity])
        spans = _spans_by_entity(entities, mentions)
        document = Document(
            name,
            [Sentence(words) for words in sentences if words],
            mentions=mentions,
            clusters=[cluster for cluster in spans if cluster],
        )
        self.tally.dropped("clusters", MENTION_LOST, len(spans) - len(document.clusters))
        document.relations = self._relations(fields, spans, document.sentence_of_words())
        return document

    def _apart(self, mentions: Sequence[Mention]) -> list[Mention]:
        apart = without_overlaps(mentions, self.tally, "mentions")
        lost = len(mentions) - len(apart)
        self.tally.read("mentions", lost)
        self.tally.dropped("cluster members", MENTION_LOST, lost)
        return apart

    def _relations(
        self, fields: Fields, spans: Sequence[Sequence[Span]], sentences: Sequence[int]
    ) -> list[Relation]:
        relations: list[Relation] = []
        for label in fields.list_of("labels"):
            relation_type, head, tail = _triple(label, len(spans), fields)
            self.tally.read(TRIPLES)
            if self.relation_names is not None and relation_type not in self.relation_names:
                self.tally.left_out(TRIPLES, UNNAMED)
                continue
            named = _hyphenated((self.relation_names or {}).get(relation_type, relation_type))
            pairs = closest_pairs(spans[head], spans[tail], sentences)
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


def _mention(content: Any, sentences: Sequence[Sequence[str]], fields: Fields) -> Mention:
    """A mention of the source, whose place is a slice of a sentence."""
    mention = Fields(content, fields.path, where=fields.where)
    sentence, place = content.get("sent_id"), content.get("pos")
    try:
        begin, end = place
        if not 0 <= sentence < len(sentences) or not 0 <= begin < end <= len(sentences[sentence]):
            raise ValueError
    except (TypeError, ValueError):
        raise mention.error(
            f"a mention has sent_id {shown_json(sentence)} and pos {shown_json(place)}; expected the index "
            "of a sentence, counted from 0, and [begin, end] within it"
        ) from None
    first = sum(len(words) for words in sentences[:sentence])
    return Mention(first + begin, first + end - 1, mention.string("type"))


def _triple(content: Any, num_entities: int, fields: Fields) -> tuple[str, int, int]:
    label = Fields(content, fields.path, where=fields.where)
    head, tail = content.get("h"), content.get("t")
    for entity in (head, tail):
        if not isinstance(entity, int) or not 0 <= entity < num_entities:
            raise label.error(
                f"a label has h {shown_json(head)} and t {shown_json(tail)}; expected indices of the "
                f"{num_entities} entities, counted from 0"
            )
    return label.string("r"), head, tail


def _spans_by_entity(
    entities: Sequence[Sequence[Mention]], kept: Sequence[Mention]
) -> list[list[Span]]:
    """The spans of each entity, each span for the first entity that has it."""
    left = set(kept)
    spans: list[list[Span]] = []
    for entity in entities:
        own = left.intersection(entity)
        left -= own
        spans.append(sorted(mention.span for mention in own))
    return spans


def without_rare_types(
    documents: Sequence[Document], least: int, division: Splits, tally: Tally
) -> Iterator[Document]:
    """The documents without relations of a type that fewer than `least` training relations have."""
    counts = Counter(
        relation.type
        for document in documents
        if division.of_labels is not None or division.split_of(document.name) == TRAIN
        for relation in document.relations
    )
    for document in documents:
        common = [r for r in document.relations if least <= 1 or counts[r.type] >= least]
        tally.dropped("relations", RARE, len(document.relations) - len(common))
        yield replace(document, relations=common)
