"""
Convert a corpus, as it is published, to the files that the readers take (or that other tools take).

`hmtl import FORMAT --help` tells the options of a format.
"""

import argparse
from functools import partial
from pathlib import Path

from hmtl.commands.importing import converting
from hmtl.importing.registry import FORMATS, importer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    formats = parser.add_subparsers(dest="format", metavar="FORMAT", required=True)
    for name, (_, purpose) in FORMATS.items():
        formats.add_parser(name, help=purpose, describe=partial(_describe, name=name))


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


def run(arguments: argparse.Namespace) -> None:
    """Carry it out."""
    from hmtl.importing.corpus_writer import check_target

    with converting():
        check_target(arguments.target, arguments.force)
        tally = importer(arguments.format).run(arguments)
        print(tally.summary())
        print(f"\nwritten to {arguments.target}")
