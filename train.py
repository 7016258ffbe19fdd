#!/usr/bin/env python
"""The name of 2018 for `hmtl train`."""

import sys

from hmtl.commands.main import main

if __name__ == "__main__":
    sys.exit(main(["train", *sys.argv[1:]]))
