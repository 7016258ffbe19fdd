"""Entities of documents that are annotated by spans: by mentions, clusters and relations of these."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from hmtl.formats.annotated import Document, Entity, EntityRelation, Mention
from hmtl.formats.brackets import Span

# The type of a mention that has none, in a cluster whose mentions have none.
NO_TYPE = ""


def entities_of(mentions: Iterable[Mention], clusters: Iterable[Sequence[Span]]) -> list[Entity]:
    """
    Return an entity for each cluster, and one for each mention that is in none (mentions over the same tokens
    are one), in the order of their first mentions. A span of a cluster that is no mention has the most
    frequent type of the others.
    """
    typed: dict[Span, list[Mention]] = {}
    for mention in mentions:
        typed.setdefault(mention.span, []).append(mention)
    spans = [list(dict.fromkeys(cluster)) for cluster in clusters if cluster]
    linked = {span for cluster in spans for span in cluster}
    spans += [[span] for span in typed if span not in linked]
    return sorted(
        (_entity(cluster, typed) for cluster in spans), key=lambda entity: entity.mentions[0].span
    )


def _entity(spans: Sequence[Span], typed: dict[Span, list[Mention]]) -> Entity:
    types = Counter(mention.type for span in spans for mention in typed.get(span, ()))
    usual = types.most_common(1)[0][0] if types else NO_TYPE
    return Entity(
        tuple(
            mention
            for span in sorted(spans)
            for mention in typed.get(span, [Mention(*span, usual)])
        )
    )


def with_entities(document: Document) -> Document:
    """
    The document itself if it has entities; else with those of its mentions and clusters, and its relations
    between these, each once. An argument that is in neither is an entity of its own; what would relate an
    entity to itself is left out.
    """
    if document.entities:
        return document
    spans = {mention.span for mention in document.mentions}
    spans.update(span for cluster in document.clusters for span in cluster)
    others = {span for each in document.relations for span in (each.arg1, each.arg2)} - spans
    alone = [Mention(*span, NO_TYPE) for span in sorted(others)]
    entities = entities_of([*document.mentions, *alone], document.clusters)
    # Of several entities that have the span, the first.
    owner = {
        mention.span: number
        for number, entity in reversed(list(enumerate(entities)))
        for mention in entity.mentions
    }
    relations = [
        EntityRelation(each.type, owner[each.arg1], owner[each.arg2], score=each.score)
        for each in document.relations
    ]
    different = [each for each in relations if each.head != each.tail]
    return replace(document, entities=entities, entity_relations=list(dict.fromkeys(different)))
