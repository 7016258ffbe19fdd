"""
Several processes that train together, as torchrun starts them. They are forked from one that has done all
imports, so that a test with two of them costs no more than what they do.
"""

import multiprocessing
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

# What they stand on; an import takes seconds.
multiprocessing.set_forkserver_preload(["hmtl.compat", "hmtl.runs.training"])
PATIENCE = 240.0
Work = Callable[..., None]


class Processes:
    """
    Processes that are at work.

    # Parameters

    directory : `Path`
        What they print goes to `out-<number>.txt` there.
    work : `Callable`
        A function at the top level of a module.
    arguments : `Any`
        Its arguments.
    count : `int`, optional (default = `2`)
    """

    def __init__(self, directory: Path, work: Work, *arguments: Any, count: int = 2) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._outputs = [directory / f"out-{number}.txt" for number in range(count)]
        context = multiprocessing.get_context("forkserver")
        port = free_port()
        self._processes = [
            context.Process(target=_run, args=(number, count, port, output, work, arguments))
            for number, output in enumerate(self._outputs)
        ]
        for process in self._processes:
            process.start()

    def kill(self, number: int, signal_number: int = signal.SIGKILL) -> None:
        """Sends a signal to one of them."""
        process_id = self._processes[number].pid
        assert process_id is not None
        os.kill(process_id, signal_number)

    def wait(self) -> list[int]:
        """
        Their exit codes; a negative one is that of a signal. A process that does not end fails the test.
        """
        end = time.monotonic() + PATIENCE
        for process in self._processes:
            process.join(max(end - time.monotonic(), 0.0))
        hanging = [number for number, each in enumerate(self._processes) if each.is_alive()]
        for number in hanging:
            self._processes[number].kill()
        assert not hanging, (f"processes {hanging} did not end", self.outputs())
        return [int(process.exitcode or 0) for process in self._processes]

    def succeed(self) -> None:
        """Waits for them, and for nothing to have gone wrong."""
        assert set(self.wait()) == {0}, self.outputs()

    def outputs(self) -> list[str]:
        """What each has printed."""
        return [path.read_text() if path.exists() else "" for path in self._outputs]


def free_port() -> int:
    """One that nobody listens to."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _run(
    number: int, count: int, port: int, output: Path, work: Work, arguments: tuple[Any, ...]
) -> None:
    os.environ.update(
        RANK=str(number),
        LOCAL_RANK=str(number),
        WORLD_SIZE=str(count),
        MASTER_ADDR="127.0.0.1",
        MASTER_PORT=str(port),
    )
    sys.stdout = sys.stderr = open(output, "w", buffering=1)  # noqa: SIM115
    work(*arguments)
