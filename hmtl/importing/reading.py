"""Documents of any format that is imported, and which format a file has."""

from __future__ import annotations

import argparse
import logging
import shlex
from pathlib import Path

from hmtl.common.reporting import counted
from hmtl.errors import DataError
from hmtl.formats.annotated import Document
from hmtl.importing.recognition import look_at
from hmtl.importing.registry import FORMATS, importer

logger = logging.getLogger(__name__)


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
    Tell what most files at a path look like.

    # Raises

    DataError
        When there is no file, or none of a known format.
    """
    found = look_at(path)
    known = [each for each in found if each.what in FORMATS]
    if not known:
        told = "; ".join(each.what for each in found)
        raise DataError(f"none of the formats seems to fit: {told}", path)
    first, *others = known
    for other in others:
        logger.warning(
            "%s is read as %s, so %s of %s there (as %s) may be passed over: score the files of each format "
            "apart, or name the format",
            path,
            first.what,
            counted(len(other.files), "files"),
            other.what,
            other.files[0].name,
        )
    return first.what
