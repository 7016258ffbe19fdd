"""Upload an exported run to the Hugging Face hub, with the token of hf auth login or HF_TOKEN."""

import argparse
from pathlib import Path

from hmtl.commands.cli import running


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("directory", type=Path, metavar="OUT", help="what hmtl export wrote")
    parser.add_argument("name", metavar="OWNER/MODEL", help="what it is called on the hub")
    parser.add_argument(
        "--public", action="store_true", help="let everybody see a new model (default: you alone)"
    )


def run(arguments: argparse.Namespace) -> None:
    """Carry it out."""
    with running([]):
        from hmtl.prediction.hub import push

        print(push(arguments.directory, arguments.name, arguments.public))
