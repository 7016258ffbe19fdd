"""Curves that can be cut back, as TensorBoard reads them."""

import logging
from pathlib import Path

import pytest

from hmtl.errors import DataError
from hmtl.training.event_log import EventLog
from script.torture import curves_of


def points(directory: Path) -> list[tuple[int, float]]:
    return curves_of(directory.parent)["log/loss"]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "runs" / "log"


def test_points_are_read_back_while_the_log_is_open(directory: Path) -> None:
    log = EventLog(directory, {}, next_step=1)
    log.add("loss", 0.5, 1)
    log.add("loss", 0.25, 2)
    assert points(directory) == [(1, 0.5), (2, 0.25)]


def test_log_goes_on_from_a_position_without_what_came_after(directory: Path) -> None:
    log = EventLog(directory, {}, next_step=1)
    log.add("loss", 0.5, 1)
    positions = log.positions()
    log.add("loss", 0.1, 2)
    for _ in range(3):
        log = EventLog(directory, positions, next_step=2)
        log.add("loss", 0.25, 2)
    assert points(directory) == [(1, 0.5), (2, 0.25)]


def test_log_is_one_curve_over_several_recoveries(directory: Path) -> None:
    positions: dict[str, int] = {}
    for step in range(1, 6):
        log = EventLog(directory, positions, next_step=step)
        log.add("loss", float(step), step)
        positions = log.positions()
        log.add("loss", 100.0, step + 1)
        log.close()
    EventLog(directory, positions, next_step=6)
    assert points(directory) == [(step, float(step)) for step in range(1, 6)]


def test_run_that_begins_again_begins_its_log_again(directory: Path) -> None:
    EventLog(directory, {}, next_step=1).add("loss", 100.0, 1)
    EventLog(directory, {}, next_step=1).add("loss", 0.5, 1)
    assert points(directory) == [(1, 0.5)]


def test_log_with_nothing_to_add_makes_no_file(directory: Path) -> None:
    log = EventLog(directory, {}, next_step=1)
    assert log.positions() == {}
    log.close()
    assert list(directory.iterdir()) == []


def test_other_files_are_left_alone(directory: Path) -> None:
    directory.mkdir(parents=True)
    (directory / "notes.txt").write_text("mine")
    EventLog(directory, {}, next_step=1)
    assert (directory / "notes.txt").read_text() == "mine"


def test_lost_curves_are_told(directory: Path, caplog: pytest.LogCaptureFixture) -> None:
    log = EventLog(directory, {}, next_step=1)
    log.add("loss", 0.5, 1)
    positions = log.positions()
    (directory / next(iter(positions))).write_bytes(b"")
    with caplog.at_level(logging.WARNING):
        EventLog(directory, positions, next_step=2)
    assert "has 0 bytes of" in caplog.text


def test_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("a file")
    with pytest.raises(DataError, match="log/train: cannot be written: Not a directory"):
        EventLog(tmp_path / "log" / "train", {}, next_step=1)
