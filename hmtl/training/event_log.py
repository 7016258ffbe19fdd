"""Scalars in the file format of TensorBoard."""

import socket
import time
from pathlib import Path
from typing import Optional

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

from hmtl.common.files import FileBeingWritten, make_durable, refusals

# By this TensorBoard knows the files; after it stands a time in seconds.
EVENT_FILES = "events.out.tfevents."
FILE_VERSION = "brain.Event:2"


class EventLog:
    """
    Curves of a run over one axis: training steps, or epochs. A run that is resumed writes to a new file,
    which begins with a mark: of what earlier files have, readers forget the points from there on.

    It is what torch's `SummaryWriter(purge_step=...)` writes. That one names its files by second, process
    and a counter, so that after a quick recovery, or with another machine's clock, a reader may take them
    in the wrong order and forget the wrong points; and what the system refuses ends in a thread of its own.

    # Parameters

    directory : `Path`
        Made if it is not there.
    next_step : `int`
        The first place on the axis that will be logged.

    # Raises

    DataError
        When something cannot be written; so does each method.
    """

    def __init__(self, directory: Path, next_step: int) -> None:
        self.directory = directory
        self.next_step = next_step
        self._file: Optional[FileBeingWritten] = None
        with refusals(directory):
            directory.mkdir(parents=True, exist_ok=True)

    def add(self, tag: str, value: float, step: int) -> None:
        """
        Add a point, which others see after `flush`.

        # Parameters

        tag : `str`
            The curve's name; what stands before a slash groups it.
        value : `float`
        step : `int`
            Where on the axis.
        """
        summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
        with refusals(self.directory):
            if self._file is None:
                # Only now: a run that has nothing left to log leaves no empty file.
                self._file = self._new_file()
                self._write(Event(file_version=FILE_VERSION))
                start = SessionLog(status=SessionLog.START)
                self._write(Event(step=self.next_step, session_log=start))
            self._write(Event(step=step, summary=summary))

    def _new_file(self) -> FileBeingWritten:
        # Readers take the files of a directory in the order of their names.
        names = (path.name for path in self.directory.glob(f"{EVENT_FILES}*"))
        times = [name.removeprefix(EVENT_FILES).partition(".")[0] for name in names]
        moment = max([int(time.time()), *(int(each) + 1 for each in times if each.isdecimal())])
        file = FileBeingWritten(
            self.directory / f"{EVENT_FILES}{moment:010d}.{socket.gethostname()}"
        )
        make_durable(self.directory)
        return file

    def _write(self, event: Event) -> None:
        event.wall_time = time.time()
        RecordWriter(self._file).write(event.SerializeToString())

    def flush(self) -> None:
        """Return once others can read all points, even if this process is killed."""
        if self._file is not None:
            with refusals(self.directory):
                self._file.flush()

    def make_durable(self) -> None:
        """Return once all points would survive a loss of power."""
        if self._file is not None:
            with refusals(self.directory):
                self._file.make_durable()

    def close(self) -> None:
        """Flush, unless that was refused before; nothing is logged any more."""
        if self._file is None:
            return
        if self._file.refusal is None:
            with refusals(self.directory):
                self._file.close()
        else:
            # The run has ended with that message, and from its last checkpoint it will log these again.
            self._file.abandon()
        self._file = None
