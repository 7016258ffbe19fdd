"""The way that all importers take from documents to files: split, resolve, write, count."""

from __future__ import annotations

import argparse
import logging
import pickle
import tempfile
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, TypeVar

from tqdm import tqdm

from hmtl.common.files import (
    PARTIAL,
    held,
    making_directory,
    remove_abandoned,
    remove_directory,
    write_json,
)
from hmtl.errors import DataError
from hmtl.formats.annotated import Document, Mention, Relation
from hmtl.formats.tags import PREFIXES
from hmtl.importing import splits
from hmtl.importing.layouts import LAYOUTS, Layout, Options
from hmtl.importing.resolution import for_columns
from hmtl.importing.sources import part_that_tells
from hmtl.importing.splits import Splits
from hmtl.importing.tally import Tally, contents, labels_of

logger = logging.getLogger(__name__)

# What was read, converted and left out; it tells a directory that an importer made. Hidden, so that no
# reader takes it for a part of the corpus.
RECORD = ".import.json"
NOT_LISTED = "in none of the lists of --split-lists"
NO_WORD = "holds no word"
DROP, WIDEN = "drop", "widen"
LabelledT = TypeVar("LabelledT", Mention, Relation)
T = TypeVar("T")
# So many names in a warning tell whose mistake it is; the rest is a number.
NAMES_SHOWN = 3


def add_arguments(parser: argparse.ArgumentParser, default_layout: str) -> None:
    """The options of an importer that ends with `write_corpus`."""
    parser.add_argument(
        "--to",
        choices=LAYOUTS,
        default=default_layout,
        help="what to write: like_conll (readers mention_ace, relation_ace, coref_ace), conll2012 "
        "(ner_ontonotes, coref), conll2003, or for other tools one of the rest (default: %(default)s)",
    )
    parser.add_argument(
        "--singletons",
        action="store_true",
        help="write clusters of one mention too, in layouts for coreference",
    )
    parser.add_argument(
        "--discontinuous",
        choices=(DROP, WIDEN),
        default=DROP,
        help="what becomes of a mention in pieces where the files have no place for it: it is left out, or "
        "reaches from its first word to its last (default: %(default)s)",
    )
    parser.add_argument(
        "--coding-scheme",
        choices=PREFIXES,
        default="BIO",
        help="of the tags in conll2003 (default: %(default)s)",
    )
    splits.add_arguments(parser)


def convert_files(
    arguments: argparse.Namespace,
    files: Sequence[Path],
    names: Callable[[Path, Tally], Iterable[str]],
    documents: Callable[[Path, Tally], Iterable[Document]],
    tally: Tally,
    remedy: str = "",
) -> Tally:
    """
    Converts files of documents, whose folders or names may tell the split.

    # Parameters

    arguments, tally :
        As in `write_corpus`.
    files : `Sequence[Path]`
    names, documents : `Callable[[Path, Tally], Iterable]`
        Give the names of the documents of a file, and then these. The tally takes in faults and counts.
    remedy : `str`, optional (default = `""`)
        As in `splits.choose`.
    """
    left = Tally()
    own = {
        name: part_that_tells(file, arguments.source)
        for file in files
        for name in _till_fault(names(file, left), left)
    }
    found = (document for file in files for document in _till_fault(documents(file, tally), tally))
    if left.faults:
        # The others show where documents are made.
        deque(found, maxlen=0)
        tally.faults.check()
        left.faults.check()
    division = splits.choose(arguments, own.keys, splits.of_source(own), remedy)
    write_corpus(arguments, found, division, tally, len(own))
    return tally


def _till_fault(found: Iterable[T], tally: Tally) -> Iterator[T]:
    """What is found in a file, until one of its faults ends it."""
    with tally.faults:
        yield from found


