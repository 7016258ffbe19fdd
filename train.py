#!/usr/bin/env python
"""
Trains a multi-task model from a configuration file.

On several devices or machines: torchrun --nproc_per_node DEVICES train.py ... (docs/distributed.md).
"""

import argparse

from hmtl.commands.cli import add_training, running, training_summary


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add_training(parser)
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    with running(arguments.include_package, by_several=True):
        from hmtl.common.reporting import test_score_table
        from hmtl.config.loading import load_config
        from hmtl.runs.training import train

        config = load_config(arguments.config_file_path, arguments.overrides)
        metrics = train(config, arguments.serialization_dir, arguments.recover, arguments.force)
        print(test_score_table(metrics))
        print(f"\n{training_summary(metrics, arguments.serialization_dir)}")


if __name__ == "__main__":
    main()
