#!/usr/bin/env python
"""The name of 2018 for `hmtl predict`."""

import sys

from hmtl.commands.main import main

if __name__ == "__main__":
    sys.exit(main(["predict", *sys.argv[1:]]))
