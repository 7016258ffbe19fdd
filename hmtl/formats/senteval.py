"""
The files of SentEval's probing tasks (Conneau et al. 2018): `partition TAB label TAB ... TAB sentence`, a
sentence a line, its tokens parted by blanks, all partitions in one file.
"""

from __future__ import annotations

from collections.abc import Iterator
from os import PathLike
from typing import NamedTuple

from hmtl.common.reporting import counted
from hmtl.errors import DataError
from hmtl.formats.columns import read_lines, shown

TRAIN, DEV, TEST = "tr", "va", "te"
PARTITIONS = (TRAIN, DEV, TEST)


class LabelledSentence(NamedTuple):
    """A line of such a file."""

    line: int
    partition: str
    label: str
    words: list[str]


def read_labelled_sentences(path: str | PathLike[str]) -> Iterator[LabelledSentence]:
    """
    # Raises

    DataError
        With the line, when one is not of the format.
    """
    for number, text in read_lines(path):
        fields = text.split("\t")
        if len(fields) < 3:
            raise DataError(
                f"{shown(text)} has {counted(len(fields), 'fields')}; "
                "expected is 'partition TAB label TAB sentence'",
                path,
                number,
            )
        partition, label = fields[0], fields[1]
        if partition not in PARTITIONS:
            raise DataError(
                f"partition {shown(partition)}; expected one of {', '.join(PARTITIONS)}",
                path,
                number,
            )
        if not label:
            raise DataError("the label is empty", path, number)
        yield LabelledSentence(number, partition, label, fields[-1].split())
