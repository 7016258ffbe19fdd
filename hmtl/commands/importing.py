"""What surrounds a data tool: log, errors, signals. Unlike `hmtl.commands.cli`, it needs no AllenNLP."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial

from tqdm.contrib.logging import logging_redirect_tqdm

from hmtl.common.interruption import Interrupted, answer_with, put_back, raise_interrupted
from hmtl.errors import DataError


@contextmanager
def converting(left: str = "nothing was written") -> Iterator[None]:
    """
    Logs to the terminal, turns the errors that are the user's to mend into one message and exit code 1, and
    signals that ask to stop into one message and 128 plus the signal's number.

    # Parameters

    left : `str`, optional (default = `"nothing was written"`)
        What a signal leaves, for the message.
    """
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    logging.getLogger("hmtl").setLevel(logging.INFO)
    before = answer_with(partial(raise_interrupted, account=left))
    try:
        with logging_redirect_tqdm():
            yield
    except DataError as error:
        sys.exit(f"error: {error}")
    except Interrupted as interruption:
        with suppress(OSError):  # The terminal may be gone.
            print(interruption, file=sys.stderr)
        sys.exit(interruption.exit_code)
    finally:
        put_back(before)