def write_corpus(
    arguments: argparse.Namespace,
    documents: Iterable[Document],
    division: Splits,
    tally: Tally,
    num_documents: int | None = None,
    coref_division: Splits | None = None,
) -> None:
    """
    Writes the directory `arguments.target`, whole or not at all.

    # Parameters

    arguments : `argparse.Namespace`
        With `target`, `force`, and what `add_arguments` adds. A list in place of the directory `target` is
        given the documents as they are, and nothing is written.
    documents : `Iterable[Document]`
        In the order in which they are to stand in the files; their names differ.
    division : `Splits`
    tally : `Tally`
        All that is in `documents` is counted here as read, and then as converted or left out. Count
        nothing that is in them yourself; what never got into one is `Tally.dropped`.
    num_documents : `int`, optional (default = `None`)
        For the progress bar.
    coref_division : `Splits`, optional (default = `None`)
        Where coreference is split otherwise than the rest. A document that one of the two trains on and
        the other scores is warned about.

    # Raises

    `DataError`
        If there is something at `arguments.target` that may not be replaced, or it cannot be written, or
        there is no document.
    """
    documents = (writable(document, tally) for document in documents)
    if isinstance(arguments.target, list):
        arguments.target.extend(documents)
        tally.faults.check()
        return
    check_target(arguments.target, arguments.force)
    coref_division = coref_division or division
    names: list[str] = []
    # It imports numpy.
    from hmtl.common.near_duplicates import NearTexts

    near = NearTexts(splits.SPLITS)
    with ExitStack() as stack:
        if division.of_labels is not None:
            kept = _divided(documents, division.of_labels, num_documents, tally)
            documents = stack.enter_context(kept)
        directory = stack.enter_context(new_directory(arguments.target, arguments.force))
        options = Options(
            arguments.singletons, arguments.coding_scheme, arguments.discontinuous == WIDEN
        )
        layout = LAYOUTS[arguments.to](directory, tally, options)
        progress = tqdm(documents, "converting", num_documents, unit=" documents", disable=None)
        for document in _told_of_both(progress, layout.kind):
            write_document(document, layout, division, coref_division, tally)
            names.append(document.name)
            split = division.split_of(document.name)
            if split and not arguments.split:
                near.add(document.name, split, document.words)
        tally.faults.check()
        if not tally.num_converted["documents"]:
            raise tally.nothing_left(arguments.source)
        write_json(directory / RECORD, _record(arguments.to, division, tally))
    logger.info("documents are split %s", division.why)
    _warn_of_shared_documents(division, coref_division, names)
    _warn_of_lists(division, coref_division, names)
    if warning := near.warning():
        logger.warning("%s. Scores there are on text that was trained on", warning)


def writable(document: Document, tally: Tally) -> Document:
    """
    The document itself, or with U+FFFD for each NUL, which no file of text can hold and JSON and binary files
    can. All places stay as they are.
    """
    text = "".join(document.words) if document.text is None else document.text
    labelled: list[Mention | Relation] = [*document.mentions, *document.names]
    labelled += document.relations
    count = text.count("\0") + "".join({each.type for each in labelled}).count("\0")
    if not count:
        return document
    tally.replaced(count)

    def plain(text: str) -> str:
        return text.replace("\0", "\N{REPLACEMENT CHARACTER}")

    def with_plain_types(labelled: Sequence[LabelledT]) -> list[LabelledT]:
        return [replace(each, type=plain(each.type)) for each in labelled]

    return replace(
        document,
        text=None if document.text is None else plain(document.text),
        sentences=[
            replace(each, words=list(map(plain, each.words))) for each in document.sentences
        ],
        mentions=with_plain_types(document.mentions),
        names=with_plain_types(document.names),
        relations=with_plain_types(document.relations),
    )


