#!/usr/bin/env python
"""The name of 2018 for `hmtl fine-tune`."""

import sys

from hmtl.commands.main import main

if __name__ == "__main__":
    sys.exit(main(["fine-tune", *sys.argv[1:]]))
