"""The runs of a study as jobs of a cluster: submitit submits them, and queues again what was preempted."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from subprocess import Popen
from typing import Any

from hmtl.errors import DataError
from hmtl.study import running
from hmtl.study.grid import Run
from hmtl.study.running import log_of, start

logger = logging.getLogger(__name__)

# submitit's own files: what it submits, what jobs print beside their logs, and what they return. It reads
# back only what its own jobs wrote.
FOLDER = ".submitit"
# How often a job is submitted again whose node was lost, if the cluster does not do it.
MOST_LOSSES = 3
# How often a job may use up its time and be queued again, and how long that is if nobody says.
MOST_TIMEOUTS, MINUTES = 100, 24 * 60
# What Slurm sends before the time is up is for submitit, but may reach all processes of a job.
WITHOUT_THEIR_SIGNALS = ["/bin/sh", "-c", "trap '' USR1 USR2; exec \"$@\"", "sh"]


class Training:
    """
    A job: `hmtl train` for a run, in a process of its own, which goes on with what is there of the run.

    # Parameters

    run : `Run`
    study : `Path`
        Its directory, on a file system that all nodes share.
    include_packages : `Sequence[str]`
    train : `Sequence[str]`
        What starts it.
    """

    def __init__(
        self, run: Run, study: Path, include_packages: Sequence[str], train: Sequence[str]
    ) -> None:
        self._given = (run, study, include_packages, train)
        self._process: Popen[bytes] | None = None

    def __call__(self) -> int:
        """Return the exit code."""
        self._process = start(*self._given)
        try:
            while self._process.poll() is None:
                time.sleep(running.PAUSE_IN_SECONDS)
        finally:
            self._stop()
        return self._process.returncode

    def checkpoint(self) -> Any:
        """Let the run write its checkpoint: its time is up or its node is wanted, as submitit was told."""
        from submitit.helpers import DelayedSubmission

        self._stop()
        return DelayedSubmission(Training(*self._given))

    def _stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            # In a handler of a signal, `wait` could wait for itself.
            with suppress(ChildProcessError):
                os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)


class Cluster:
    """
    What starts runs as jobs.

    # Parameters

    kind : `str`
        `slurm`; or `local`, processes of this machine, to try it.
    study : `Path`
    parameters : `Mapping[str, Any]`
        Of submitit, for each job.

    # Raises

    DataError
        When submitit is not installed, there is no such cluster here, or it does not know a parameter.
    """

    def __init__(self, kind: str, study: Path, parameters: Mapping[str, Any]) -> None:
        try:
            import submitit
        except ImportError as error:
            raise DataError(
                f"--on {kind} needs the package submitit; install it with: pip install 'hmtl[slurm]'"
            ) from error
        timeouts = {f"{kind}_max_num_timeout": MOST_TIMEOUTS}
        try:
            self._executor = submitit.AutoExecutor(
                study.absolute() / FOLDER, cluster=kind, **timeouts
            )
            self._executor.update_parameters(
                **{"name": "hmtl", "timeout_min": MINUTES, **parameters}
            )
        except (RuntimeError, NameError, TypeError, ValueError) as error:
            raise DataError(f"--on {kind}, --cluster {dict(parameters)}: {error}") from error

    def launch(self, run: Run, study: Path, include_packages: Sequence[str]) -> Job:
        """Submit a run."""
        train = [*WITHOUT_THEIR_SIGNALS, *running.TRAIN]
        training = Training(run, study.absolute(), include_packages, train)
        return Job(self._executor, training, run.name, log_of(run, study))


class Job:
    """
    A job, as `subprocess` knows processes. One that ends without a word, as its node was lost, is submitted
    again.

    # Parameters

    executor : `submitit.Executor`
    training : `Training`
    name : `str`
        Of the run.
    log : `Path`
        Of the run.
    """

    def __init__(self, executor: Any, training: Training, name: str, log: Path) -> None:
        self._executor, self._training = executor, training
        self._name, self._log = name, log
        self._losses = 0
        self._exit_code: int | None = None
        self._job = executor.submit(training)

    def poll(self) -> int | None:
        """Return the exit code once there is one."""
        if self._exit_code is None and self._job.done():
            error = self._job.exception()
            if error is None:
                self._exit_code = int(self._job.result())
            elif self._losses < MOST_LOSSES:
                self._losses += 1
                logger.warning("%s: job %s was lost: again", self._name, self._job.job_id)
                self._job = self._executor.submit(self._training)
            else:
                self._exit_code = 1
                self._log.parent.mkdir(parents=True, exist_ok=True)
                with open(self._log, "a", encoding="utf-8") as file:
                    file.write(
                        f"error: the job was lost {self._losses + 1} times: {self._job.state}; "
                    )
                    file.write(f"what it said last is in {self._job.paths.stderr}\n")
        return self._exit_code

    def terminate(self) -> None:
        """Cancel it: Slurm asks all of its processes to stop, some time before it kills them."""
        self._job.cancel(check=False)

    def wait(self) -> None:
        """Return when it has ended."""
        while not self._job.done():
            time.sleep(running.PAUSE_IN_SECONDS)
