"""
OntoNotes 5 (LDC2013T19), English: the release's .parse, .name and .coref files, or .onf where there are none.

Words, parts of speech and parses are those of the trees; as in CoNLL-2012, traces and what the speaker took
back (EDITED) are removed, names and mentions shrink with them, and only chains of identity are kept. Of names
that nest the outer one stays. Rolesets, senses and speakers are not read. With --skeletons all columns come
from the *_skel files of CoNLL-2012 (or of its successors), and from the release only the words.

ner/<split>/ holds one file for each document that has names; with --concatenate coref/<split>.gold_conll
holds all documents of a split that have coreference. The split of CoNLL-2012 comes with the folders of the
skeletons, or as lists: --split-lists takes train.id, development.id and test.id as they were published. A
document that is not as it should be is warned about, left out and counted.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from hmtl.errors import DataError
from hmtl.formats.annotated import Document
from hmtl.formats.columns import read_lines
from hmtl.importing import corpus_writer, ontonotes_conversion, ontonotes_skeletons, splits
from hmtl.importing.ontonotes_layers import (
    ALL_LAYERS,
    COREF,
    NAMES,
    TREES,
    beside,
    read_sentences,
)
from hmtl.importing.sources import by_stem
from hmtl.importing.splits import Splits
from hmtl.importing.tally import Tally

logger = logging.getLogger(__name__)

_FOREIGN = ("arabic", "chinese")
# Names of documents begin after this folder, as in CoNLL-2012: `bc/cctv/00/cctv_0001`.
_ROOT_FOLDER = "annotations"

NOT_ENGLISH = "Arabic or Chinese"
MALFORMED = "not as OntoNotes' files are (see the warnings)"
NO_TREES = f"neither {TREES} nor {ALL_LAYERS} beside the other layers"
SAME_NAME = "another of the same name is read"
NOT_ANNOTATED = f"neither {NAMES} nor {COREF} beside the trees"
COREF_ALONE = "coreference alone; written with --concatenate"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the format."""
    parser.add_argument(
        "--skeletons",
        type=Path,
        metavar="DIR",
        help="the *gold_skel files to put the words into, as they were published",
    )
    parser.add_argument(
        "--concatenate",
        action="store_true",
        help="write the files for coreference, one for each split, too",
    )
    corpus_writer.add_arguments(parser, default_layout="conll2012")


def run(arguments: argparse.Namespace) -> Tally:
    """Converts a release, or any part of it."""
    tally = Tally()
    stems = find_documents(arguments.source, tally)
    if arguments.skeletons:
        _convert_skeletons(arguments, stems, tally)
    else:
        _convert_release(arguments, stems, tally)
    return tally


def find_documents(source: Path, tally: Tally) -> dict[str, Path]:
    """
    The English documents of a release by name, in order; each with its files' path without a suffix.

    # Raises

    `DataError`
        If there is none.
    """
    files = by_stem(source, [TREES, ALL_LAYERS, NAMES, COREF])
    foreign = {stem for stem in files if _is_foreign(stem, source)}
    tally.dropped("documents", NOT_ENGLISH, len(foreign))
    # Some documents have the name of one of another language.
    stems = [stem for stem in files if stem not in foreign]
    with_words = [stem for stem in stems if TREES in files[stem] or ALL_LAYERS in files[stem]]
    tally.dropped("documents", NO_TREES, len(stems) - len(with_words))
    english = {_document_name(stem, source): stem for stem in with_words}
    tally.dropped("documents", SAME_NAME, len(with_words) - len(english))
    if not english:
        raise DataError(
            f"no English document here or below: expected files that end in '{TREES}' or '{ALL_LAYERS}', as "
            "in data/files/data/english of the release",
            source,
        )
    return dict(sorted(english.items()))


def _document_name(stem: Path, source: Path) -> str:
    folders = stem.absolute().parts
    if _ROOT_FOLDER in folders:
        after = len(folders) - folders[::-1].index(_ROOT_FOLDER)
        return "/".join(folders[after:])
    return stem.relative_to(source).as_posix() if source.is_dir() else stem.name


def _is_foreign(stem: Path, source: Path) -> bool:
    folders = stem.relative_to(source).parts if source.is_dir() else ()
    return any(folder.lower() in _FOREIGN for folder in folders)


