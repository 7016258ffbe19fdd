"""
Writes the sample corpora of `data/sample`: English text made for this project, annotated for all four tasks.

    python script/make_sample_data.py                         # the committed corpora, byte for byte
    python script/make_sample_data.py --baseline              # and what word lists score on them
    python script/make_sample_data.py --baseline-only DIR     # the same on any corpora of this layout
"""

import argparse
import sys
from pathlib import Path
from typing import Sequence

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

from script.sample_data.baselines import baselines  # noqa: E402
from script.sample_data.corpus import DEFAULT_SEED, Sizes, write_corpora  # noqa: E402

_SIZE_COLUMNS = (
    "documents",
    "sentences",
    "tokens",
    "names or mentions",
    "relations",
    "clusters",
    "bytes",
)


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--out", type=Path, default=REPOSITORY / "data" / "sample", help="where to write"
    )
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help=f"default {DEFAULT_SEED}")
    parser.add_argument("--baseline", action="store_true", help="print the baselines afterwards")
    parser.add_argument(
        "--baseline-only",
        type=Path,
        metavar="DIR",
        help="write nothing; print the baselines of DIR",
    )
    return parser.parse_args(arguments)


def print_sizes(sizes: dict[str, Sizes]) -> None:
    """One row a corpus and split."""
    print(f"{'corpus':18}" + "".join(f"{column:>19}" for column in _SIZE_COLUMNS))
    for name, size in sizes.items():
        print(f"{name:18}" + "".join(f"{value:>19,}" for value in size.as_row()))


def print_baselines(directory: Path) -> None:
    """One row a baseline, on the test split."""
    print(f"{'baseline (test split)':40}{'precision':>10}{'recall':>10}{'F1':>10}")
    for name, score in baselines(directory).items():
        print(f"{name:40}{score.precision:10.1f}{score.recall:10.1f}{score.f1:10.1f}")


def main() -> None:
    """Runs the command line."""
    arguments = parse_arguments()
    if arguments.baseline_only is not None:
        print_baselines(arguments.baseline_only)
        return
    print_sizes(write_corpora(arguments.out, arguments.seed))
    if arguments.baseline:
        print_baselines(arguments.out)


if __name__ == "__main__":
    main()