class _Kept:
    """Documents that wait on disk. The file has no name, so that nobody else writes what is unpickled."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.number = 0

    def add(self, document: Document) -> None:
        pickle.dump(document, self._file)
        self.number += 1

    def all(self) -> Iterator[Document]:
        self._file.seek(0)
        for _ in range(self.number):
            yield pickle.load(self._file)


def _told_of_both(documents: Iterable[Document], kind: str) -> Iterator[Document]:
    """
    The documents, told whether their corpus has both names and mentions.

    # Parameters

    documents : `Iterable[Document]`
    kind : `str`
        `mentions` or `names`: as which the others are written of a corpus without any. Documents that have
        only the others wait until one has some.
    """
    has_both = False
    with tempfile.TemporaryFile() as file:
        waiting = _Kept(file)
        for document in documents:
            if not has_both and getattr(document, kind):
                has_both = True
                for each in waiting.all():
                    yield replace(each, has_both=True)
            if not has_both and (waiting.number or document.mentions or document.names):
                waiting.add(document)
            else:
                document.has_both = has_both
                yield document
        if not has_both:
            yield from waiting.all()


@contextmanager
def _divided(
    documents: Iterable[Document],
    of_labels: dict[str, str],
    num_documents: int | None,
    tally: Tally,
) -> Iterator[Iterator[Document]]:
    """The documents, kept on disk until their division by labels is made."""
    labels: dict[str, Counter[tuple[str, str]]] = {}
    with tempfile.TemporaryFile() as file:
        kept = _Kept(file)
        for document in tqdm(documents, "reading", num_documents, unit=" documents", disable=None):
            # Parts of one document have one name.
            labels.setdefault(document.name, Counter()).update(labels_of(document))
            kept.add(document)
        tally.faults.check()
        if labels:
            of_labels.update(splits.by_labels(labels))
        yield kept.all()


def write_document(
    document: Document, layout: Layout, division: Splits, coref_division: Splits, tally: Tally
) -> None:
    """
    Adds a document to the files of a layout and counts what is read, left out and converted; see
    `write_corpus` for the parameters.
    """
    split, coref_split = division.split_of(document.name), coref_division.split_of(document.name)
    document = layout.recast(document)
    read = contents(document)
    for kind, count in read.items():
        tally.read(kind, count)
    reason = NOT_LISTED if split is None and coref_split is None else None
    reason = reason if document.num_words else NO_WORD
    if reason:
        for kind, count in read.items():
            tally.left_out(kind, reason, count)
        return
    fitted = layout.fit(document)
    layout.write(fitted, split, coref_split)
    if layout.keeps_all or layout.options.singletons:
        unlearned = Tally()
        for_columns(fitted, unlearned)
        for (kind, why), count in unlearned.num_left_out.items():
            tally.not_learned(kind, why, count)
    left = contents(fitted)
    for kind, count in left.items():
        tally.converted(kind, count)
    # Where a document is in a split for coreference only, that one counts.
    tally.in_split(split or coref_split or "", left)
    tally.labels_in_split(split or coref_split or "", labels_of(fitted))


@contextmanager
def new_directory(target: Path, force: bool) -> Iterator[Path]:
    """As `making_directory`; with `force` in place of what an importer wrote there before."""
    replaced = target.with_name(f".{target.name}.replaced{PARTIAL}")
    remove_abandoned(target)
    with making_directory(target) as directory, held(directory, "another directory"):
        yield directory
        if force and target.exists():
            remove_directory(replaced)
            target.rename(replaced)
    remove_directory(replaced)


def check_target(target: Path, force: bool) -> None:
    """
    Whether an importer may write there.

    # Raises

    `DataError`
        If something is there already that `force` does not replace, or it has no name of its own.
    """
    if target.name in ("", ".."):
        raise DataError("expected the name of a directory to make, as data/mine", target)
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return
    if not force:
        raise DataError(
            "is there already; replace it with --force or choose another directory", target
        )
    if not (target / RECORD).is_file():
        raise DataError(
            f"is no directory that this script wrote ({RECORD} is missing), so --force will not replace it; "
            "choose another",
            target,
        )


def _record(layout: str, division: Splits, tally: Tally) -> dict[str, Any]:
    return {"layout": layout, "split": division.why, **tally.to_json()}


def _warn_of_lists(division: Splits, coref_division: Splits, names: list[str]) -> None:
    for each in [division] if coref_division is division else [division, coref_division]:
        if missing := splits.not_found(each.listed, names):
            logger.warning(
                "%d of the %d names in %s are of no document that was converted: %s%s",
                len(missing),
                len(each.listed),
                each.why.removeprefix("by "),
                ", ".join(missing[:NAMES_SHOWN]),
                ", ..." if len(missing) > NAMES_SHOWN else "",
            )


def _warn_of_shared_documents(division: Splits, coref_division: Splits, names: list[str]) -> None:
    shared = splits.shared_between(division, coref_division, names)
    if shared:
        logger.warning(
            "%d document(s) are trained on by coreference and scored by the other tasks, or the other way "
            "round: %s%s. In a model of all tasks those scores are on text that was trained on",
            len(shared),
            ", ".join(shared[:NAMES_SHOWN]),
            ", ..." if len(shared) > NAMES_SHOWN else "",
        )
