"""Documents of any format that is imported, and which format a file has."""

from __future__ import annotations

import argparse
import shlex
from itertools import islice
from pathlib import Path

from hmtl.errors import DataError
from hmtl.formats.annotated import Document
from hmtl.formats.columns import read_lines
from hmtl.formats.documents import BEGIN_DOCUMENT
from hmtl.formats.files import files_under
from hmtl.importing.registry import FORMATS, importer

# So many lines tell what a file is.
LINES_LOOKED_AT = 200
# The endings of file names that tell a format by themselves, those that say most first.
ENDINGS = {
    ".apf.xml": "ace2005",
    ".ann": "brat",
    ".a1": "brat",
    ".onf": "ontonotes",
    ".like_conll": "like_conll",
    "_conll": "conll2012",
    ".conllu": "conllu",
    ".spacy": "docbin",
}
_CONLL2012_FEWEST, _CONLLU_COLUMNS = 11, 10


def read(path: Path, file_format: str | None = None, options: str = "") -> list[Document]:
    """
    # Parameters

    path : `Path`
        A file or a folder.
    file_format : `str`, optional (default = `None`)
        A name in `hmtl.importing.registry.FORMATS`; by default what the files look like.
    options : `str`, optional (default = `""`)
        Of the format, as `hmtl import` takes them: `"--tag 4"`.

    # Raises

    DataError
        With file and line, for whatever the format does not allow, or when the options are none of its.
    """
    name = file_format or format_of(path)
    module = importer(name)
    parser = _Parser(prog=f"hmtl import {name}", add_help=False, exit_on_error=False)
    parser.add_argument("source", type=Path)
    module.add_arguments(parser)
    try:
        # All into one split, so that nothing is divided.
        arguments = parser.parse_args([*shlex.split(options), "--split", "test", "--", str(path)])
    except (ValueError, argparse.ArgumentError) as error:
        raise DataError(
            f"the format {name} does not take the options {options!r}: {error}. hmtl import {name} --help "
            "tells those that it takes",
            path,
        ) from error
    documents: list[Document] = []
    arguments.target, arguments.force = documents, False
    module.run(arguments)
    if not documents:
        raise DataError(f"holds no document of the format {name}", path)
    return documents


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]
        raise ValueError(message)


def format_of(path: Path) -> str:
    """
    Tell a format by the names of the files, or else by what the first of them holds.

    # Raises

    DataError
        When there is no file.
    """
    files = sorted(files_under(path)) if path.is_dir() else [path]
    if not files or not path.exists():
        raise DataError("there is no file here; check the path", path)
    for ending, name in ENDINGS.items():
        if any(file.name.endswith(ending) for file in files):
            return _conll_of(files[0]) if ending == "_conll" else name
    return _format_of_content(files[0])


def _format_of_content(file: Path) -> str:
    lines = [line for _, line in islice(read_lines(file), LINES_LOOKED_AT)]
    text = "\n".join(lines).lstrip()
    if text.startswith(BEGIN_DOCUMENT):
        return _conll_of(file)
    if text.startswith(("{", "[")):
        return "docred" if '"vertexSet"' in text else "dygie"
    rows = [line.split("\t") for line in lines if line.strip() and not line.startswith("#")]
    if rows and all(len(row) == _CONLLU_COLUMNS for row in rows) and rows[0][0][:1].isdigit():
        return "conllu"
    return "conll2003"


def _conll_of(file: Path) -> str:
    """CoNLL-2012 and like_conll have documents alike; a row of the former has its part and place after it."""
    for _, line in read_lines(file):
        cells = line.split()
        if cells and not line.startswith("#"):
            is_2012 = len(cells) >= _CONLL2012_FEWEST and cells[1].isdigit() and cells[2].isdigit()
            return "conll2012" if is_2012 else "like_conll"
    return "conll2012"


def known_formats() -> list[str]:
    """Return the names that `read` takes."""
    return list(FORMATS)
