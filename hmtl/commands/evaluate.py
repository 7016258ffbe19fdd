"""
Score each task's best weights of a run: on the test data of every task, or on other data.

Without options the scores are written into the run. With other data, another split or --output nothing in the
run is touched. On several devices or machines: as hmtl train (docs/distributed.md).
"""

import argparse
from pathlib import Path

from hmtl.commands.cli import (
    add_include_package,
    add_serialization_dir,
    refuse_unwritable,
    refuse_what_is_there,
    running,
)
from hmtl.common.document import HTML_FILE, MARKDOWN_FILE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_serialization_dir(parser, "the run to score, as training wrote it")
    parser.add_argument(
        "-g",
        "--gold_mentions",
        action="store_true",
        help="score coreference with the gold mentions as candidates",
    )
    data = parser.add_mutually_exclusive_group()
    data.add_argument(
        "--data",
        nargs="+",
        default=[],
        metavar="TASK=PATH",
        help="score these tasks on other data, which the readers of the run's config read",
    )
    data.add_argument(
        "--split",
        choices=("train", "validation", "test"),
        default="test",
        help="score this split of the config's data (default: test)",
    )
    parser.add_argument(
        "--by",
        choices=("file", "genre"),
        help="tell the scores of each file, or of each genre (as documents' names tell it), too",
    )
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="write the scores here, and not into the run"
    )
    parser.add_argument(
        "--report",
        type=Path,
        metavar="DIR",
        help="write an error report into this directory",
    )
    parser.add_argument(
        "--compare",
        type=Path,
        metavar="RUN",
        help="tell in the report what this other run gets right on the same data, and what not",
    )
    parser.add_argument(
        "-f", "--force", action="store_true", help="replace FILE, and the report in DIR"
    )
    add_include_package(parser)


def _paths(arguments: argparse.Namespace) -> dict[str, str]:
    paths = {}
    for entry in arguments.data:
        task, is_there, path = entry.partition("=")
        if not is_there or not task or not path:
            arguments.refuse(f"--data {entry}: expected TASK=PATH, as ner=my/test.gold_conll")
        if task in paths:
            arguments.refuse(f"--data names the task {task} twice")
        paths[task] = path
    return paths


def run(arguments: argparse.Namespace) -> None:
    """Carry it out."""
    paths = _paths(arguments)
    if arguments.compare and not arguments.report:
        arguments.refuse("--compare stands in the report: say with --report where to write it")
    report = arguments.report / HTML_FILE if arguments.report else None
    refuse_unwritable(arguments, arguments.output)
    refuse_what_is_there(arguments, report)
    with running(arguments.include_package, by_several=True):
        from hmtl.common.files import write_json
        from hmtl.common.reporting import score_tables, table
        from hmtl.evaluating.found_entities import add_found_entities
        from hmtl.evaluating.run_report import (
            Request,
            evaluate_on,
            group_tables,
            same_data,
            write_report,
        )
        from hmtl.runs.directory import EVALUATION_FILE
        from hmtl.runs.evaluation import evaluate, scoring_together
        from hmtl.runs.reliability import RELIABILITY_FILE, draw_reliability

        directory = arguments.serialization_dir
        request = Request(paths, arguments.split, arguments.by, arguments.gold_mentions)
        evaluated = None
        # Whether there is another run to compare with is told before the first is scored.
        same = same_data(request, directory, arguments.compare) if arguments.compare else None
        compared = None
        with scoring_together(directory) as processes:
            if request.is_usual and not arguments.report:
                metrics = evaluate(directory, arguments.gold_mentions, processes)
            else:
                reports = arguments.report is not None
                evaluated = evaluate_on(directory, request, reports, reports, processes)
                metrics = evaluated.metrics
            if same:
                other = evaluate_on(arguments.compare, same, True, processes=processes)
                compared = arguments.compare, other
        if not processes.is_main:
            return
        add_found_entities(metrics, directory, request)
        print(score_tables(metrics))
        for _, header, rows in group_tables(metrics):
            print(f"\n{table(header, rows)}")
        if arguments.report:
            assert evaluated is not None
            write_report(arguments.report, directory, evaluated, compared)
            print(f"\nThe report is in {report} and {arguments.report / MARKDOWN_FILE}")
        # Last, as the run may be read-only.
        path = arguments.output or (directory / EVALUATION_FILE if request.is_usual else None)
        if path:
            write_json(path, metrics)
            if not arguments.output:
                draw_reliability(metrics, directory / RELIABILITY_FILE)
            print(f"\nAll metrics are in {path}")
