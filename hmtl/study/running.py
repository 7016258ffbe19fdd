"""Running a study: every run is a process of its own, so that one that fails takes no other with it."""

from __future__ import annotations

import logging
import shlex
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tqdm import tqdm

from hmtl.common.files import refusals
from hmtl.common.interruption import Interrupted, StopRequest
from hmtl.runs.directory import CONFIG_FILE, METRICS_FILE
from hmtl.study.grid import Run

logger = logging.getLogger(__name__)

TRAIN = [sys.executable, "-m", "hmtl", "train"]
LOG_SUFFIX = ".log"
GOES_ON = "the runs that had begun are saved; the same command resumes them"
# How long to wait before looking again whether a run has ended.
PAUSE_IN_SECONDS = 0.2


@dataclass(frozen=True)
class Failure:
    """A run that ended with an exit code other than 0, and the last that its log says."""

    run: Run
    exit_code: int
    log: Path
    last_words: str


class Process(Protocol):
    """A training that goes on somewhere, as `subprocess` knows processes."""

    def poll(self) -> int | None:
        """Return its exit code once it has ended."""

    def terminate(self) -> None:
        """Ask it to write a checkpoint and to end."""

    def wait(self) -> Any:
        """Return when it has ended."""


@dataclass
class _Active:
    run: Run
    process: Process
    log: Path
    started: float


def is_finished(run: Run, study: Path) -> bool:
    """Whether a run has come to its end: its metrics are the last that it writes."""
    return (study / run.name / METRICS_FILE).is_file()


def log_of(run: Run, study: Path) -> Path:
    """Beside the run's directory, which has to be empty when the run starts."""
    return study / f"{run.name}{LOG_SUFFIX}"


def command_of(run: Run, study: Path, include_packages: Sequence[str] = ()) -> list[str]:
    """The arguments of `hmtl train` for a run: one that was broken off goes on."""
    arguments = run.arguments(study)
    for package in include_packages:
        arguments += ["--include-package", package]
    if (study / run.name / CONFIG_FILE).is_file():
        arguments.append("--recover")
    return arguments


def start(
    run: Run, study: Path, include_packages: Sequence[str] = (), train: Sequence[str] = ()
) -> subprocess.Popen[bytes]:
    """
    Start `hmtl train` for a run, whose log says so.

    # Parameters

    run : `Run`
    study : `Path`
    include_packages : `Sequence[str]`, optional
    train : `Sequence[str]`, optional
        What starts it, in place of `TRAIN`.

    # Raises

    DataError
        When the log cannot be written.
    """
    log = log_of(run, study)
    arguments = command_of(run, study, include_packages)
    with refusals(log):
        log.parent.mkdir(parents=True, exist_ok=True)
        with open(log, "ab") as file:
            file.write(f"$ {shlex.join(['hmtl', 'train', *arguments])}\n".encode())
            file.flush()
            return subprocess.Popen(
                [*(train or TRAIN), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                # A terminal's Ctrl-C would reach them as well, and a second request ends them at once.
                start_new_session=True,
            )


class Study:
    """
    The runs of a study, and where they lie.

    # Parameters

    directory : `Path`
    runs : `List[Run]`
    include_packages : `List[str]`
        What the runs are to import.
    launch : `Callable[[Run, Path, Sequence[str]], Process]`, optional
        Starts a run, given the study's directory and what it is to import; here, if nobody says.
    """

    def __init__(
        self,
        directory: Path,
        runs: Sequence[Run],
        include_packages: Sequence[str] = (),
        launch: Callable[[Run, Path, Sequence[str]], Process] = start,
    ) -> None:
        self.directory = directory
        self.runs = runs
        self.include_packages = include_packages
        self.launch = launch
        self.failures: list[Failure] = []
        self._active: list[_Active] = []

    def run(self, jobs: int) -> None:
        """
        Makes those runs that are not finished; `failures` holds what became of those that failed.

        # Parameters

        jobs : `int`
            How many at a time.

        # Raises

        Interrupted
            When a signal asks to stop, and those that were being made have written their checkpoints.
        """
        waiting = deque(run for run in self.runs if not is_finished(run, self.directory))
        done = len(self.runs) - len(waiting)
        with (
            StopRequest() as request,
            # In a file, the line about each run that ends is enough.
            tqdm(total=len(self.runs), initial=done, desc="runs", disable=None) as bar,
        ):
            try:
                while waiting or self._active:
                    while waiting and len(self._active) < jobs:
                        self._active.append(self._start(waiting.popleft()))
                        self._show(bar)
                    time.sleep(PAUSE_IN_SECONDS)
                    self._collect(bar)
                    if request.signal_number is not None:
                        raise Interrupted(request.signal_number, GOES_ON)
            finally:
                self._stop()

    def _start(self, run: Run) -> _Active:
        process = self.launch(run, self.directory, self.include_packages)
        return _Active(run, process, log_of(run, self.directory), time.monotonic())

    def _collect(self, bar: tqdm) -> None:
        for each in [one for one in self._active if one.process.poll() is not None]:
            self._active.remove(each)
            seconds = time.monotonic() - each.started
            code = each.process.poll() or 0
            if code == 0:
                logger.info("%s: finished after %.0f s", each.run.name, seconds)
            else:
                failure = Failure(each.run, code, each.log, _last_words(each.log))
                self.failures.append(failure)
                logger.warning("%s: failed (%d): %s", each.run.name, code, failure.last_words)
            bar.update()
            self._show(bar)

    def _show(self, bar: tqdm) -> None:
        failed = [f"{len(self.failures)} failed"] if self.failures else []
        bar.set_postfix_str(", ".join([*failed, *(each.run.name for each in self._active)]))

    def _stop(self) -> None:
        """Asks what still runs to stop, and waits for it."""
        for each in self._active:
            each.process.terminate()
        for each in self._active:
            each.process.wait()


def _last_words(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    spoken = [line.strip() for line in lines if line.strip()]
    errors = [line for line in spoken if line.startswith("error: ")]
    return (errors or spoken)[-1]
