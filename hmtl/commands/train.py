"""
Train a multi-task model from a config.

On several devices or machines: torchrun --nproc_per_node DEVICES -m hmtl train ... (docs/distributed.md).
"""

import argparse

from hmtl.commands.cli import add_training, running, training_summary


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_training(parser)


def run(arguments: argparse.Namespace) -> None:
    """Carry it out."""
    with running(arguments.include_package, by_several=True):
        from hmtl.common.reporting import score_tables
        from hmtl.config.loading import load_config
        from hmtl.runs.training import train

        config = load_config(arguments.config_file_path, arguments.overrides)
        metrics = train(config, arguments.serialization_dir, arguments.recover, arguments.force)
        print(score_tables(metrics))
        print(f"\n{training_summary(metrics, arguments.serialization_dir)}")
