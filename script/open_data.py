#!/usr/bin/env python
"""
Fetches openly licensed corpora and converts them to what the configs named open read:
`open_data.py data/open`.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from hmtl.commands.importing import converting  # noqa: E402
from hmtl.importing.open_corpora import command  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(
        description=command.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    command.add_arguments(parser)
    arguments = parser.parse_args()
    with converting("DIR was not written; what was fetched is kept beside it"):
        print(command.run(arguments))


if __name__ == "__main__":
    main()
