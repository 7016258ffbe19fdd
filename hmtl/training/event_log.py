"""Scalars in the file format of TensorBoard, in files that can be cut back to an earlier moment."""

import logging
import os
import socket
import time
from pathlib import Path
from typing import Dict, Optional

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

from hmtl.files import AppendedFile, refusals

logger = logging.getLogger(__name__)

# By this TensorBoard knows the files, whatever else is in their names.
EVENT_FILES = "events.out.tfevents."
FILE_VERSION = "brain.Event:2"


class EventLog:
    """
    The scalars of one curve family of a run. Each time the run goes on they stand in a new file; the old
    ones are cut back first to what they held at the checkpoint.

    Every scalar is written through at once, so a position is a number of bytes in each file.

    # Parameters

    directory : `Path`
    positions : `Dict[str, int]`
        As `positions` returned it at the checkpoint; empty at the beginning of a run.
    next_step : `int`
        The first step that will be logged. A TensorBoard that is open forgets what it has seen of that
        step and later ones.
    """

    def __init__(self, directory: Path, positions: Dict[str, int], next_step: int) -> None:
        self.directory = directory
        self.next_step = next_step
        self._earlier = dict(positions)
        self._file: Optional[AppendedFile] = None
        with refusals(directory):
            directory.mkdir(parents=True, exist_ok=True)
            self._cut_back()

    def _cut_back(self) -> None:
        for path in self.directory.glob(f"{EVENT_FILES}*"):
            if path.name not in self._earlier:
                path.unlink()
        for name, size in self._earlier.items():
            path = self.directory / name
            found = path.stat().st_size if path.exists() else 0
            if found < size:
                logger.warning(
                    "%s: has %d bytes of %d; what is missing of these curves is lost",
                    path,
                    found,
                    size,
                )
            elif found > size:
                os.truncate(path, size)

    def add(self, tag: str, value: float, step: int) -> None:
        """
        # Parameters

        tag : `str`
            The curve's name; what stands before a slash groups it.
        value : `float`
        step : `int`
            Where on the axis: a training step, or an epoch.

        # Raises

        DataError
            When it cannot be written.
        """
        summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
        self._write(Event(wall_time=time.time(), step=step, summary=summary))

    def _write(self, event: Event) -> None:
        if self._file is None:
            # Only now: a run that has nothing left to log leaves no empty file.
            self._file = self._new_file()
            self._write(Event(wall_time=time.time(), file_version=FILE_VERSION))
            start = SessionLog(status=SessionLog.START)
            self._write(Event(wall_time=time.time(), step=self.next_step, session_log=start))
        RecordWriter(self._file).write(event.SerializeToString())

    def _new_file(self) -> AppendedFile:
        # TensorBoard reads the files of a directory in the order of their names.
        moment = f"{int(time.time()):010d}.{socket.gethostname()}.{self.next_step:010d}"
        return AppendedFile(self.directory / (EVENT_FILES + moment))

    def positions(self) -> Dict[str, int]:
        """The size of each file in bytes, after which these would survive a loss of power."""
        if self._file is None:
            return dict(self._earlier)
        self._file.make_durable()
        return {**self._earlier, self._file.path.name: self._file.size}

    def close(self) -> None:
        """Nothing is logged any more."""
        if self._file is not None:
            self._file.close()
            self._file = None
