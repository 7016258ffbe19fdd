"""
Turn a directory that the 2018 code trained (config.json, vocabulary/, best_<task>.th or weights.th) into
one that the other commands take.
"""

import argparse
from pathlib import Path

from hmtl.commands.cli import running


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("reference_dir", type=Path, metavar="DIR", help="what the 2018 code left")
    parser.add_argument(
        "serialization_dir", type=Path, metavar="OUT", help="the directory to make; must not exist"
    )
    parser.add_argument(
        "-o",
        "--overrides",
        default="",
        metavar="JSON",
        help="entries to replace in its config.json",
    )
    parser.add_argument(
        "--relation-types",
        type=Path,
        metavar="FILE",
        help="the relation types in the order of the code that trained the model, one a line; only "
        "needed where they are not the six of ACE 2005",
    )


def run(arguments: argparse.Namespace) -> None:
    """Carry it out."""
    with running([]):
        from hmtl.fine_tuning.reference_run import import_directory, read_relation_types

        types = arguments.relation_types
        written = import_directory(
            arguments.reference_dir,
            arguments.serialization_dir,
            arguments.overrides,
            None if types is None else read_relation_types(types),
        )
        print(f"{arguments.serialization_dir}: wrote {', '.join(written)}")
