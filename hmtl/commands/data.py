"""Get data that anyone may have."""

import argparse

from hmtl.commands.importing import converting


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    sources = parser.add_subparsers(metavar="WHAT", required=True, dest="what")
    sources.add_parser(
        "open",
        help="the openly licensed corpora that the configs named open read",
        describe=_describe_open,
    )


def _describe_open(parser: argparse.ArgumentParser) -> None:
    from hmtl.importing.open_corpora import command

    parser.description = command.__doc__
    command.add_arguments(parser)


def run(arguments: argparse.Namespace) -> None:
    """Carry it out."""
    from hmtl.importing.open_corpora import command

    with converting("DIR was not written; what was fetched is kept beside it"):
        print(command.run(arguments))
