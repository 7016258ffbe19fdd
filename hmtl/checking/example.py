"""An instance of whatever reader as plain data: words, and what is said of them."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from allennlp.data import Instance
from allennlp.data.fields import Field, MetadataField, SequenceLabelField, TextField
from allennlp.data.token_indexers import SingleIdTokenIndexer

from hmtl.data.fields.labelled_pairs_field import (
    EntityPairsField,
    LabelledPairsField,
    LabelledSpansField,
)
from hmtl.data.fields.spans_field import SpansField
from hmtl.formats.annotated import Relation
from hmtl.formats.brackets import LabelledSpan, Span
from hmtl.formats.tags import OUTSIDE, tags_to_spans

# The readers here give one of IOB1, BIO and BIOUL; a reader of a user's own may give BIOES.
_TAG = re.compile(r"O|[BIOULES]-.+")
_BIOES_TO_BIOUL = {"E": "L", "S": "U"}


@dataclass(frozen=True)
class Example:
    """
    What an instance holds. Tokens are counted from 0 within it; spans are `(start, end)`, both ends
    inclusive.

    # Parameters

    words : `list[str]`
    num_sentences : `int`
    sentences : `list[Span]`
        In order; together they cover the words. Empty where the reader does not tell where they end.
    whole_document : `bool`
        Whether it is a document, not a sentence of one.
    spans : `list[LabelledSpan]`, optional
        The spans that the task is to find; one a token where the tags are no spans (parts of speech, say);
        `None` where the task is another.
    mentions : `list[LabelledSpan]`
        Spans that are given beside what the task is to find.
    relations : `list[Relation]`, optional
        From token to token, as the relation readers give them; `None` where the task has none.
    clusters : `list[list[Span]]`, optional
        `None` where the task has none.
    entities, entity_relations : `int`, optional
        How many, where the task relates entities of documents.
    labels : `Counter[str]`
        What the task is to tell apart: labels of spans, types of relations, classes.
    fields : `frozenset[str]`
        The names of the instance's fields.
    vocabulary_labels : `dict[str, dict[str, int]]`
        What the vocabulary counts of it, by namespace: tags with their prefixes, types of relations.
    vocabulary_words : `dict[str, dict[str, int]]`
        The same of the words, as the token indexers see them (lower-cased, say); without characters.
    document : `tuple[str, int]`, optional
        Name and part; `None` where the corpus has no names.
    source : `str`
        `path:line`, or empty where the reader does not tell.
    max_span_width : `int`, optional
        Wider mentions are never candidates.
    """

    words: list[str]
    num_sentences: int = 1
    sentences: list[Span] = field(default_factory=list)
    whole_document: bool = False
    spans: list[LabelledSpan] | None = None
    mentions: list[LabelledSpan] = field(default_factory=list)
    relations: list[Relation] | None = None
    clusters: list[list[Span]] | None = None
    entities: int | None = None
    entity_relations: int | None = None
    labels: Counter[str] = field(default_factory=Counter)
    fields: frozenset[str] = frozenset()
    vocabulary_labels: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    vocabulary_words: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    document: tuple[str, int] | None = None
    source: str = ""
    max_span_width: int | None = None

    @property
    def annotated(self) -> bool:
        """Whether there is anything here for the task to find."""
        return bool(self.labels or self.clusters)

    @property
    def file(self) -> str:
        """The file it comes from; empty where the reader does not tell."""
        return self.source.rpartition(":")[0]

    def is_too_wide(self, span: Span) -> bool:
        """Whether a mention can never be found, for its width."""
        return self.max_span_width is not None and span[1] - span[0] >= self.max_span_width


def example_of(instance: Instance) -> Example:
    """
    # Parameters

    instance : `Instance`
        Of the readers here, or any other that keeps to AllenNLP's fields.

    # Raises

    ValueError
        When it holds no text.
    """
    text = text_field_of(instance)
    words = [token.text or "" for token in text.tokens]
    metadata = _metadata_of(instance)
    others = [found for found in instance.fields.values() if not isinstance(found, TextField)]
    clusters = metadata.get("clusters")
    spans, relations = _spans(others, text), _relations(others)
    whole_document = "num_sentences" in metadata or clusters is not None
    name = metadata.get("document")
    width = metadata.get("max_span_width")
    return Example(
        words=words,
        num_sentences=int(metadata.get("num_sentences", 1)),
        sentences=_sentences(others, len(words), width)
        if whole_document
        else [(0, len(words) - 1)],
        whole_document=whole_document,
        spans=spans,
        mentions=[(label, (start, end)) for label, (start, end) in metadata.get("mentions") or []],
        relations=relations,
        clusters=None if clusters is None else [[(a, b) for a, b in each] for each in clusters],
        entities=metadata.get("num_entities"),
        entity_relations=next(
            (len(each.pairs) for each in others if isinstance(each, EntityPairsField)), None
        ),
        labels=_labels(spans, relations, others),
        fields=frozenset(instance.fields),
        vocabulary_labels=_vocabulary_labels(others),
        vocabulary_words=_vocabulary_words(text),
        document=(str(name), int(metadata.get("part") or 0)) if name else None,
        source=str(metadata.get("source") or ""),
        max_span_width=width,
    )


def text_field_of(instance: Instance) -> TextField:
    """
    The field that holds the words: `text`, or the first `TextField` there is.

    # Raises

    ValueError
        When there is none.
    """
    for each in (instance.fields.get("text"), *instance.fields.values()):
        if isinstance(each, TextField):
            return each
    raise ValueError(f"an instance holds no TextField; it has the fields {sorted(instance.fields)}")


def _metadata_of(instance: Instance) -> Mapping[str, Any]:
    found = instance.fields.get("metadata")
    if isinstance(found, MetadataField) and isinstance(found.metadata, Mapping):
        return found.metadata
    return {}


def _spans(fields: Sequence[Field], text: TextField) -> list[LabelledSpan] | None:
    spans = [each for each in fields if isinstance(each, LabelledSpansField)]
    if spans:
        return [(label, (start, end)) for each in spans for start, end, label in each.pairs]
    found = [each for each in fields if isinstance(each, SequenceLabelField)]
    tags = [list(map(str, each.labels)) for each in found if each.sequence_field is text]
    return [span for each in tags for span in spans_of_tags(each)] if tags else None


def spans_of_tags(tags: Sequence[str]) -> list[LabelledSpan]:
    """
    The labelled spans of gold tags in any of the usual schemes; if the tags are of no scheme, each is the
    label of its token.

    # Parameters

    tags : `Sequence[str]`
        IOB1, BIO, BIOUL (BILOU) or BIOES (IOBES).
    """
    if not all(_TAG.fullmatch(tag) for tag in tags):
        return [(tag, (index, index)) for index, tag in enumerate(tags)]
    tags = [_BIOES_TO_BIOUL.get(tag[0], tag[0]) + tag[1:] for tag in tags]
    ends_are_marked = any(tag[0] in "LU" for tag in tags if tag != OUTSIDE)
    return tags_to_spans(tags, "BIOUL" if ends_are_marked else "BIO")


def _relations(fields: Sequence[Field]) -> list[Relation] | None:
    found = [each for each in fields if type(each) is LabelledPairsField]
    if not found:
        return None
    return [
        Relation(kind, (first, first), (second, second))
        for each in found
        for first, second, kind in each.pairs
    ]


def _labels(
    spans: Sequence[LabelledSpan] | None,
    relations: Sequence[Relation] | None,
    fields: Sequence[Field],
) -> Counter[str]:
    labels = Counter(label for label, _ in spans or ())
    labels.update(relation.type for relation in relations or ())
    if spans is None and relations is None:
        for counts in _vocabulary_labels(fields).values():
            labels.update(counts)
    return labels


def _vocabulary_labels(fields: Sequence[Field]) -> dict[str, dict[str, int]]:
    counts: defaultdict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for each in fields:
        each.count_vocab_items(counts)
    return {namespace: dict(labels) for namespace, labels in counts.items()}


def _vocabulary_words(text: TextField) -> dict[str, dict[str, int]]:
    counts: defaultdict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for indexer in text.token_indexers.values():
        if isinstance(indexer, SingleIdTokenIndexer):
            for token in text.tokens:
                indexer.count_vocab_items(token, counts)
    return {namespace: dict(words) for namespace, words in counts.items()}


def _sentences(fields: Sequence[Field], length: int, max_span_width: int | None) -> list[Span]:
    """
    The sentences of a document. Candidate spans never cross the end of one, so a sentence ends where no
    candidate holds a token and the next.
    """
    candidates = next((each for each in fields if isinstance(each, SpansField)), None)
    if candidates is None or max_span_width is None or max_span_width == 1:
        return []
    joined = {start for start, end in candidates.human_readable_repr() if end == start + 1}
    ends = [index for index in range(length) if index not in joined]
    return list(zip([0, *(end + 1 for end in ends)], ends))
