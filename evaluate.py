#!/usr/bin/env python
"""Scores each task's best weights of a run on the test data of every task."""

import argparse

from hmtl.commands.cli import add_include_package, add_serialization_dir, running


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add_serialization_dir(parser, "the run to score, as train.py wrote it")
    parser.add_argument(
        "-g",
        "--gold_mentions",
        action="store_true",
        help="score coreference with the gold mentions as candidates",
    )
    add_include_package(parser)
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    with running(arguments.include_package):
        from hmtl.common.files import write_json
        from hmtl.common.reporting import test_score_table
        from hmtl.runs.directory import EVALUATION_FILE
        from hmtl.runs.evaluation import evaluate

        metrics = evaluate(arguments.serialization_dir, arguments.gold_mentions)
        print(test_score_table(metrics))
        # Last, as the run may be read-only.
        path = arguments.serialization_dir / EVALUATION_FILE
        write_json(path, metrics)
        print(f"\nAll metrics are in {path}")


if __name__ == "__main__":
    main()
