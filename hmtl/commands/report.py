"""
Write what a study found, in its directory: report.html, and report.md with its
pictures.
"""

import argparse
import sys
from pathlib import Path

from hmtl.commands.cli import add_include_package, running

# Of the bootstrap; a hundred would do for a look.
SAMPLES = 10_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("study", type=Path, metavar="DIR", help="what was --out of hmtl experiment")
    parser.add_argument(
        "--baseline", metavar="SETUP", help="compare with this setup instead of the grid's baseline"
    )
    parser.add_argument(
        "--samples",
        type=int,
        default=SAMPLES,
        metavar="N",
        help=f"test sets that the bootstrap draws (default: {SAMPLES}); 0 makes no comparison, which saves "
        "the scoring of each run sentence by sentence",
    )
    add_include_package(parser)


def run(arguments: argparse.Namespace) -> None:
    """Carry it out."""
    if arguments.samples < 0:
        arguments.refuse(f"--samples {arguments.samples}: give the number of test sets to draw")
    with running(arguments.include_package):
        from hmtl.common.document import HTML_FILE, MARKDOWN_FILE
        from hmtl.study.report import write_report
        from hmtl.study.results import count_instances, read_study

        study = read_study(arguments.study)
        baseline = arguments.baseline or study.grid.baseline
        if baseline not in study.setups:
            sys.exit(
                f"error: the baseline {baseline!r} has no finished run; --baseline takes one of "
                f"{', '.join(study.setups)}"
            )
        if arguments.samples:
            count_instances(study)
        write_report(study, arguments.study, baseline, arguments.samples)
    print(f"The report is in {arguments.study / HTML_FILE} and {arguments.study / MARKDOWN_FILE}")
