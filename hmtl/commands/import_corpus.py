"""
Convert a corpus, as it is published, to the files that the readers take (or that other tools take).

`hmtl import FORMAT --help` tells the options of a format. `hmtl import PATH` tells what files seem to be.
"""

import argparse
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import cast

from hmtl.commands.importing import converting
from hmtl.commands.main import LazyParser
from hmtl.importing.registry import FORMATS, importer

LOOK = "look"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    assert isinstance(parser, LazyParser)
    parser.read_first = _read_first
    formats = parser.add_subparsers(dest="format", metavar="FORMAT", required=True)
    for name, (_, purpose) in FORMATS.items():
        formats.add_parser(name, help=purpose, describe=partial(_describe, name=name))
    formats.add_parser(LOOK, help="tell what files seem to be", describe=_describe_look)


def _read_first(word: str) -> list[str]:
    """A format, or else a path to look at."""
    # A name with a dot or a slash is a path, even where nothing is.
    is_path = Path(word).exists() or not word.isidentifier()
    return [LOOK, word] if is_path and word not in (*FORMATS, LOOK) else [word]


def _describe_look(parser: argparse.ArgumentParser) -> None:
    parser.description = "Tell what files seem to be, and which command reads them."
    parser.add_argument("source", type=Path, metavar="PATH", help="a file or a folder")


def _describe(parser: argparse.ArgumentParser, name: str) -> None:
    """Only the format at hand is imported."""
    module = importer(name)
    parser.description = module.__doc__
    parser.add_argument("source", type=Path, metavar="IN", help="the corpus")
    parser.add_argument("target", type=Path, metavar="OUT", help="the directory to make")
    parser.add_argument(
        "-f", "--force", action="store_true", help="replace OUT, if this command made it"
    )
    module.add_arguments(parser)


@contextmanager
def _without_torch(is_needed: bool) -> Iterator[None]:
    """Keep spaCy from importing torch, unless a pipeline may need it: it takes a second and 200 MB."""
    name = "torch"
    if is_needed or name in sys.modules:
        yield
        return
    hidden = cast(dict[str, ModuleType | None], sys.modules)
    hidden[name] = None
    try:
        yield
    finally:
        del hidden[name]


def run(arguments: argparse.Namespace) -> None:
    """Carry it out."""
    from hmtl.importing.corpus_writer import check_target

    # Documents come and go in great number, and few of their parts refer to each other in circles.
    gc.set_threshold(100_000, 50, 100)
    with converting():
        if arguments.format == LOOK:
            from hmtl.importing.recognition import report

            print(report(arguments.source, FORMATS))
            return
        check_target(arguments.target, arguments.force)
        with _without_torch(getattr(arguments, "spacy_model", None) is not None):
            tally = importer(arguments.format).run(arguments)
        print(tally.summary())
        print(f"\nwritten to {arguments.target}")