def _convert_release(arguments: argparse.Namespace, stems: dict[str, Path], tally: Tally) -> None:
    with_names = {name for name, stem in stems.items() if _has_layer(stem, NAMES)}
    with_coref = {name for name, stem in stems.items() if _has_layer(stem, COREF)}
    tally.dropped("documents", NOT_ANNOTATED, len(stems.keys() - with_names - with_coref))
    if not arguments.concatenate:
        tally.dropped("documents", COREF_ALONE, len(with_coref - with_names))
        with_coref.clear()
    stems = {name: stem for name, stem in stems.items() if name in with_names | with_coref}
    division = _division(arguments, stems)
    documents = _without_malformed(
        (partial(_from_release, name, stem, tally) for name, stem in stems.items()), tally
    )
    corpus_writer.write_corpus(
        arguments,
        documents,
        _only(division, with_names),
        tally,
        coref_division=_only(division, with_coref),
    )


def _has_layer(stem: Path, suffix: str) -> bool:
    """`.onf` tells all layers, where the trees have no file of their own."""
    return beside(stem, suffix).is_file() or not beside(stem, TREES).is_file()


def _from_release(name: str, stem: Path, tally: Tally) -> list[Document]:
    return list(ontonotes_conversion.documents(name, read_sentences(stem, tally), tally))


def _convert_skeletons(arguments: argparse.Namespace, stems: dict[str, Path], tally: Tally) -> None:
    skeletons = ontonotes_skeletons.find_skeletons(arguments.skeletons, tally)
    words_of: dict[str, Callable[[], list[list[str]]]] = {
        name: partial(_words, stem) for name, stem in stems.items()
    }
    own: dict[str, str] = {}
    documents = _without_malformed(
        (
            partial(_from_skeleton, skeleton, split, words_of, own, tally)
            for skeleton, split in skeletons.items()
        ),
        tally,
    )
    chosen = arguments.split or arguments.split_lists or arguments.split_by
    if any(skeletons.values()) and not chosen:
        # A document's split is known once its skeleton was read.
        division = Splits(own.get, "as the folders of the skeletons divide them")
    else:
        division = _division(arguments, stems)
    coref_division = division if arguments.concatenate else _only(division, set())
    corpus_writer.write_corpus(arguments, documents, division, tally, coref_division=coref_division)


def _from_skeleton(
    skeleton: Path,
    split: str | None,
    words_of: dict[str, Callable[[], list[list[str]]]],
    own: dict[str, str],
    tally: Tally,
) -> list[Document]:
    documents = list(ontonotes_skeletons.documents(skeleton, words_of, tally))
    if split:
        own.update((document.name, split) for document in documents)
    return documents


def _words(stem: Path) -> list[list[str]]:
    """The words of each sentence, without traces and disfluencies."""
    trees = [sentence.tree for sentence in read_sentences(stem, Tally(), trees_alone=True)]
    sentences = [[tree.leaves[leaf].word for leaf in tree.spoken()] for tree in trees]
    return [words for words in sentences if words]


def _without_malformed(
    readers: Iterable[Callable[[], list[Document]]], tally: Tally
) -> Iterator[Document]:
    for reader in readers:
        try:
            documents = reader()
        except DataError as error:
            logger.warning("%s; this document is left out", error)
            tally.dropped("documents", MALFORMED)
            continue
        yield from documents


def _only(division: Splits, names: set[str]) -> Splits:
    """A division of some documents; the others are in none."""
    return replace(
        division, split_of=lambda name: division.split_of(name) if name in names else None
    )


def _division(arguments: argparse.Namespace, names: Iterable[str]) -> Splits:
    if arguments.split_lists:
        listed = read_id_lists(arguments.split_lists)
        missing = len(listed.keys() - set(names))
        if missing:
            logger.warning(
                "%d document(s) of %s are not in the release", missing, arguments.split_lists
            )
        return Splits(listed.get, f"by the lists in {arguments.split_lists}")
    return splits.choose(arguments, lambda: names)


def read_id_lists(directory: Path) -> dict[str, str]:
    """
    The split of each document that CoNLL-2012's lists name (`train.id`, `development.id`, `test.id`), by its
    whole name, as `bc/cctv/00/cctv_0001`: genres have documents of the same last name.

    # Raises

    `DataError`
        If there is no list, or a document is in two.
    """
    files = (
        sorted(file for file in directory.iterdir() if file.is_file()) if directory.is_dir() else []
    )
    lists = [(file, split) for file in files if (split := splits.split_named(file.name))]
    if not lists:
        raise DataError(
            "--split-lists: expected train.id, development.id and test.id here", directory
        )
    split_of: dict[str, str] = {}
    for file, split in lists:
        for number, line in read_lines(file):
            name = line.strip().rpartition(f"{_ROOT_FOLDER}/")[2]
            if name and split_of.setdefault(name, split) != split:
                raise DataError(
                    f"{name!r} is in the list of {split_of[name]} already; expected each document in one",
                    file,
                    number,
                )
    return split_of
