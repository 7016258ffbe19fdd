"""The demo's server as a process of its own, for what looks at it from outside."""

import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

SECONDS_TO_STOP = 30


class ServerProcess(NamedTuple):
    """
    # Parameters

    address : `str`
        As `http://127.0.0.1:12345`.
    process : `subprocess.Popen`
        What it prints comes in `process.stdout`.
    """

    address: str
    process: "subprocess.Popen[str]"


@contextmanager
def server_process(
    *arguments: "str | Path", hmtl: Sequence["str | Path"] = (sys.executable, "-m", "hmtl")
) -> Iterator[ServerProcess]:
    """
    A server on a port that is free, which ends with the block.

    # Parameters

    arguments : `str` or `Path`
        Of the command line; without `--port`.
    hmtl : `Sequence[str]`, optional
        How the command `hmtl` is started (default: with this Python).

    # Raises

    RuntimeError
        When it does not start, with what it printed.
    """
    command = [*map(str, hmtl), "serve", "--port", "0", *map(str, arguments)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield ServerProcess(_address_of(process), process)
        process.terminate()
        process.wait(SECONDS_TO_STOP)
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def _address_of(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    printed = []
    for line in process.stdout:
        printed.append(line)
        if address := re.search(r"http://[\d.]+:\d+", line):
            return address[0]
    raise RuntimeError(f"the server did not start: {''.join(printed)}")
