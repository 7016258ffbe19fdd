"""
Which documents are for training, development and test.

In this order of preference: `--split NAME` puts all into one; `--split-lists DIR` holds a list of names for
each split; `--split-by` asks for one of the two ways below; the source's own division, where it has files or
folders named after the splits; and else

by hash: a division by the SHA-256 digests of the names. Of the documents in the order of their digests the
first tenth (at least one) is for test, the next (at least one) for development. It depends on the names
alone, looks random, is the same everywhere, and moves few documents when some are added.

by labels: so that each split has its share of each label (`by_labels`).
"""

from __future__ import annotations

import argparse
import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hmtl.errors import DataError
from hmtl.formats.columns import read_lines

TRAIN, DEV, TEST = "train", "dev", "test"
SPLITS = (TRAIN, DEV, TEST)

# Folders, files and lists of a split, as corpora name them; testa and testb are CoNLL-2003's.
_NAMES = {
    TRAIN: ("train", "training"),
    DEV: ("dev", "devel", "development", "val", "valid", "validation", "testa"),
    TEST: ("test", "testing", "eval", "testb"),
}
_SUFFIXES = re.compile(r"(\.(apf|xml|sgm|txt|ann|json|jsonl|(v[0-9]_)?[a-z]+_conll))+$")
BY_HASH, BY_LABELS = "hash", "labels"
_HELD_OUT_SHARE = 10
_FEWEST_DOCUMENTS = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options by which all formats are split."""
    group = parser.add_argument_group(
        "splits",
        "Without these: as the source divides itself, where it has files or folders named train, dev and "
        "test; else a tenth of the documents for test and a tenth for dev, by the hashes of their names.",
    )
    choice = group.add_mutually_exclusive_group()
    choice.add_argument("--split", choices=SPLITS, help="put all documents into this one")
    choice.add_argument(
        "--split-by",
        choices=(BY_HASH, BY_LABELS),
        help="divide anew: by the hashes of the names, or so that each split has its share of each label",
    )
    choice.add_argument(
        "--split-lists",
        type=Path,
        metavar="DIR",
        help="train.txt, dev.txt and test.txt there name the documents of each split, one a line (folders "
        "before a name, and suffixes such as .sgm or .apf.xml after it, do not count); others are left out",
    )


def split_named(name: str) -> str | None:
    """
    The split that the name of a file or folder tells, as `train_annotated.json` or `devel/`; `None` if it
    tells none.
    """
    words = re.split(r"[^a-z]+", Path(name).name.lower())
    return next((split for split in SPLITS for word in words if word in _NAMES[split]), None)


def is_folder_of(split: str, folder: str) -> bool:
    """Whether a folder has just one of the names of a split, as `devel` has."""
    return folder.lower() in _NAMES[split]


def by_digest(names: Iterable[str], remedy: str = "") -> dict[str, str]:
    """
    The split of each name, by the digests.

    # Parameters

    names : `Iterable[str]`
    remedy : `str`, optional (default = `""`)
        What else can be done where there are too few, for the message.

    # Raises

    `DataError`
        If there are too few documents for three splits.
    """
    unique = _ordered(names, remedy)
    held_out = _num_held_out(len(unique))
    return {
        name: TEST if rank < held_out else DEV if rank < 2 * held_out else TRAIN
        for rank, name in enumerate(unique)
    }


def _ordered(names: Iterable[str], remedy: str = "") -> list[str]:
    """The names in the order of their digests, if they are enough."""
    unique = sorted(set(names), key=lambda name: hashlib.sha256(name.encode()).digest())
    if len(unique) < _FEWEST_DOCUMENTS:
        raise DataError(
            f"{len(unique)} document(s) cannot be divided into {', '.join(SPLITS)}, and a training needs "
            f"each of them: add documents{remedy}, or say with --split which of them they are"
        )
    return unique


def _num_held_out(number: int) -> int:
    """How many of so many documents are for each of the two splits that training does not see."""
    return max(1, number // _HELD_OUT_SHARE)


def by_labels(labels: Mapping[str, Mapping[tuple[str, str], int]]) -> dict[str, str]:
    """
    The split of each document, so that each split has its share of the documents, exactly, and of each label,
    as far as whole documents allow.

    The documents with the most labels go first. Each joins the split in which it adds least to the squared
    distance of the counts of its labels from what they should be, in units of the latter.

    # Parameters

    labels : `Mapping[str, Mapping[tuple[str, str], int]]`
        By name of a document, how often it has each label, by kind and label.

    # Raises

    `DataError`
        If there are too few documents for three splits.
    """
    names = _ordered(labels)
    held_out = _num_held_out(len(names))
    room = {TRAIN: len(names) - 2 * held_out, DEV: held_out, TEST: held_out}
    shares = {split: number / len(names) for split, number in room.items()}
    totals: Counter[tuple[str, str]] = Counter()
    for found in labels.values():
        totals.update(found)
    counts: dict[str, Counter[tuple[str, str]]] = {split: Counter() for split in SPLITS}

    def added(name: str, split: str) -> float:
        distance = 0.0
        for label, count in labels[name].items():
            wanted = shares[split] * totals[label]
            before = counts[split][label] - wanted
            distance += ((before + count) ** 2 - before**2) / wanted
        return distance

    split_of: dict[str, str] = {}
    for name in sorted(names, key=lambda name: -sum(labels[name].values())):
        open_splits = [split for split in SPLITS if room[split]]
        # Of equally good ones that which is emptiest for its size.
        split = min(open_splits, key=lambda each: (added(name, each), -room[each] / shares[each]))
        split_of[name] = split
        room[split] -= 1
        counts[split].update(labels[name])
    return split_of


def read_lists(directory: Path) -> Splits:
    """
    The division by the lists of a directory: a document's by its whole name if that is listed, else by its
    name without folders, as lists are often given, if that is listed for one split only.

    # Raises

    `DataError`
        If there is no list, or a document is in two.
    """
    files = (
        sorted(file for file in directory.iterdir() if file.is_file()) if directory.is_dir() else []
    )
    lists = [(file, split) for file in files if (split := split_named(file.name))]
    if not lists:
        raise DataError(
            "--split-lists: expected files train.txt, dev.txt, test.txt here", directory
        )
    split_of: dict[str, str] = {}
    of_bare_name: dict[str, str | None] = {}
    for file, split in lists:
        for number, line in read_lines(file):
            name = without_suffixes(line.strip())
            if not name:
                continue
            if split_of.setdefault(name, split) != split:
                raise DataError(
                    f"{name!r} is in the list of {split_of[name]} already; expected each document in one",
                    file,
                    number,
                )
            bare = bare_name(name)
            of_bare_name[bare] = split if of_bare_name.get(bare, split) == split else None

    def split_of_name(name: str) -> str | None:
        name = without_suffixes(name)
        return split_of.get(name) or of_bare_name.get(bare_name(name))

    return Splits(split_of_name, f"by the lists in {directory}", listed=frozenset(split_of))


def not_found(listed: Iterable[str], names: Iterable[str]) -> list[str]:
    """Which names in lists are of none of the documents with these names, in order."""
    whole = {without_suffixes(name) for name in names}
    bare = {bare_name(name) for name in whole}
    return sorted(each for each in listed if each not in whole and bare_name(each) not in bare)


def without_suffixes(name: str) -> str:
    """The name of a document without the suffixes that corpora's files have."""
    return _SUFFIXES.sub("", name)


