"""From what the heads decode, in tokens, to what a user is told, with exact places in the text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any

from hmtl.common.answers import (
    COREFERENCE,
    DOCUMENT_RELATIONS,
    LABEL,
    LABELS,
    MENTIONS,
    RELATIONS,
    TOKENS,
    TREE,
)
from hmtl.formats.annotated import Document, Entity
from hmtl.formats.annotated import Mention as AnnotatedMention
from hmtl.prediction.results import (
    Dependency,
    DocumentRelation,
    Mention,
    Prediction,
    Range,
    Relation,
    Sentence,
    Span,
    TaskInfo,
    Token,
    mention_over,
    span_over,
)

# By task what its head decoded, all ends inclusive: of mentions `(label, (start, end))`, and the same of
# labels of a text, over the whole of it; of relations `(first, second, label)`, tokens or, of relations of
# documents, numbers of entities; of coreference lists of `(start, end)`; of tokens a label for each, or
# `(head, label)`. And in the same form the probabilities of these.
Decoded = dict[str, list[Any]]


def shifted(kind: str, answer: Any, offset: int, length: int) -> list[Any]:
    """
    What a head answers of a stretch, as `Decoded` has it.

    # Parameters

    kind : `str`
        One of `hmtl.common.answers.KINDS`.
    answer : `Any`
    offset, length : `int`
        The first token of the stretch in the text, and how many there are.
    """
    if kind == TOKENS:
        return list(answer[:length])
    if kind == TREE:
        return [(None if head is None else head + offset, label) for head, label in answer[:length]]
    if kind in (LABEL, LABELS):
        labels = [answer] if kind == LABEL else answer
        return [(label, (offset, offset + length - 1)) for label in labels]
    if kind == MENTIONS:
        return [(label, (start + offset, end + offset)) for label, (start, end) in answer]
    if kind == DOCUMENT_RELATIONS:
        # Entities are numbered over the whole text.
        return list(answer)
    if kind == RELATIONS:
        return [(first + offset, second + offset, label) for first, second, label in answer]
    return [[(start + offset, end + offset) for start, end in cluster] for cluster in answer]


def shifted_scores(kind: str, probabilities: Any, length: int) -> list[Any]:
    """Return the probabilities of what `shifted` returns."""
    if kind == LABEL:
        return [probabilities]
    return list(probabilities[:length] if kind in (TOKENS, TREE) else probabilities)


def to_prediction(
    document: Document,
    decoded: Decoded,
    tasks: list[TaskInfo],
    mentions_from: Mapping[str, str],
    scores: Decoded | None = None,
    entities: Mapping[str, Sequence[Entity]] | None = None,
) -> Prediction:
    """
    # Parameters

    document : `Document`
        With its text and the words' places in it.
    decoded : `dict[str, list[Any]]`
        By task, in tokens of the text.
    tasks : `list[TaskInfo]`
    mentions_from : `Mapping[str, str]`
        For tasks of relations, the task whose mentions are the arguments.
    scores : `dict[str, list[Any]]`, optional (default = `None`)
        How probable what was decoded is, of the tasks of which that is known.
    entities : `Mapping[str, Sequence[Entity]]`, optional (default = `None`)
        For tasks of relations of documents, what is related.
    """

    known = scores or {}
    text, places = document.text or "", document.offsets() or []
    words = [Token(word, *place) for word, place in zip(document.words, places)]

    def span(tokens: Range, score: float | None = None) -> Span:
        return span_over(text, words, tokens, score)

    def scored(task: str) -> Iterator[tuple[Any, Any]]:
        return zip(decoded[task], known.get(task) or repeat(None))

    def of_kind(*kinds: str) -> list[str]:
        return [task.name for task in tasks if task.kind in kinds]

    def labelled(*kinds: str) -> dict[str, list[Mention]]:
        return {
            task: [
                mention_over(text, words, tokens, label, score)
                for (label, tokens), score in scored(task)
            ]
            for task in of_kind(*kinds)
        }

    mentions = labelled(MENTIONS)
    relations: dict[str, list[Relation]] = {}
    found_entities = {
        task: [
            [mention_over(text, words, each.span, each.type) for each in _in_order(entity)]
            for entity in (entities or {}).get(task, ())
        ]
        for task in of_kind(DOCUMENT_RELATIONS)
    }
    for task, those in found_entities.items():
        relations[task] = [
            DocumentRelation(
                label, those[head][0], those[tail][0], head=head, tail=tail, score=score
            )
            for (head, tail, label), score in scored(task)
        ]
    for task in of_kind(RELATIONS):
        arguments = _ending_at(mentions.get(mentions_from.get(task, ""), []))
        relations[task] = [
            Relation(
                label,
                arguments.get(first) or span((first, first)),
                arguments.get(second) or span((second, second)),
                score=score,
            )
            for (first, second, label), score in scored(task)
        ]
    clusters = {
        task: [
            [span(*mention) for mention in zip(cluster, own or repeat(None))]
            for cluster, own in scored(task)
        ]
        for task in of_kind(COREFERENCE)
    }
    chunks = document.noun_chunks
    return Prediction(
        text,
        words,
        [Sentence(*bounds) for bounds in document.sentence_bounds()],
        tasks,
        mentions,
        relations,
        clusters,
        None if chunks is None else [span(chunk) for chunk in chunks],
        token_labels={task: decoded[task] for task in of_kind(TOKENS)},
        text_labels=labelled(LABEL, LABELS),
        trees={
            task: [Dependency(label, head, score=score) for (head, label), score in scored(task)]
            for task in of_kind(TREE)
        },
        entities=found_entities,
        token_scores={task: known[task] for task in of_kind(TOKENS) if task in known},
    )


def _in_order(entity: Entity) -> list[AnnotatedMention]:
    """Its mentions as they come in the text, each once."""
    return sorted(set(entity.mentions))


def _ending_at(mentions: Sequence[Mention]) -> dict[int, Span]:
    """By last token; of mentions that end on the same one, the longest."""
    by_width = sorted(mentions, key=lambda mention: mention.end_token - mention.begin_token)
    return {mention.end_token: mention for mention in by_width}
