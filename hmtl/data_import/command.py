"""What surrounds a data tool: log, errors, signals. Unlike `hmtl.cli.running` it does not import AllenNLP."""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from tqdm.contrib.logging import logging_redirect_tqdm

from hmtl.errors import DataError
from hmtl.training.interruption import SIGNALS, Interrupted


@contextmanager
def converting(left: str = "nothing was written") -> Iterator[None]:
    """
    Logs to the terminal, turns the errors that are the user's to mend into one message and exit code 1, and
    signals that ask to stop into one message and 128 plus the signal's number.

    # Parameters

    left : `str`, optional (default = `"nothing was written"`)
        What a signal leaves, for the message.
    """

    def raise_interrupted(number: int, frame: FrameType | None) -> None:
        raise Interrupted(number, left)

    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    logging.getLogger("hmtl").setLevel(logging.INFO)
    before = {number: signal.signal(number, raise_interrupted) for number in SIGNALS}
    try:
        with logging_redirect_tqdm():
            yield
    except DataError as error:
        sys.exit(f"error: {error}")
    except Interrupted as interruption:
        print(interruption, file=sys.stderr)
        sys.exit(interruption.exit_code)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
