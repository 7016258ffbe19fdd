"""
Score files of annotations against gold ones, whatever system made them.

Both are files or folders of any format that `hmtl import` reads; what the gold documents have is scored:
named entities, mentions, relations, coreference. With several systems each is compared with the first by a
paired bootstrap.
"""

import argparse
from collections import Counter
from pathlib import Path

from hmtl.commands.cli import refuse_unwritable
from hmtl.commands.importing import converting
from hmtl.importing.registry import FORMATS

SAMPLES = 1000
# As `hmtl.metrics.mention_matching` has them.
MATCHES = ("exact", "partial", "head")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("gold", type=Path, metavar="GOLD", help="the gold annotations")
    parser.add_argument(
        "predicted", type=Path, nargs="+", metavar="PREDICTED", help="a system's annotations"
    )
    for side in ("gold", "predicted"):
        parser.add_argument(
            f"--{side}-format",
            choices=FORMATS,
            metavar="FORMAT",
            help=f"of the {side} files (default: what they look like); one of {', '.join(FORMATS)}",
        )
        parser.add_argument(
            f"--{side}-options",
            default="",
            metavar="OPTIONS",
            help="of that format, as hmtl import takes them: '--tag 4'; with a single option, join it to its "
            f"name: --{side}-options=--names",
        )
    parser.add_argument(
        "--match",
        choices=MATCHES,
        default="exact",
        help="when a mention of a cluster counts as found: the same words, words of it with its head, or the "
        "same head, as CorefUD's scorer has it (default: %(default)s)",
    )
    parser.add_argument(
        "--skip-missing",
        action="store_true",
        help="leave out documents that one side lacks, with a warning",
    )
    parser.add_argument(
        "--samples",
        type=int,
        default=SAMPLES,
        metavar="N",
        help="test sets that the bootstrap draws for intervals (default: %(default)s); 0 for none",
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="write all figures as JSON too")
    parser.add_argument("-f", "--force", action="store_true", help="replace FILE if it is there")


def run(arguments: argparse.Namespace) -> None:
    """Carry it out."""
    if arguments.samples < 0:
        arguments.refuse(f"--samples {arguments.samples}: give the number of test sets to draw")
    twice = [path for path, times in Counter(arguments.predicted).items() if times > 1]
    if twice:
        arguments.refuse(f"{twice[0]} is named twice")
    refuse_unwritable(arguments, arguments.output)
    with converting():
        from hmtl.common.files import write_json
        from hmtl.evaluating.figures import as_json, as_text
        from hmtl.evaluating.pairing import Source, in_common, pair
        from hmtl.evaluating.scoring import score
        from hmtl.importing.reading import read

        gold = Source(
            arguments.gold, read(arguments.gold, arguments.gold_format, arguments.gold_options)
        )
        predicted = [
            Source(path, read(path, arguments.predicted_format, arguments.predicted_options))
            for path in arguments.predicted
        ]
        pairs = in_common([pair(gold, each, arguments.skip_missing) for each in predicted])
        systems = {
            str(each.path): score(of_system, arguments.match, gold, each)
            for each, of_system in zip(predicted, pairs)
        }
        report = as_json(systems, len(pairs[0]), arguments.match, arguments.samples)
        print(as_text(report))
        if arguments.output:
            write_json(arguments.output, report)
            print(f"\nAll figures are in {arguments.output}")
