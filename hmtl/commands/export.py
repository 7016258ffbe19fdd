"""Write what prediction needs of a run, to give it to others."""

import argparse
from pathlib import Path

from hmtl.commands.cli import add_include_package, running


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("run_dir", type=Path, metavar="RUN", help="as `hmtl train` wrote it")
    parser.add_argument("out", type=Path, metavar="OUT", help="the directory that is made")
    parser.add_argument(
        "-f", "--force", action="store_true", help="replace what was exported there before"
    )
    add_include_package(parser)


def run(arguments: argparse.Namespace) -> None:
    """Carry it out."""
    with running(arguments.include_package):
        from hmtl.prediction.saved_run import export_run

        export_run(arguments.run_dir, arguments.out, arguments.force)
        print(
            f"{arguments.out} holds the model. Whoever has the directory opens it with\n"
            f"  Predictor.from_pretrained({str(arguments.out)!r})"
        )
