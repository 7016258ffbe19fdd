#!/usr/bin/env python
"""
Converts a corpus, as it is published, to the files that the readers take (or that other tools take).

`prepare_data.py FORMAT --help` tells the options of a format.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from hmtl.commands.importing import converting  # noqa: E402
from hmtl.importing.corpus_writer import check_target  # noqa: E402
from hmtl.importing.registry import FORMATS, importer  # noqa: E402


def parse_arguments(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    formats = parser.add_subparsers(dest="format", metavar="FORMAT", required=True)
    for name, (_, purpose) in FORMATS.items():
        of_format = formats.add_parser(
            name, help=purpose, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        if name in words[:1]:
            _describe(of_format, name)
    return parser.parse_args(words)


def _describe(parser: argparse.ArgumentParser, name: str) -> None:
    """Only the format at hand is imported."""
    module = importer(name)
    parser.description = module.__doc__
    parser.add_argument("source", type=Path, metavar="IN", help="the corpus")
    parser.add_argument("target", type=Path, metavar="OUT", help="the directory to make")
    parser.add_argument(
        "-f", "--force", action="store_true", help="replace OUT, if this script made it"
    )
    module.add_arguments(parser)


def main() -> None:
    arguments = parse_arguments(sys.argv[1:])
    with converting():
        check_target(arguments.target, arguments.force)
        tally = importer(arguments.format).run(arguments)
        print(tally.summary())
        print(f"\nwritten to {arguments.target}")


if __name__ == "__main__":
    main()
