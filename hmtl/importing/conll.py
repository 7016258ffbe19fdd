"""Documents from the column files that the readers take: the inverse of `hmtl.formats.export.conll`."""

from __future__ import annotations

from collections.abc import Iterator
from os import PathLike

from hmtl.formats import conll2012, like_conll
from hmtl.formats.annotated import Document, Mention, Relation, Sentence, TreebankColumns
from hmtl.formats.brackets import LabelledSpan, Span
from hmtl.formats.columns import Rows
from hmtl.formats.documents import read_raw_documents

# Columns of CoNLL-2012 between word and names, and the first predicate.
POS_TAG, PARSE, LEMMA, FRAMESET, SENSE, SPEAKER = range(4, 10)
FIRST_PREDICATE = 11


def read_like_conll(path: str | PathLike[str]) -> Iterator[Document]:
    """
    Streams the documents of a like_conll file.

    # Raises

    `DataError`
        With file and line, for whatever the format does not allow.
    """
    for parsed in like_conll.read_documents(path):
        document = Document(parsed.name, [], part=parsed.part)
        first = 0
        for sentence in parsed.sentences:
            document.sentences.append(Sentence(sentence.words))
            document.mentions += _mentions(sentence.mentions, first)
            document.relations += [
                Relation(relation.type, _at(relation.arg1, first), _at(relation.arg2, first))
                for relation in sentence.relations
            ]
            first += len(sentence.words)
        document.clusters = list(parsed.clusters().values())
        yield document


def read_conll2012(path: str | PathLike[str]) -> Iterator[Document]:
    """
    Streams the documents of a CoNLL-2012 file, with the treebank's columns where it has them.

    # Raises

    `DataError`
        With file and line, for whatever the format does not allow.
    """
    layout, fewest = conll2012.COREFERENCE_LAYOUT, conll2012.FEWEST_FOR_COREFERENCE
    for raw in read_raw_documents(path, layout, fewest):
        parsed = conll2012.parse(raw)
        document = Document(parsed.name, [], part=parsed.part)
        first = 0
        for sentence, rows in zip(parsed.sentences, raw.sentences):
            document.sentences.append(Sentence(sentence.words, treebank=_treebank(rows)))
            document.names += _mentions(sentence.names, first)
            first += len(sentence.words)
        document.clusters = list(parsed.clusters().values())
        yield document


def _treebank(rows: Rows) -> TreebankColumns | None:
    if rows.num_columns < conll2012.FEWEST_COLUMNS:
        return None
    return TreebankColumns(
        pos_tags=rows.column(POS_TAG),
        parse=rows.column(PARSE),
        lemmas=rows.column(LEMMA),
        framesets=rows.column(FRAMESET),
        senses=rows.column(SENSE),
        speakers=rows.column(SPEAKER),
        predicates=[rows.column(index) for index in range(FIRST_PREDICATE, rows.num_columns - 1)],
    )


def _mentions(spans: list[LabelledSpan], first: int) -> list[Mention]:
    return [Mention(start + first, end + first, label) for label, (start, end) in spans]


def _at(span: Span, first: int) -> Span:
    return span[0] + first, span[1] + first
