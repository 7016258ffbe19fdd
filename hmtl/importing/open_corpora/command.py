"""
Fetches openly licensed corpora from their sources and converts them: GUM and OntoGUM (names, coreference) to
DIR/ontonotes, Re-DocRED (mentions, relations, coreference) to DIR/ace, as configs/hmtl_open.json reads them,
with their licences and attributions. GUM's treebank goes to DIR/treebank as it is, for
configs/many_tasks.json, and the documents of Re-DocRED with all their relations to DIR/docred, for
configs/documents.json. 33 MB are fetched, and 36 MB written.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from hmtl.common.files import sha256_of_tree, write_json
from hmtl.errors import DataError
from hmtl.importing.corpus_writer import RECORD, check_target, new_directory
from hmtl.importing.open_corpora import fetching, gum, redocred
from hmtl.importing.tally import Tally

ONTONOTES, ACE, TREEBANK, DOCRED = "ontonotes", "ace", "treebank", "docred"
LICENSES = "LICENSES.md"
GUM_TABLE, REDOCRED_TABLE = "ATTRIBUTION-gum.tsv", "ATTRIBUTION-redocred.tsv"
# Where the sources are kept, beside the directory that is made.
SOURCES = ".sources"

# What the sources become, as `hmtl.common.files.sha256_of_tree` sees it.
_DIGESTS = {
    ONTONOTES: "430d8277b0caf3d0ebeff0b084b5eb3a54c5012e070fea8e7195493acc92b794",
    ACE: "4382902c086bf8053c4e9ccabd3a91a99010380bcf244bfc4fde113d0b39ef5f",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("target", type=Path, metavar="DIR", help="the directory to make")
    parser.add_argument(
        "--from",
        type=Path,
        dest="source",
        metavar="FOLDER",
        help="the folder that holds the sources already, as this command keeps them beside DIR; nothing is "
        f"fetched (default: fetch what is missing in DIR{SOURCES})",
    )
    parser.add_argument(
        "-f", "--force", action="store_true", help="replace DIR, if this command made it"
    )


def run(arguments: argparse.Namespace) -> str:
    """
    Make the directory `arguments.target`, whole or not at all.

    # Returns

    `str`
        What was converted, for the terminal.

    # Raises

    `DataError`
        If sources cannot be had or are others than they should be, or if there is something at the target.
    """
    target, folder, files = arguments.target, arguments.source, fetching.listed()
    check_target(target, arguments.force)
    if folder is None:
        folder = target.with_name(target.name + SOURCES)
        fetching.fetch(folder, files)
    else:
        _check_complete(folder, files)
    with new_directory(target, arguments.force) as directory:
        tallies = convert(folder, directory, files)
        _check_result(directory, folder, files)
    parts = [f"{name}\n{tally.summary()}" for name, tally in tallies.items()]
    return "\n\n".join([*parts, f"written to {target}; the sources are in {folder}"])


def convert(folder: Path, directory: Path, files: Iterable[str]) -> dict[str, Tally]:
    """
    Write all that there is to the corpora.

    # Parameters

    folder : `Path`
        The sources.
    directory : `Path`
        Is there, and empty.
    files : `Iterable[str]`
        The paths of the sources; they tell which documents of GUM there are.

    # Returns

    `dict[str, Tally]`
        By corpus, what was read, left out and converted.
    """
    of_gum, of_redocred = folder / "gum", folder / "redocred"
    names = [Path(path).stem for path in files if path.startswith(f"gum/{gum.DEPENDENCIES}/")]
    tallies = {"GUM and OntoGUM": Tally(), "Re-DocRED": Tally()}
    for_names, for_relations = tallies.values()
    gum.convert(of_gum, names, directory / ONTONOTES, for_names)
    gum.copy_treebank(of_gum, names, directory / TREEBANK)
    redocred.convert(of_redocred, directory / ACE, directory / DOCRED, for_relations)
    shutil.copyfile(Path(__file__).with_name(LICENSES), directory / LICENSES)
    _write_table(directory / GUM_TABLE, gum.ATTRIBUTIONS, gum.attributions(of_gum, names))
    _write_table(
        directory / REDOCRED_TABLE, redocred.ATTRIBUTIONS, redocred.attributions(of_redocred)
    )
    write_json(directory / RECORD, {name: tally.to_json() for name, tally in tallies.items()})
    return tallies


def _write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    lines = ("\t".join(row) + "\n" for row in [header, *rows])
    path.write_text("".join(lines), encoding="utf-8", newline="\n")


def _check_complete(folder: Path, files: Iterable[str]) -> None:
    """Whether all files are there; of one the part that is used is enough."""
    enough = {f"redocred/{redocred.TEST_FILE}": f"redocred/{redocred.FIRST_TEST_DOCUMENTS}"}
    missing = [
        path
        for path in files
        if not (folder / path).is_file() and not (folder / enough.get(path, path)).is_file()
    ]
    if missing:
        raise DataError(
            f"lacks {len(missing)} of the sources, as {missing[0]}; expected a folder as this command keeps "
            "it beside DIR. Without --from they are fetched",
            folder,
        )


def _check_result(directory: Path, folder: Path, files: Mapping[str, str]) -> None:
    """Whether the same was written as always; sources that were fetched are the right ones already."""
    wrong = [
        name for name, digest in _DIGESTS.items() if sha256_of_tree(directory / name) != digest
    ]
    if wrong:
        others = list(fetching.differing(folder, files))
        raise DataError(
            f"the sources gave another {' and '.join(wrong)} than they should. {len(others)} files there are "
            f"not those that were published{f', as {others[0]}' if others else ''}; without --from they are "
            "fetched",
            folder,
        )
