"""Score each task's best weights of a run on the test data of every task."""

import argparse

from hmtl.commands.cli import add_include_package, add_serialization_dir, running


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_serialization_dir(parser, "the run to score, as training wrote it")
    parser.add_argument(
        "-g",
        "--gold_mentions",
        action="store_true",
        help="score coreference with the gold mentions as candidates",
    )
    add_include_package(parser)


def run(arguments: argparse.Namespace) -> None:
    """Carry it out."""
    with running(arguments.include_package):
        from hmtl.common.files import write_json
        from hmtl.common.reporting import score_tables
        from hmtl.runs.directory import EVALUATION_FILE
        from hmtl.runs.evaluation import evaluate
        from hmtl.runs.reliability import RELIABILITY_FILE, draw_reliability

        metrics = evaluate(arguments.serialization_dir, arguments.gold_mentions)
        print(score_tables(metrics))
        # Last, as the run may be read-only.
        path = arguments.serialization_dir / EVALUATION_FILE
        write_json(path, metrics)
        draw_reliability(metrics, arguments.serialization_dir / RELIABILITY_FILE)
        print(f"\nAll metrics are in {path}")
