"""
The ten probing tasks of SentEval (Conneau et al., 2018, "What you can cram into a single vector"), and
their data; `hmtl.formats.senteval` has the format of their files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hmtl.common.files import sha256_of
from hmtl.errors import DataError
from hmtl.formats.columns import shown
from hmtl.formats.senteval import PARTITIONS, TRAIN, read_labelled_sentences

# By SentEval's names, in its order: surface, syntax, semantics.
PROBING_FILES: dict[str, str] = {
    "Length": "sentence_length.txt",
    "WordContent": "word_content.txt",
    "Depth": "tree_depth.txt",
    "TopConstituents": "top_constituents.txt",
    "BigramShift": "bigram_shift.txt",
    "Tense": "past_present.txt",
    "SubjNumber": "subj_number.txt",
    "ObjNumber": "obj_number.txt",
    "OddManOut": "odd_man_out.txt",
    "CoordinationInversion": "coordination_inversion.txt",
}
# With its 1,000 classes, SentEval lets no hidden layer come between.
WITHOUT_HIDDEN_LAYER = ("WordContent",)

# Where the files lie in a directory that a user may mean: itself, SentEval's data, SentEval's checkout.
PROBING = "probing"
PLACES = (".", PROBING, f"data/{PROBING}")

Sentence = list[str]


@dataclass
class Partition:
    """Some of a task's sentences, as lists of tokens, and their labels."""

    sentences: list[Sentence] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)


@dataclass
class ProbingData:
    """
    A probing task's data.

    `partitions` is by `PARTITIONS`; `digest` is the SHA-256 of the file they come from.
    """

    task: str
    digest: str
    partitions: dict[str, Partition]

    @property
    def sentences(self) -> list[Sentence]:
        """Of all partitions, training first, test last."""
        return [each for name in PARTITIONS for each in self.partitions[name].sentences]

    @property
    def classes(self) -> list[str]:
        """The labels in alphabetical order."""
        return sorted(set(self.partitions[TRAIN].labels))


def probing_directory(directory: Path) -> Path:
    """
    Where the files lie: in `directory` itself, in its `probing/`, or in its `data/probing/`.

    # Raises

    DataError
        When there is none of them.
    """
    for place in PLACES:
        candidate = directory / place
        if any((candidate / name).is_file() for name in PROBING_FILES.values()):
            return candidate
    raise DataError(
        f"holds no file of SentEval's probing tasks ({', '.join(PROBING_FILES.values())}), nor do "
        "probing/ and data/probing/ in it. SentEval's data are in its repository, as data/probing/.",
        directory,
    )


def data_directory(directory: Path) -> Path:
    """
    What SentEval's engine wants to be told.

    # Parameters

    directory : `Path`
        As `probing_directory` returns it.

    # Raises

    DataError
        When it is not called `probing`: the engine looks for a directory of that name.
    """
    if directory.resolve().name != PROBING:
        raise DataError(
            f"SentEval's engine finds its files only in a directory called {PROBING!r}: rename this one",
            directory,
        )
    return directory.resolve().parent


def tasks_in(directory: Path, wanted: Sequence[str] | None = None) -> list[str]:
    """
    # Parameters

    directory : `Path`
        As `probing_directory` returns it.
    wanted : `Sequence[str]`, optional (default = `None`)
        SentEval's names of tasks; `None` asks for all that are there.

    # Returns

    tasks : `list[str]`
        In SentEval's order, each once.

    # Raises

    DataError
        When a wanted one has no file.
    """
    there = [task for task, name in PROBING_FILES.items() if (directory / name).is_file()]
    for task in wanted or ():
        if task not in there:
            raise DataError(
                f"has no {PROBING_FILES[task]}, the file of {task}; there are those of "
                f"{', '.join(there)}",
                directory,
            )
    return [task for task in there if wanted is None or task in wanted]


def read_probing_data(task: str, directory: Path) -> ProbingData:
    """
    # Parameters

    task : `str`
        SentEval's name.
    directory : `Path`
        As `probing_directory` returns it.

    # Raises

    DataError
        With the line, when one is not of the format, or has a label that no training sentence has; when a
        partition is empty, or there is but one label.
    """
    path = directory / PROBING_FILES[task]
    partitions = {name: Partition() for name in PARTITIONS}
    lines: dict[str, tuple[str, int]] = {}
    for number, name, label, sentence in read_labelled_sentences(path):
        partitions[name].sentences.append(sentence)
        partitions[name].labels.append(label)
        if name != TRAIN:
            lines.setdefault(label, (name, number))
    _check_partitions(partitions, path)
    data = ProbingData(task, sha256_of(path), partitions)
    known = set(data.classes)
    for label, (name, number) in lines.items():
        if label not in known:
            raise DataError(
                f"label {shown(label)} of a sentence of {name!r} stands at no sentence of {TRAIN!r}, so "
                "that no classifier can learn it. Correct it, or remove the sentence.",
                path,
                number,
            )
    return data


def _check_partitions(partitions: dict[str, Partition], path: Path) -> None:
    for name, partition in partitions.items():
        if not partition.sentences:
            raise DataError(
                f"has no sentence of partition {name!r}; needed are {', '.join(PARTITIONS)}", path
            )
    labels = set(partitions[TRAIN].labels)
    if len(labels) < 2:
        raise DataError(
            f"all sentences of {TRAIN!r} have the one label {shown(labels.pop())}", path
        )
