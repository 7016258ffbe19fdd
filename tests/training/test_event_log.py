"""Curves of runs that were broken off, as TensorBoard reads them."""

import errno
import os
from pathlib import Path

import pytest

from hmtl.errors import DataError
from hmtl.training import event_log
from hmtl.training.event_log import EventLog
from script.torture import curves_of


def points(directory: Path) -> list[tuple[int, float]]:
    return curves_of(directory.parent)["log/loss"]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "runs" / "log"


def test_points_are_read_back_while_the_log_is_open(directory: Path) -> None:
    log = EventLog(directory, next_step=1)
    log.add("loss", 0.5, 1)
    log.add("loss", 0.25, 2)
    log.flush()
    assert points(directory) == [(1, 0.5), (2, 0.25)]


def break_off_and_resume(directory: Path, steps: int) -> None:
    """A checkpoint at each step, and a crash two steps later."""
    for step in range(1, steps + 1):
        log = EventLog(directory, next_step=step)
        log.add("loss", float(step), step)
        for lost in (1, 2):
            log.add("loss", 100.0, step + lost)
        log.close()
    log = EventLog(directory, next_step=steps + 1)
    log.add("loss", 0.0, steps + 1)
    log.close()


def test_log_is_one_curve_over_several_recoveries(directory: Path) -> None:
    """All in one second, and more of them than one digit counts."""
    break_off_and_resume(directory, 12)
    assert points(directory) == [*((step, float(step)) for step in range(1, 13)), (13, 0.0)]


def test_clock_that_goes_back_does_not_matter(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = EventLog(directory, next_step=1)
    log.add("loss", 1.0, 1)
    log.add("loss", 100.0, 2)
    log.close()
    monkeypatch.setattr(event_log.time, "time", lambda: 10.0**9)
    log = EventLog(directory, next_step=2)
    log.add("loss", 2.0, 2)
    log.close()
    assert points(directory) == [(1, 1.0), (2, 2.0)]


def test_log_with_nothing_to_add_makes_no_file(directory: Path) -> None:
    log = EventLog(directory, next_step=1)
    log.make_durable()
    log.close()
    assert list(directory.iterdir()) == []


def test_other_files_are_left_alone(directory: Path) -> None:
    directory.mkdir(parents=True)
    names = ["notes.txt", event_log.EVENT_FILES + "old"]
    for name in names:
        (directory / name).write_text("mine")
    break_off_and_resume(directory, 2)
    assert [(directory / name).read_text() for name in names] == ["mine", "mine"]


def test_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("a file")
    with pytest.raises(DataError, match="log/train: cannot be written: Not a directory"):
        EventLog(tmp_path / "log" / "train", next_step=1)


def test_refused_write_is_told_and_made_up_for(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of it is on the disk: readers go on with the next file."""
    write = os.write

    def refuse(descriptor: int, data: memoryview) -> int:
        if len(data) > 40:
            return write(descriptor, data[:-40])
        raise OSError(errno.ENOSPC, "No space left")

    log = EventLog(directory, next_step=1)
    log.add("loss", 1.0, 1)
    log.add("loss", 2.0, 2)
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", refuse)
        with pytest.raises(DataError, match="log: cannot be written: No space left"):
            log.flush()
        log.close()
    log = EventLog(directory, next_step=1)
    log.add("loss", 1.0, 1)
    log.close()
    assert points(directory) == [(1, 1.0)]
