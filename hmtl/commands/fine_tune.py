"""
Train a multi-task model from a config, starting from the weights of a trained model.

On several devices or machines: as hmtl train (docs/distributed.md).
"""

import argparse
from pathlib import Path

from hmtl.commands.cli import add_training, running, training_summary


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_training(parser)
    parser.add_argument(
        "-p",
        "--pretrained_dir",
        type=Path,
        required=True,
        metavar="DIR",
        help="the run that trained the model to begin with",
    )
    parser.add_argument(
        "-m",
        "--pretrained_model_name",
        required=True,
        metavar="FILE",
        help="which of the weights there, for instance best_ner.th",
    )


def run(arguments: argparse.Namespace) -> None:
    """Carry it out."""
    with running(arguments.include_package, by_several=True):
        from hmtl.common.reporting import score_tables
        from hmtl.fine_tuning.fine_tune import fine_tune
        from hmtl.fine_tuning.forgetting import forgetting_table

        metrics = fine_tune(
            arguments.config_file_path,
            arguments.overrides,
            arguments.serialization_dir,
            arguments.pretrained_dir,
            arguments.pretrained_model_name,
            arguments.recover,
            arguments.force,
        )
        print(score_tables(metrics))
        if metrics.get("forgetting"):
            print(f"\n{forgetting_table(metrics['forgetting'])}")
        print(f"\n{training_summary(metrics, arguments.serialization_dir)}")
