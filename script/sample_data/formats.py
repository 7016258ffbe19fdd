"""Renders documents as CoNLL-2012 and as like_conll."""

from collections import Counter
from typing import Callable, Iterable, Optional

from script.sample_data.tree import Mention, Phrase, Sentence, parse_bits

Span = tuple[int, int]
Clusters = dict[int, int]


def _cluster_numbers(
    sentences: list[Sentence], of_mention: Callable[[Mention], Optional[Phrase]]
) -> Clusters:
    """Entity -> cluster number in order of the text, for entities that have two mentions or more."""
    mentions = [
        mention
        for sentence in sentences
        for mention in sentence.mentions
        if of_mention(mention) is not None
    ]
    counts = Counter(id(mention.entity) for mention in mentions)
    numbers: Clusters = {}
    for mention in mentions:
        if counts[id(mention.entity)] > 1:
            numbers.setdefault(id(mention.entity), len(numbers))
    return numbers


def _bracket_column(length: int, labelled: Iterable[tuple[Span, str]]) -> list[str]:
    """`(PER*`, `*`, `*)`; a span of one token is `(PER)`, as in the open corpora. Spans must not overlap."""
    column = ["*"] * length
    for (start, end), label in labelled:
        if column[start : end + 1] != ["*"] * (end + 1 - start):
            raise ValueError(f"overlapping span {start}-{end} {label}")
        if start == end:
            column[start] = f"({label})"
        else:
            column[start], column[end] = f"({label}*", "*)"
    return column


def _coreference_column(length: int, spans: Iterable[tuple[Span, int]]) -> list[str]:
    """`(3`, `3)`, `(3)`, joined by `|`: outer spans open first, inner ones close first; `-` if empty."""
    opening: list[list[tuple[int, str]]] = [[] for _ in range(length)]
    closing: list[list[tuple[int, str]]] = [[] for _ in range(length)]
    for (start, end), number in spans:
        if start == end:
            opening[start].append((-end, f"({number})"))
        else:
            opening[start].append((-end, f"({number}"))
            closing[end].append((-start, f"{number})"))
    return [
        "|".join(text for _, text in [*sorted(opened), *sorted(closed)]) or "-"
        for opened, closed in zip(opening, closing)
    ]


def _document(name: str, sentences: list[list[str]]) -> str:
    lines = [f"#begin document ({name}); part 000"]
    for rows in sentences:
        lines += [*rows, ""]
    return "\n".join([*lines, "#end document", ""])


def render_conll2012(name: str, sentences: list[Sentence]) -> str:
    """
    A document in CoNLL-2012 columns, without predicates: names, whole noun phrases in clusters, no
    singletons.

    # Parameters

    name : `str`
        The name of the document.
    sentences : `list`
        Its sentences.
    """
    clusters = _cluster_numbers(sentences, lambda mention: mention.span)
    return _document(name, [_conll2012_rows(name, sentence, clusters) for sentence in sentences])


def _conll2012_rows(name: str, sentence: Sentence, clusters: Clusters) -> list[str]:
    leaves = list(sentence.tree.leaves())
    named = [
        (sentence.span_of(phrase), phrase.name) for phrase in sentence.tree.phrases() if phrase.name
    ]
    names = _bracket_column(len(leaves), named)
    linked = [
        (sentence.span_of(mention.span), clusters[id(mention.entity)])
        for mention in sentence.mentions
        if mention.span is not None and id(mention.entity) in clusters
    ]
    coreference = _coreference_column(len(leaves), linked)
    rows = zip(leaves, parse_bits(sentence.tree), names, coreference)
    return [
        f"{name} 0 {index} {leaf.word} {leaf.tag} {parse} - - - {sentence.speaker} {entity} {cluster}"
        for index, (leaf, parse, entity, cluster) in enumerate(rows)
    ]


def render_like_conll(name: str, sentences: list[Sentence]) -> str:
    """
    A document in like_conll columns: heads of mentions, a column for each relation, clusters of heads.

    # Parameters

    name : `str`
        The name of the document.
    sentences : `list`
        Its sentences.
    """
    clusters = _cluster_numbers(sentences, lambda mention: mention.head)
    return _document(name, [_like_conll_rows(sentence, clusters) for sentence in sentences])


def _like_conll_rows(sentence: Sentence, clusters: Clusters) -> list[str]:
    leaves = list(sentence.tree.leaves())
    heads = [(sentence.span_of(mention.head), mention) for mention in sentence.mentions]
    columns = [[leaf.word for leaf in leaves]]
    columns.append(_bracket_column(len(leaves), [(span, mention.type) for span, mention in heads]))
    for relation in sentence.relations:
        arguments = [
            (sentence.span_of(relation.first.head), f"ARG1_{relation.type}"),
            (sentence.span_of(relation.second.head), f"ARG2_{relation.type}"),
        ]
        columns.append(_bracket_column(len(leaves), arguments))
    linked = [
        (span, clusters[id(mention.entity)])
        for span, mention in heads
        if id(mention.entity) in clusters
    ]
    columns.append(_coreference_column(len(leaves), linked))
    return [f"{index} " + " ".join(cells) for index, cells in enumerate(zip(*columns))]
