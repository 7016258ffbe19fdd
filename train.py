#!/usr/bin/env python
"""Trains a multi-task model from a configuration file."""

import argparse
from pathlib import Path

from hmtl.cli import add_include_package, add_serialization_dir, running


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add_serialization_dir(parser, "where the run is written: weights, vocabulary, log, metrics")
    parser.add_argument(
        "-c",
        "--config_file_path",
        type=Path,
        required=True,
        metavar="FILE",
        help="the configuration, JSON or Jsonnet",
    )
    existing = parser.add_mutually_exclusive_group()
    existing.add_argument(
        "-r", "--recover", action="store_true", help="go on with the run in the directory"
    )
    existing.add_argument(
        "-f", "--force", action="store_true", help="replace the run in the directory"
    )
    parser.add_argument(
        "-o",
        "--overrides",
        default="",
        metavar="JSON",
        help="entries to replace in the configuration: '{\"multi_task_trainer.num_epochs\": 3}'",
    )
    add_include_package(parser)
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    with running(arguments.include_package):
        from hmtl.config import load_config
        from hmtl.experiment import train
        from hmtl.reporting import test_score_table

        config = load_config(arguments.config_file_path, arguments.overrides)
        metrics = train(config, arguments.serialization_dir, arguments.recover, arguments.force)
        print(test_score_table(metrics))
        print(
            f"\nTrained {metrics['nb_epoch_trained']} epochs in {metrics['training_duration']} "
            f"(DD:HH:MM:SS). The run lies in {arguments.serialization_dir}; see its curves with\n"
            f"  tensorboard --logdir {arguments.serialization_dir}/log"
        )


if __name__ == "__main__":
    main()
