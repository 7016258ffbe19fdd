"""`python -m hmtl`: the command `hmtl`, also where the package is not installed."""

import sys

from hmtl.commands.main import main

if __name__ == "__main__":
    sys.exit(main())
