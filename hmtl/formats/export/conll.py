"""
Documents as the column files that the readers take: like_conll (`mention_ace`, `relation_ace`,
`coref_ace`) and CoNLL-2012 (`ner_ontonotes`, `coref`).

Both write what `hmtl.importing.resolution.for_columns` leaves of a document; anything that the notation
cannot hold is a `ValueError` here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from hmtl.formats.annotated import Document, Mention, Sentence
from hmtl.formats.brackets import LabelledSpan, Span
from hmtl.formats.documents import BEGIN_DOCUMENT, END_DOCUMENT
from hmtl.formats.export.cells import bracket_cells, coref_cells
from hmtl.formats.like_conll import FIRST_ARGUMENT, SECOND_ARGUMENT

# What stands in a CoNLL-2012 column that a corpus does not have. The part of speech is the Treebank's own
# tag for the unknown; a parse of `*` alone is what the readers of CoNLL-2012 take for none.
NO_POS_TAG, NO_PARSE, NO_LAYER = "XX", "*", "-"


def like_conll_lines(document: Document) -> Iterator[str]:
    """
    The lines of a like_conll file for one document, without their ends: mentions, one column for each
    relation of the sentence (ordered by type and arguments), coreference (clusters numbered in document
    order).
    """
    clusters = _numbered(document.clusters)
    yield _begin(document)
    for sentence, (first, last) in zip(document.sentences, document.sentence_bounds()):
        length = len(sentence)
        columns = [bracket_cells(_inside(document.mentions, first, last), length)]
        for relation in sorted(document.relations):
            if first <= relation.arg1[0] <= last:
                arguments = [
                    (f"{FIRST_ARGUMENT}_{relation.type}", _shifted(relation.arg1, -first)),
                    (f"{SECOND_ARGUMENT}_{relation.type}", _shifted(relation.arg2, -first)),
                ]
                columns.append(bracket_cells(arguments, length))
        columns.append(_coref_column(clusters, first, last))
        for index, (word, cells) in enumerate(zip(sentence.words, zip(*columns))):
            yield " ".join([str(index), word, *cells])
        yield ""
    yield END_DOCUMENT


def conll2012_lines(document: Document) -> Iterator[str]:
    """
    The lines of a CoNLL-2012 file for one document (or part), without their ends: names, coreference
    (clusters numbered in document order), and the treebank's columns where the sentences have them.
    """
    clusters = _numbered(document.clusters)
    yield _begin(document)
    for sentence, (first, last) in zip(document.sentences, document.sentence_bounds()):
        names = bracket_cells(_inside(document.names, first, last), len(sentence))
        coref = _coref_column(clusters, first, last)
        before, after = _treebank_columns(sentence)
        columns = [sentence.words, *before, names, *after, coref]
        for index, cells in enumerate(zip(*columns)):
            yield " ".join([document.name, str(document.part), str(index), *cells])
        yield ""
    yield END_DOCUMENT


def _begin(document: Document) -> str:
    return f"{BEGIN_DOCUMENT} ({document.name}); part {document.part:03d}"


def _treebank_columns(sentence: Sentence) -> tuple[list[list[str]], list[list[str]]]:
    """The columns between word and names, and those between names and coreference."""
    treebank = sentence.treebank
    if treebank is None:
        absent = [NO_POS_TAG, NO_PARSE, *[NO_LAYER] * 4]
        return [[cell] * len(sentence) for cell in absent], []
    return [
        treebank.pos_tags,
        treebank.parse,
        treebank.lemmas,
        treebank.framesets,
        treebank.senses,
        treebank.speakers,
    ], treebank.predicates


def _numbered(clusters: Iterable[Sequence[Span]]) -> list[tuple[int, Span]]:
    """The spans of all clusters with their cluster's number, counted in the order of first mentions."""
    ordered = sorted(sorted(cluster) for cluster in clusters if cluster)
    # Of clusters whose first mentions begin at one token, the wider mention stands first on the page.
    ordered.sort(key=lambda cluster: (cluster[0][0], -cluster[0][1]))
    return [(number, span) for number, cluster in enumerate(ordered) for span in cluster]


def _coref_column(clusters: list[tuple[int, Span]], first: int, last: int) -> list[str]:
    inside = [
        (number, _shifted(span, -first)) for number, span in clusters if first <= span[0] <= last
    ]
    return coref_cells(inside, last - first + 1)


def _inside(mentions: Iterable[Mention], first: int, last: int) -> list[LabelledSpan]:
    """The mentions that begin in a sentence, their spans counted from its start."""
    return [(m.type, _shifted(m.span, -first)) for m in mentions if first <= m.start <= last]


def _shifted(span: Span, by: int) -> Span:
    return span[0] + by, span[1] + by
