"""Documents of two files that are the same ones, with spans counted in the same tokens."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path

from hmtl.common.reporting import counted
from hmtl.errors import DataError
from hmtl.formats.annotated import Document, Entity, Mention, Relation, Sentence
from hmtl.formats.brackets import Span

logger = logging.getLogger(__name__)

NAMES_SHOWN = 3
SKIP = "or leave such documents out with --skip-missing"
# How to count a span in other tokens.
_Recount = Callable[[Span], Span]


@dataclass(frozen=True)
class Source:
    """Documents, and where they are from."""

    path: Path
    documents: Sequence[Document]


def pair(gold: Source, predicted: Source, skip_missing: bool) -> list[tuple[Document, Document]]:
    """
    The documents of both sides that are the same: by name and part, or, where they have no name in common and
    are as many, in order.

    # Parameters

    gold, predicted : `Source`
    skip_missing : `bool`
        Leave out, with a warning, what one side lacks.

    # Raises

    DataError
        With document and line, when a side lacks a document, has one twice, or has other words.
    """
    ours, theirs = _by_name(gold), _by_name(predicted)
    if not ours.keys() & theirs.keys() and len(ours) == len(theirs):
        if len(ours) > 1:
            logger.warning("no document has the same name on both sides: they are paired in order")
        return [
            _aligned(pair, gold, predicted) for pair in zip(gold.documents, predicted.documents)
        ]
    for side, other, missing in (
        (gold, predicted, ours.keys() - theirs.keys()),
        (predicted, gold, theirs.keys() - ours.keys()),
    ):
        if missing:
            _tell_missing(side, other, missing, skip_missing)
    both = [(document, theirs[name]) for name, document in ours.items() if name in theirs]
    if not both:
        raise DataError(f"has no document in common with {predicted.path}", gold.path)
    return [_aligned(pair, gold, predicted) for pair in both]


def in_common(
    systems: Sequence[Sequence[tuple[Document, Document]]],
) -> list[list[tuple[Document, Document]]]:
    """
    The pairs of each system of those gold documents that all have: else they could not be compared.

    # Raises

    DataError
        When there is none.
    """
    names = [{(gold.name, gold.part) for gold, _ in pairs} for pairs in systems]
    common = set.intersection(*names)
    if not common:
        raise DataError("no document is in the files of all systems")
    return [[pair for pair in pairs if (pair[0].name, pair[0].part) in common] for pairs in systems]


_Name = tuple[str, int]


def _by_name(source: Source) -> dict[_Name, Document]:
    found: dict[_Name, Document] = {}
    for document in source.documents:
        first = found.setdefault(_name(document), document)
        if first is not document:
            raise DataError(
                f"the document {titled(document)} is there twice"
                + (f", before on line {first.line}" if first.line else ""),
                source.path,
                document.line or None,
            )
    return found


def _name(document: Document) -> _Name:
    """Its title, where a format numbers documents besides, and its part."""
    return document.title or document.name, document.part


def _tell_missing(
    side: Source, other: Source, missing: Iterable[_Name], skip_missing: bool
) -> None:
    names = set(missing)
    lost = [each for each in side.documents if _name(each) in names]
    named = ", ".join(titled(each) for each in lost[:NAMES_SHOWN])
    more = ", ..." if len(lost) > NAMES_SHOWN else ""
    told = f"{counted(len(lost), 'documents')} of {side.path} not in {other.path}: {named}{more}"
    if not skip_missing:
        raise DataError(f"{told}. Add them, {SKIP}", side.path, line_of(lost[0]))
    logger.warning("left out: %s", told)


def titled(document: Document) -> str:
    """Return its name, with its part where it has one, for messages."""
    return repr(document.name) + (f" part {document.part}" if document.part else "")


def line_of(document: Document, token: int = 0) -> int | None:
    """Return the line of a token, or else that of its sentence or document; `None` where it has none."""
    for sentence, (first, last) in zip(document.sentences, document.sentence_bounds()):
        if first <= token <= last and sentence.line:
            return sentence.line + token - first
    return document.line or None


def _aligned(
    documents: tuple[Document, Document], gold_source: Source, predicted_source: Source
) -> tuple[Document, Document]:
    gold, predicted = documents
    words, others = gold.words, predicted.words
    if words == others:
        return gold, predicted
    if "".join(words) == "".join(others):
        # A standoff format tells no tokens: they may be cut where a span ends.
        return _in_common_tokens(gold, predicted)
    token = next(
        (place for place, (mine, other) in enumerate(zip(words, others)) if mine != other),
        min(len(words), len(others)),
    )

    def shown(found: Sequence[str]) -> str:
        return repr(found[token]) if token < len(found) else "its end"

    line = line_of(gold, token)
    raise DataError(
        f"the document {titled(predicted)} has other words than the gold one: its token {token + 1} is "
        f"{shown(others)}, and in {gold_source.path}{f':{line}' if line else ''} {shown(words)}. Score what "
        "was predicted for the same text",
        predicted_source.path,
        line_of(predicted, token),
    )


def _in_common_tokens(gold: Document, predicted: Document) -> tuple[Document, Document]:
    """Both cut wherever one of them is cut; the sentences are the gold ones."""
    ends = [list(accumulate(map(len, document.words))) for document in (gold, predicted)]
    edges = sorted({*ends[0], *ends[1]})
    place = {edge: index for index, edge in enumerate(edges)}
    text = "".join(gold.words)
    sentences, begin = [], 0
    last_edges = [ends[0][last] for _, last in gold.sentence_bounds()]
    for sentence, last in zip(gold.sentences, last_edges):
        words = []
        while begin < last:
            end = edges[place[begin] + 1] if begin else edges[0]
            words.append(text[begin:end])
            begin = end
        sentences.append(Sentence(words, line=sentence.line))
    recounted = []
    for document, its_ends in zip((gold, predicted), ends):
        starts = [0, *its_ends]

        def recount(span: Span, its_ends: list[int] = its_ends, starts: list[int] = starts) -> Span:
            begin = starts[span[0]]
            return (place[begin] + 1 if begin else 0), place[its_ends[span[1]]]

        recounted.append(replace(_recounted(document, recount), sentences=sentences))
    return recounted[0], recounted[1]


def _recounted(document: Document, recount: _Recount) -> Document:
    def mentions(found: Iterable[Mention]) -> list[Mention]:
        return [Mention(*recount(each.span), each.type) for each in found]

    return replace(
        document,
        mentions=mentions(document.mentions),
        names=mentions(document.names),
        entities=[Entity(tuple(mentions(each.mentions))) for each in document.entities],
        relations=[
            Relation(each.type, recount(each.arg1), recount(each.arg2))
            for each in document.relations
        ],
        clusters=[[recount(span) for span in cluster] for cluster in document.clusters],
        heads={recount(span): recount(head) for span, head in document.heads.items()},
        pieces={
            recount(span): tuple(map(recount, pieces)) for span, pieces in document.pieces.items()
        },
    )
