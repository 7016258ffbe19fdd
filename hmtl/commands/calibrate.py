"""
Set thresholds of answers and temperatures of their probabilities with a run's validation data.

They are stored in the run (calibration.json), and whatever opens it heeds them: hmtl predict, evaluate and
serve, the spaCy component, exports.
"""

import argparse

from hmtl.commands.cli import add_include_package, add_serialization_dir, running


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_serialization_dir(parser, "the run, as training wrote it")
    parser.add_argument(
        "--thresholds",
        choices=("one", "per-label", "none"),
        default="one",
        help="of relations and mentions, those of the best F1: one for each task, one for each label of it, "
        "or none (default: %(default)s)",
    )
    parser.add_argument(
        "--no-temperature",
        action="store_true",
        help="leave the probabilities as they are",
    )
    parser.add_argument(
        "-f", "--force", action="store_true", help="replace what was set for the run before"
    )
    add_include_package(parser)


def run(arguments: argparse.Namespace) -> None:
    """Carry it out."""
    if arguments.thresholds == "none" and arguments.no_temperature:
        arguments.refuse("--thresholds none with --no-temperature sets nothing")
    with running(arguments.include_package):
        from hmtl.common.reporting import percent, table
        from hmtl.runs.calibration import CALIBRATION_FILE
        from hmtl.runs.tuning import calibrate

        thresholds = None if arguments.thresholds == "none" else arguments.thresholds
        tuned = calibrate(
            arguments.serialization_dir, thresholds, not arguments.no_temperature, arguments.force
        )
        rows = []
        for each in tuned:
            title, *scores = each.headline
            own = sorted(set(each.calibration.thresholds.values()))
            shown = [
                f"{threshold:.3f}" for threshold in (own if len(own) < 2 else (own[0], own[-1]))
            ]
            rows.append(
                [
                    each.task,
                    " to ".join(shown),
                    " -> ".join(percent(title, score) for score in scores),
                    f"{each.calibration.temperature:.3f}",
                    " -> ".join(percent("", error) for error in each.error),
                ]
            )
        header = ["validation", "threshold", "score", "temperature", "calibration error"]
        print(table(header, rows) if rows else "no head tells how probable its answers are")
        print(
            f"\nThey are in {arguments.serialization_dir / CALIBRATION_FILE}. hmtl evaluate shows what they "
            "do on the test data."
        )
