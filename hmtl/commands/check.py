"""
Read every split of every task in a config, with the readers it names, build the model and what
trains it, and print one table to judge the data by; then all that is wrong. Exit code 0: nothing that would
stop training; 1: something would; 2: usage.
"""

import argparse
import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hmtl.commands.cli import add_include_package, running

if TYPE_CHECKING:
    from hmtl.checking.example import Example


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("config", type=Path, metavar="CONFIG", help="the configuration of a run")
    parser.add_argument(
        "-o",
        "--overrides",
        default="",
        metavar="JSON",
        help='entries to replace in the configuration: \'{"data_root": "my/corpora"}\'',
    )
    add_include_package(parser)
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    parser.add_argument(
        "--all-labels", action="store_true", help="show the rare ones of many labels too"
    )
    parser.add_argument(
        "--show",
        type=int,
        default=0,
        metavar="N",
        help="print N examples of each task too, drawn at random from those that are annotated",
    )
    parser.add_argument(
        "--split",
        choices=("train", "validation", "test"),
        default="train",
        help="what the examples are taken from (default: train)",
    )
    parser.add_argument(
        "--html", type=Path, metavar="FILE", help="write the examples as a page for a browser"
    )
    parser.add_argument("-f", "--force", action="store_true", help="replace FILE if it is there")


def _check(arguments: argparse.Namespace) -> None:
    if arguments.show < 0:
        arguments.refuse(f"--show {arguments.show}: give the number of examples")
    if arguments.html is not None:
        _check_html(arguments)


def _check_html(arguments: argparse.Namespace) -> None:
    path = arguments.html
    if not arguments.show:
        arguments.refuse(
            "--html writes the examples of --show: say how many, for instance --show 5"
        )
    if path.is_dir() or not path.absolute().parent.is_dir():
        arguments.refuse(f"--html {path}: give the name of a file in a directory that is there")
    if path.exists() and not arguments.force:
        arguments.refuse(f"--html {path}: is there already; take another name, or say --force")


def print_examples(examples: Mapping[str, Sequence["Example"]]) -> None:
    """Draws them as wide as the terminal."""
    from hmtl.checking.drawing import LEGEND, Pen, draw, wants_colours

    pen = Pen(shutil.get_terminal_size().columns, wants_colours(sys.stdout))
    for task, of_task in examples.items():
        for example in of_task:
            print(f"{task} {draw(example, pen)}", end="\n\n")
    if any(examples.values()):
        print(LEGEND, end="\n\n")


def run(arguments: argparse.Namespace) -> int:
    """Carry it out, and return the exit code."""
    _check(arguments)
    with running(arguments.include_package):
        from hmtl.checking.judging import judge
        from hmtl.checking.reading import read_all
        from hmtl.checking.report import as_json, as_table, as_text
        from hmtl.config.loading import load_config
        from hmtl.runs.assembly import parse_config

        config = parse_config(load_config(arguments.config, arguments.overrides))
        reading = read_all(config, arguments.show, arguments.split)
        judgement = judge(reading, config)
        if arguments.json:
            print(json.dumps(as_json(reading, judgement), indent=2, ensure_ascii=False))
        else:
            print(as_table(reading, judgement, arguments.all_labels), end="\n\n")
            print_examples(reading.examples)
            print(as_text(judgement))
        if arguments.html is not None:
            from hmtl.checking.page import write_page

            write_page(arguments.html, reading.examples)
    return 1 if judgement.errors else 0
