"""What a system's documents score against the gold ones: counts by sentence or document, and figures."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy

from hmtl.errors import DataError
from hmtl.evaluating.pairing import Source, line_of, titled
from hmtl.formats.annotated import Document, Mention
from hmtl.formats.brackets import LabelledSpan, Span
from hmtl.formats.entities import with_entities
from hmtl.metrics.attachment_scores import AttachmentScores
from hmtl.metrics.clusterings import (
    Comparison,
    b_cubed,
    blanc,
    ceafe,
    ceafm,
    lea,
    muc,
    without_singletons,
)
from hmtl.metrics.fractions import Fractions
from hmtl.metrics.labelled_f1 import LabelledF1
from hmtl.metrics.mention_matching import EXACT, matched
from hmtl.metrics.relation_f1 import RelationF1, StrictRelationF1
from hmtl.metrics.span_f1 import SpanF1
from hmtl.metrics.span_schemes import SpanSchemes

Pair = tuple[Document, Document]
LAYERS = ("names", "mentions")
ENTITIES, ENTITY_RELATIONS = "entities", "relations of entities"
CONLL = "CoNLL"
WITHOUT, WITH = "coreference", "coreference with singletons"


@dataclass
class Score:
    """
    One score of a system.

    # Parameters

    group, name : `str`
        What is scored, and by which measure.
    counts : `numpy.ndarray`
        Shape `(num_units, num_scorers, 4)`: by sentence or document the parts of `Fractions`. The figures
        are the means over the scorers.
    """

    group: str
    name: str
    counts: numpy.ndarray

    def figures(self) -> dict[str, float]:
        """`precision`, `recall` and `f1_score`, from 0 to 1."""
        of_scorers = [Fractions(*sums).figures() for sums in self.counts.sum(axis=0).tolist()]
        return {
            name: sum(each[name] for each in of_scorers) / len(of_scorers)
            for name in ("precision", "recall", "f1_score")
        }


@dataclass
class Scores:
    """
    All scores of a system.

    # Parameters

    scores : `list[Score]`
    by_type : `dict[str, LabelledF1]`
        By what is scored.
    schemes : `dict[str, SpanSchemes]`
        By what is scored.
    """

    scores: list[Score] = field(default_factory=list)
    by_type: dict[str, LabelledF1] = field(default_factory=dict)
    schemes: dict[str, SpanSchemes] = field(default_factory=dict)


def score(pairs: Sequence[Pair], match: str, gold: Source, predicted: Source) -> Scores:
    """
    Score whatever the gold documents have: names, mentions, relations of these and of entities, coreference,
    trees of dependencies.

    # Parameters

    pairs : `Sequence[Pair]`
        Gold and predicted documents, in the same tokens.
    match : `str`
        Of mentions that corefer: `EXACT`, or `PARTIAL` or `HEAD` of `hmtl.metrics.mention_matching`.
    gold, predicted : `Source`
        For messages.

    # Raises

    DataError
        With document and line, when a span is in two clusters, or there is nothing to score; when heads are
        asked for and no mention tells its.
    """
    pairs = [_of_one_kind(*pair) for pair in pairs]
    if any(document.entities for document, _ in pairs):
        # Of a format without entities, those that its mentions, clusters and relations make.
        pairs = [(document, with_entities(theirs)) for document, theirs in pairs]
    found = Scores()
    for layer in LAYERS:
        if any(getattr(document, layer) for document, _ in pairs):
            _add_spans(found, layer, pairs)
    if any(document.relations for document, _ in pairs):
        _add_relations(found, pairs)
    if any(document.entities for document, _ in pairs):
        _add_entities(found, ENTITIES, _entities, pairs)
    if any(document.entity_relations for document, _ in pairs):
        found.by_type[ENTITY_RELATIONS] = _add_entities(
            found, ENTITY_RELATIONS, _between_entities, pairs
        )
    if any(document.clusters for document, _ in pairs):
        _add_coreference(found, pairs, match, gold, predicted)
    if all(sentence.tree for document, _ in pairs for sentence in document.sentences):
        _add_trees(found, pairs, predicted)
    if not found.scores:
        raise DataError("nothing is annotated here that could be scored", gold.path)
    return found


def _of_one_kind(gold: Document, predicted: Document) -> Pair:
    """Formats with one kind of labelled spans call them names or mentions: the gold file decides."""
    if gold.names and not gold.mentions and predicted.mentions and not predicted.names:
        predicted = replace(predicted, names=predicted.mentions, mentions=[])
    elif gold.mentions and not gold.names and predicted.names and not predicted.mentions:
        predicted = replace(predicted, mentions=predicted.names, names=[])
    return gold, predicted


def _add_spans(found: Scores, layer: str, pairs: Sequence[Pair]) -> None:
    total, schemes, counts = SpanF1(), SpanSchemes(), []
    for gold, predicted in pairs:
        sides = [_labelled(getattr(document, layer)) for document in (predicted, gold)]
        schemes.update(*sides)
        for of_sentence in _by_sentence(gold, sides, _first_of_span):
            counts.append(_counted(total, *of_sentence))
    found.scores.append(Score(layer, "F1", numpy.array(counts)))
    found.by_type[layer] = total
    found.schemes[layer] = schemes


def _labelled(mentions: Iterable[Mention]) -> list[LabelledSpan]:
    return [mention.labelled for mention in mentions]


def _first_of_span(span: LabelledSpan) -> int:
    return span[1][0]


def _counted(total: Any, *sentence: Any) -> list[Fractions]:
    """What a counter counts for a sentence, which is added to the total too."""
    counter = type(total)()
    counter.update(*sentence)
    total.merge(counter.state_dict())
    return list(counter.fractions().values())


def _add_relations(found: Scores, pairs: Sequence[Pair]) -> None:
    boundaries, strict = RelationF1(), StrictRelationF1()
    counts: list[list[list[Fractions]]] = [[], []]
    for gold, predicted in pairs:
        mentions = [_arguments(document) for document in (predicted, gold)]
        relations = [document.relations for document in (predicted, gold)]
        for sides in _by_sentence(gold, relations, lambda relation: relation.start):
            by_token = [[(r.arg1[1], r.arg2[1], r.type) for r in side] for side in sides]
            counts[0].append(_counted(boundaries, *by_token))
            arguments = [
                [of[span] for r in side for span in (r.arg1, r.arg2) if span in of]
                for side, of in zip(sides, mentions)
            ]
            counts[1].append(_counted(strict, *by_token, *arguments))
    found.scores.append(Score("relations", "boundaries", numpy.array(counts[0])))
    found.by_type["relations"] = boundaries
    if any(document.mentions or document.names for document, _ in pairs):
        found.scores.append(Score("relations", "strict", numpy.array(counts[1])))


def _add_entities(
    found: Scores,
    group: str,
    items: Callable[[Document], list[tuple[str, Hashable]]],
    pairs: Sequence[Pair],
) -> LabelledF1:
    """
    Right is an entity that is a gold one: the same mentions, whatever their types; and a relation between
    such.
    """
    total, counts = LabelledF1(), []
    for gold, predicted in pairs:
        counter = LabelledF1()
        counter.count(items(predicted), items(gold))
        total.merge(counter.state_dict())
        counts.append(list(counter.fractions().values()))
    found.scores.append(Score(group, "F1", numpy.array(counts)))
    return total


def _entities(document: Document) -> list[tuple[str, Hashable]]:
    return [("", tuple(each.spans)) for each in document.entities]


def _between_entities(document: Document) -> list[tuple[str, Hashable]]:
    spans = [tuple(each.spans) for each in document.entities]
    return [(r.type, (spans[r.head], spans[r.tail])) for r in document.entity_relations]


def _arguments(document: Document) -> dict[Span, LabelledSpan]:
    return {each.span: each.labelled for each in document.mentions or document.names}


def _by_sentence(
    document: Document, sides: Sequence[Sequence[Any]], first_token: Callable[[Any], int]
) -> Iterator[list[list[Any]]]:
    """For each sentence of the gold document what begins in it, on each side."""
    sentence_of = document.sentence_of_words()
    found: list[list[list[Any]]] = [[[] for _ in sides] for _ in document.sentences]
    for number, side in enumerate(sides):
        for each in side:
            found[sentence_of[first_token(each)]][number].append(each)
    return iter(found)


def _add_coreference(
    found: Scores, pairs: Sequence[Pair], match: str, gold: Source, predicted: Source
) -> None:
    if match != EXACT:
        _check_heads(pairs, match, gold, predicted)
    clusters = [
        (_partition(document, gold), _partition(other, predicted)) for document, other in pairs
    ]
    has_singletons = any(
        len(cluster) == 1 for pair in clusters for side in pair for cluster in side
    )
    for group in (WITHOUT, WITH) if has_singletons else (WITHOUT,):
        compared = []
        for (document, other), sides in zip(pairs, clusters):
            theirs, ours = sides if group == WITH else map(without_singletons, sides)
            compared.append(_comparison(ours, theirs, match, other, document))
        for name, counts in coreference_counts(compared).items():
            found.scores.append(Score(group, name, counts))


def _add_trees(found: Scores, pairs: Sequence[Pair], predicted: Source) -> None:
    counts: list[list[list[Fractions]]] = [[], []]
    for gold, other in pairs:
        bounds = gold.sentence_bounds()
        if [*map(len, gold.sentences)] != [*map(len, other.sentences)]:
            raise DataError(
                f"document {titled(other)} has other sentences than the gold one, so its trees cannot be "
                "scored",
                predicted.path,
                line_of(other),
            )
        for sentence, answer, (first, _) in zip(gold.sentences, other.sentences, bounds):
            if answer.tree is None or sentence.tree is None:
                raise DataError(
                    f"document {titled(other)}: a sentence has no tree, and the gold one has; expected the "
                    "number of a head (column 7) for each word",
                    predicted.path,
                    line_of(other, first),
                )
            scores = AttachmentScores()
            scores.update(answer.tree, sentence.tree, sentence.words)
            right = scores.universal
            for place, number in enumerate((right.heads, right.relations)):
                counts[place].append([Fractions(number, right.words, number, right.words)])
    for name, of_sentences in zip(("UAS", "LAS"), counts):
        found.scores.append(Score("dependencies", name, numpy.array(of_sentences)))


def _check_heads(pairs: Sequence[Pair], match: str, gold: Source, predicted: Source) -> None:
    for number, source in enumerate((gold, predicted)):
        needed = number == 0 or match != "partial"
        if needed and not any(pair[number].heads for pair in pairs):
            raise DataError(
                f"no mention here tells its head, which --match {match} compares: give CoNLL-U whose "
                "'# global.Entity' has head or minspan, or leave --match out",
                source.path,
            )


def _partition(document: Document, source: Source) -> list[list[Span]]:
    seen: dict[Span, int] = {}
    clusters = [list(dict.fromkeys(cluster)) for cluster in document.clusters if cluster]
    for number, cluster in enumerate(clusters):
        for span in cluster:
            if seen.setdefault(span, number) != number:
                words = " ".join(document.words[span[0] : span[1] + 1])
                raise DataError(
                    f"document {titled(document)}: {words!r} (tokens {span[0] + 1} to {span[1] + 1}) is in "
                    "two clusters, which no coreference score knows; merge them, or take it out of one",
                    source.path,
                    line_of(document, span[0]),
                )
    return clusters


def _comparison(
    ours: Sequence[Sequence[Span]],
    theirs: Sequence[Sequence[Span]],
    match: str,
    predicted: Document,
    gold: Document,
) -> Comparison:
    if match == EXACT:
        return Comparison(ours, theirs)
    gold_of = matched(
        [span for cluster in ours for span in cluster],
        [span for cluster in theirs for span in cluster],
        match,
        predicted.heads,
        gold.heads,
    )

    def known(span: Span) -> Hashable:
        return gold_of.get(span, ("predicted", span))

    return Comparison([[known(span) for span in cluster] for cluster in ours], theirs)


def coreference_counts(compared: Sequence[Comparison]) -> dict[str, numpy.ndarray]:
    """
    Return by measure the counts of documents, in the shape of `Score.counts`.

    # Parameters

    compared : `Sequence[Comparison]`
        A document each.
    """
    single = {"MUC": muc, "B-cubed": b_cubed, "CEAF-e": ceafe, "CEAF-m": ceafm, "LEA": lea}
    counts = {
        name: numpy.array([[measure(each)] for each in compared])
        for name, measure in single.items()
    }
    links = numpy.array([blanc(each) for each in compared])
    # A kind of link that neither side has says nothing (Luo et al., 2014).
    present = links.sum(axis=0)[:, [1, 3]].any(axis=1)
    counts["BLANC"] = links[:, present] if present.any() else links
    conll = [counts[name] for name in ("MUC", "B-cubed", "CEAF-e")]
    return {CONLL: numpy.concatenate(conll, axis=1), **counts}
