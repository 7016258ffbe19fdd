"""
"like_conll" files, in which HMTL reads ACE 2005: index, word, mention, one column per relation
frame, coreference. A relation frame marks its two arguments, `(ARG1_PHYS*)` and `(ARG2_PHYS*)`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from functools import partial
from itertools import count
from os import PathLike

from hmtl.errors import OnFault
from hmtl.formats.annotated import Document, Relation, Sentence, mentions_of, shifted
from hmtl.formats.brackets import (
    NOTHING,
    LabelledSpan,
    Span,
    bracket_cells,
    bracket_spans,
)
from hmtl.formats.columns import CellError, Rows, shown
from hmtl.formats.documents import END_DOCUMENT, begin_line, coref_columns, read

LAYOUT = "index, word, mention, relation frames (any number of columns), coreference"
FEWEST_COLUMNS = 4
INDEX, WORD, MENTION, FIRST_RELATION = 0, 1, 2, 3
FIRST_ARGUMENT, SECOND_ARGUMENT = "ARG1", "ARG2"
SUFFIX = "like_conll"


def read_documents(
    path: str | PathLike[str],
    mentions: bool = True,
    relations: bool = True,
    coreference: bool = True,
    on_error: OnFault | None = None,
) -> Iterator[Document]:
    """
    Streams the documents of a like_conll file.

    # Parameters

    path : `str` or `PathLike`
    mentions, relations, coreference : `bool`, optional (default = `True`)
        What is wanted. The columns of the rest are not looked at, and documents have none of it.
    on_error : `Callable[[DataError], None]`, optional (default = `None`)
        As in `hmtl.formats.documents.read`.

    # Raises

    `DataError`
        With file and line, for whatever the format does not allow.
    """
    add_sentence = partial(_add_sentence, mentions=mentions, relations=relations)
    return read(path, LAYOUT, FEWEST_COLUMNS, add_sentence, coreference, on_error)


def _add_sentence(
    document: Document, rows: Rows, first: int, mentions: bool, relations: bool
) -> None:
    rows.check_numbers(INDEX, "the index")
    frame_columns = range(FIRST_RELATION, rows.num_columns - 1) if relations else ()
    frames = [rows.parse(column, "relation frame", _parse_frame) for column in frame_columns]
    found = [relation.shifted(first) for relation in frames if relation is not None]
    empty = len(frames) - len(found)
    document.sentences.append(Sentence(rows.column(WORD), line=rows.line, empty_frames=empty))
    document.relations += found
    if mentions:
        document.mentions += mentions_of(rows.parse(MENTION, "mentions", bracket_spans), first)


def _parse_frame(cells: list[str]) -> Relation | None:
    """The relation that one column marks, or `None` where it marks nothing."""
    if cells.count(NOTHING) == len(cells):
        return None
    arguments: dict[str, Span] = {}
    types: dict[str, str] = {}
    for label, span in bracket_spans(cells):
        argument, relation_type = _split_label(label, row=span[0])
        if argument in arguments:
            raise CellError(
                f"a second {argument}, {shown(label)}; expected one ARG1 and one ARG2", span[0]
            )
        arguments[argument], types[argument] = span, relation_type
    first_row = min(start for start, _ in arguments.values())
    for argument in (FIRST_ARGUMENT, SECOND_ARGUMENT):
        if argument not in arguments:
            (other,) = types.values()
            raise CellError(f"no {argument}; expected '({argument}_{other}*'", first_row)
    if types[FIRST_ARGUMENT] != types[SECOND_ARGUMENT]:
        raise CellError(
            f"ARG1 is of type {shown(types[FIRST_ARGUMENT])} and ARG2 of type "
            f"{shown(types[SECOND_ARGUMENT])}; expected one type",
            first_row,
        )
    return Relation(types[FIRST_ARGUMENT], arguments[FIRST_ARGUMENT], arguments[SECOND_ARGUMENT])


def _split_label(label: str, row: int) -> tuple[str, str]:
    """`ARG1_PART_WHOLE` is argument `ARG1` of type `PART_WHOLE`: only the first `_` parts them."""
    argument, _, relation_type = label.partition("_")
    if argument not in (FIRST_ARGUMENT, SECOND_ARGUMENT) or not relation_type:
        raise CellError(
            f"unknown argument {shown(label)}; expected 'ARG1_<type>' or 'ARG2_<type>'", row
        )
    return argument, relation_type


def like_conll_lines(document: Document) -> Iterator[str]:
    """
    The lines of a like_conll file for one document, without their ends: mentions, one column for each
    relation of the sentence (ordered by type and arguments), coreference (clusters numbered in document
    order).

    # Parameters

    document : `Document`
        As `hmtl.importing.resolution.for_columns` leaves it; what the notation cannot hold is a `ValueError`.
    """
    yield begin_line(document)
    firsts = [first for first, _ in document.sentence_bounds()]
    # For each sentence the spans of each column.
    spans: list[list[list[LabelledSpan]]] = [[[]] for _ in firsts]
    for mention in document.mentions:
        index = bisect_right(firsts, mention.start) - 1
        first = firsts[index]
        spans[index][0].append((mention.type, (mention.start - first, mention.end - first)))
    for relation in sorted(document.relations, key=lambda each: (each.type, each.arg1, each.arg2)):
        index = bisect_right(firsts, relation.start) - 1
        arguments = (FIRST_ARGUMENT, relation.arg1), (SECOND_ARGUMENT, relation.arg2)
        spans[index].append(
            [(f"{name}_{relation.type}", shifted(arg, -firsts[index])) for name, arg in arguments]
        )
    for sentence, of_columns, coref in zip(document.sentences, spans, coref_columns(document)):
        columns = [bracket_cells(each, len(sentence)) for each in of_columns]
        yield from map(" ".join, zip(map(str, count()), sentence.words, *columns, coref))
        yield ""
    yield END_DOCUMENT
