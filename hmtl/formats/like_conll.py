"""
"like_conll" files, in which HMTL reads ACE 2005: index, word, mention, one column per relation
frame, coreference. A relation frame marks its two arguments, `(ARG1_PHYS*)` and `(ARG2_PHYS*)`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from os import PathLike

from hmtl.formats.brackets import (
    NOTHING,
    ClusterId,
    LabelledSpan,
    Span,
    bracket_spans,
    coref_spans,
    flat_bracket_spans,
)
from hmtl.formats.columns import CellError, Rows, shown
from hmtl.formats.documents import Document, read_raw_documents

LAYOUT = "index, word, mention, relation frames (any number of columns), coreference"
FEWEST_COLUMNS = 4
INDEX, WORD, MENTION, FIRST_RELATION, COREFERENCE = 0, 1, 2, 3, -1
FIRST_ARGUMENT, SECOND_ARGUMENT = "ARG1", "ARG2"
SUFFIX = "like_conll"


@dataclass(slots=True, frozen=True)
class Relation:
    """
    # Parameters

    arg1, arg2 : `Span`
        The heads of the two arguments. They may share tokens.
    type : `str`
    """

    arg1: Span
    arg2: Span
    type: str


@dataclass(slots=True)
class LikeConllSentence:
    """
    # Parameters

    line : `int`
        The line of the first word, counted from 1.
    words : `list[str]`
    mentions : `list[LabelledSpan]`
        Heads of entity mentions, ordered by start; no two share a token.
    relations : `list[Relation]`
        One per relation frame, in the order of the columns.
    coref : `dict[ClusterId, list[Span]]`
        For each cluster id its mentions in this sentence.
    empty_relation_columns : `int`
        How many relation columns mark nothing at all: filling, as where a converter gives every
        sentence of a file as many columns.
    """

    line: int
    words: list[str]
    mentions: list[LabelledSpan]
    relations: list[Relation]
    coref: dict[ClusterId, list[Span]]
    empty_relation_columns: int


class LikeConllDocument(Document[LikeConllSentence]):
    """One document of a like_conll file."""


def read_documents(
    path: str | PathLike[str],
    mentions: bool = True,
    relations: bool = True,
    coreference: bool = True,
) -> Iterator[LikeConllDocument]:
    """
    Streams the documents of a like_conll file.

    # Parameters

    path : `str` or `PathLike`
    mentions, relations, coreference : `bool`, optional (default = `True`)
        What is wanted. The columns of the rest are not looked at, and sentences have none of it.

    # Raises

    `DataError`
        With file and line, for whatever the format does not allow.
    """
    for raw in read_raw_documents(path, LAYOUT, FEWEST_COLUMNS):
        sentences = [
            _parse_sentence(rows, mentions, relations, coreference) for rows in raw.sentences
        ]
        yield LikeConllDocument(raw.name, raw.part, raw.line, sentences)


def _parse_sentence(
    rows: Rows, mentions: bool, relations: bool, coreference: bool
) -> LikeConllSentence:
    rows.check_numbers(INDEX, "the index")
    frame_columns = range(FIRST_RELATION, rows.num_columns - 1) if relations else ()
    frames = [rows.parse(column, "relation frame", _parse_frame) for column in frame_columns]
    found = [relation for relation in frames if relation is not None]
    return LikeConllSentence(
        line=rows.line,
        words=rows.column(WORD),
        mentions=rows.parse(MENTION, "mentions", flat_bracket_spans) if mentions else [],
        relations=found,
        coref=rows.parse(COREFERENCE, "coreference", coref_spans) if coreference else {},
        empty_relation_columns=len(frames) - len(found),
    )


def _parse_frame(cells: list[str]) -> Relation | None:
    """The relation that one column marks, or `None` where it marks nothing."""
    if all(cell == NOTHING for cell in cells):
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
    return Relation(arguments[FIRST_ARGUMENT], arguments[SECOND_ARGUMENT], types[FIRST_ARGUMENT])


def _split_label(label: str, row: int) -> tuple[str, str]:
    """`ARG1_PART_WHOLE` is argument `ARG1` of type `PART_WHOLE`: only the first `_` parts them."""
    argument, _, relation_type = label.partition("_")
    if argument not in (FIRST_ARGUMENT, SECOND_ARGUMENT) or not relation_type:
        raise CellError(
            f"unknown argument {shown(label)}; expected 'ARG1_<type>' or 'ARG2_<type>'", row
        )
    return argument, relation_type