def bare_name(name: str) -> str:
    """The same without the folders before it."""
    return without_suffixes(name).rpartition("/")[2]


@dataclass(frozen=True)
class Splits:
    """
    # Parameters

    split_of : `Callable[[str], str | None]`
        The split of a document by its name; `None` where it is to be left out.
    why : `str`
        Where the division comes from, for the log.
    of_labels : `dict[str, str]`, optional (default = `None`)
        Where labels decide: what `split_of` looks into, empty until whoever has the documents fills it by
        `by_labels`.
    listed : `frozenset[str]`, optional (default = `frozenset()`)
        Where lists decide: the names in them.
    """

    split_of: Callable[[str], str | None]
    why: str
    of_labels: dict[str, str] | None = None
    listed: frozenset[str] = frozenset()


def choose(
    arguments: argparse.Namespace,
    names: Callable[[], Iterable[str]],
    own: Mapping[str, str] | None = None,
    remedy: str = "",
) -> Splits:
    """
    The division that the options of `add_arguments` ask for.

    # Parameters

    arguments : `argparse.Namespace`
    names : `Callable[[], Iterable[str]]`
        Gives the names of all documents; called only if the division depends on them.
    own : `Mapping[str, str]`, optional (default = `None`)
        The source's own division, by document, if it has one.
    remedy : `str`, optional (default = `""`)
        What else can be done where there are too few documents, for the message.

    # Raises

    `DataError`
        As the lists, or the number of documents, give reason to.
    """
    if arguments.split:
        return Splits(lambda _: arguments.split, f"by --split {arguments.split}")
    if arguments.split_lists:
        return read_lists(arguments.split_lists)
    if arguments.split_by == BY_LABELS:
        found: dict[str, str] = {}
        return Splits(found.get, "so that each split has its share of each label", found)
    if own and not arguments.split_by:
        return Splits(own.get, "as the source divides itself")
    named = list(names())
    if not named:
        raise DataError("holds no document", arguments.source)
    digests = by_digest(named, remedy)
    return Splits(digests.get, "by the hashes of the documents' names")


def shared_between(first: Splits, second: Splits, names: Iterable[str]) -> list[str]:
    """Documents that one division trains on and the other scores, or the other way round."""
    return [
        name
        for name in names
        if TRAIN in (pair := {first.split_of(name), second.split_of(name)}) and pair & {DEV, TEST}
    ]


def of_source(parts: Mapping[str, str]) -> dict[str, str]:
    """
    The source's own division, by document; empty if it has none.

    # Parameters

    parts : `Mapping[str, str]`
        For each document the file or the folder that may tell its split. They make a division only if all
        tell one, and one of them is for training.
    """
    told = {document: split_named(part) for document, part in parts.items()}
    if TRAIN not in told.values() or None in told.values():
        return {}
    return {document: split for document, split in told.items() if split is not None}


def without_folders(names: Iterable[str]) -> dict[str, str]:
    """
    For each name of a document the same without a first folder that is named just as a split, or, where two
    would then be the same, all names as they are.
    """
    names = list(names)
    any_split = [name for known in _NAMES.values() for name in known]
    bare = [
        name.partition("/")[2] if name.partition("/")[0].lower() in any_split else name
        for name in names
    ]
    return dict(zip(names, bare if len(set(bare)) == len(names) else names))


def by_folders(names: Iterable[str]) -> dict[str, str]:
    """The same, where the first folder in the name of each document tells its split."""
    return of_source({name: name.partition("/")[0] if "/" in name else "" for name in names})
