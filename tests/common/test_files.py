"""Files are old or new, never half; what is written can be checked."""

import errno
import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from hmtl.common import files
from hmtl.common.files import (
    PARTIAL,
    making_directory,
    remove_directory,
    remove_partial,
    replacing,
    same_file,
    sha256_of,
    sha256_of_tree,
    sole_writer,
    write_json,
)
from hmtl.errors import DataError
from tests.write_errors import ERRORS, FailingSystem


def test_replacing_digests_what_it_writes(tmp_path: Path) -> None:
    with replacing(tmp_path / "file") as file:
        torch.save({"x": torch.arange(10_000)}, file)
    assert file.sha256 == sha256_of(tmp_path / "file")
    assert file.size == (tmp_path / "file").stat().st_size


def test_replacing_keeps_the_old_file_when_the_block_raises(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), replacing(path) as file:
        file.write(b"new")
        raise ZeroDivisionError
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


def save_tensors(path: Path) -> None:
    with replacing(path) as file:
        torch.save({"x": torch.zeros(2**20)}, file)


def save_directory(path: Path) -> None:
    with making_directory(path) as directory:
        write_json(directory / "b", {"b": 1})
        # The last one, so that nothing else makes its name durable.
        (directory / "a").write_text("a")


def link(path: Path) -> None:
    source = path.with_name("source")
    source.write_text("new")
    same_file(source, path)


@pytest.mark.parametrize(
    "act", [save_tensors, save_directory, link, lambda path: write_json(path, 1)]
)
@pytest.mark.parametrize("error", ERRORS)
def test_refused_write_gives_one_message_and_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, act: Callable[[Path], None], error: int
) -> None:
    act(tmp_path / "done")
    system = FailingSystem(error)
    number_of_calls = system.count(monkeypatch, lambda: act(tmp_path / "counted"))
    path = tmp_path / "path"
    for call in range(1, number_of_calls + 1):
        with monkeypatch.context() as patch:
            system.fail_at(patch, call)
            try:
                act(path)
            except DataError as refusal:
                assert str(refusal.path).startswith(str(tmp_path))
                assert refusal.message.startswith(
                    f"cannot be written: {os.strerror(error)}. Free space"
                )
        if path.exists():
            # Then it is whole: only the names' durability, or a second attempt, can follow.
            assert content(path) == content(tmp_path / "done")
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        left = [name for name in os.listdir(tmp_path) if name.endswith(".partial")]
        assert left == [] or system.refused in ("unlink", "rmdir")
        remove_partial(tmp_path)


def content(path: Path) -> str:
    return sha256_of_tree(path) if path.is_dir() else sha256_of(path)


@pytest.mark.parametrize("act", [save_tensors, lambda path: write_json(path, 1)])
def test_directory_that_is_gone_is_named(tmp_path: Path, act: Callable[[Path], None]) -> None:
    with pytest.raises(DataError) as caught:
        act(tmp_path / "run" / "log" / "file")
    assert caught.value.message == (
        f"cannot be written: No such file or directory. There is no {tmp_path / 'run'}: was it removed or "
        "renamed? Put it back, or choose a directory that is there."
    )


Events = list[tuple[str, int, int]]


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> Events:
    """What is made durable (its inode and size) and put in place (its inode), in order."""
    seen: Events = []
    fsync, replace = os.fsync, os.replace

    def noted_fsync(descriptor: int) -> None:
        status = os.fstat(descriptor)
        seen.append(("fsync", status.st_ino, status.st_size))
        fsync(descriptor)

    def noted_replace(source: Path, path: Path) -> None:
        seen.append(("replace", source.stat().st_ino, 0))
        replace(source, path)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(os, "replace", noted_replace)
    return seen


@pytest.mark.parametrize("act", [save_tensors, save_directory, lambda path: write_json(path, 1)])
def test_content_is_durable_before_it_takes_its_place(
    tmp_path: Path, events: Events, act: Callable[[Path], None]
) -> None:
    act(tmp_path / "path")
    place = ("replace", (tmp_path / "path").stat().st_ino, 0)
    for path in (tmp_path / "path", *(tmp_path / "path").glob("*")):
        status = path.stat()
        synced = ("fsync", status.st_ino, status.st_size)
        assert events.index(synced) < events.index(place)
    # It itself last: of a directory, once all its names are there.
    last = events[events.index(place) - 1]
    assert last[:2] == ("fsync", (tmp_path / "path").stat().st_ino)


@pytest.mark.parametrize(
    "act", [save_tensors, save_directory, link, lambda path: write_json(path, 1)]
)
def test_name_is_durable_once_it_is_there(
    tmp_path: Path, events: Events, act: Callable[[Path], None]
) -> None:
    act(tmp_path / "path")
    assert [name for name, *_ in events[-2:]] == ["replace", "fsync"]
    assert events[-1][1] == tmp_path.stat().st_ino


def test_directory_that_is_being_made_has_another_name(tmp_path: Path) -> None:
    with making_directory(tmp_path / "made") as directory:
        (directory / "file").write_text("content")
        assert not (tmp_path / "made").exists()
    assert (tmp_path / "made" / "file").read_text() == "content"
    assert os.listdir(tmp_path) == ["made"]


def test_directory_that_is_there_is_not_replaced(tmp_path: Path) -> None:
    save_directory(tmp_path / "made")
    with pytest.raises(DataError, match="cannot be written"):
        save_directory(tmp_path / "made")
    assert os.listdir(tmp_path) == ["made"]


def test_same_file_is_one_file_by_two_names(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    (tmp_path / "b").write_text("b")
    same_file(tmp_path / "a", tmp_path / "b")
    same_file(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "a").samefile(tmp_path / "b")
    assert sorted(os.listdir(tmp_path)) == ["a", "b"]


def test_same_file_is_a_copy_where_there_are_no_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: Any) -> None:
        raise OSError(errno.EPERM, "no links here")

    (tmp_path / "a").write_text("a")
    monkeypatch.setattr(os, "link", refuse)
    same_file(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_text() == "a"
    assert not (tmp_path / "a").samefile(tmp_path / "b")


def test_digest_is_of_what_the_system_took(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(files.os, "write", lambda descriptor, data: write(descriptor, data[:3]))
    with replacing(tmp_path / "file") as file:
        file.write(b"0123456789")
    assert (tmp_path / "file").read_bytes() == b"0123456789"
    assert (file.sha256, file.size) == (hashlib.sha256(b"0123456789").hexdigest(), 10)


def test_digest_of_a_file_is_of_all_its_chunks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "CHUNK_SIZE", 3)
    (tmp_path / "file").write_bytes(b"0123456789")
    assert sha256_of(tmp_path / "file") == hashlib.sha256(b"0123456789").hexdigest()


def left_behind(path: Path) -> Path:
    """Where a process of the same number, killed, was writing."""
    return path.with_name(f".{path.name}.{os.getpid()}{PARTIAL}")


@pytest.mark.parametrize("act", [save_tensors, link, lambda path: write_json(path, 1)])
def test_nothing_of_a_file_that_was_left_behind_is_kept(
    tmp_path: Path, act: Callable[[Path], None]
) -> None:
    act(tmp_path / "expected")
    left_behind(tmp_path / "path").write_bytes(b"x" * 2**23)
    act(tmp_path / "path")
    assert sha256_of(tmp_path / "path") == sha256_of(tmp_path / "expected")
    if act is link:
        assert (tmp_path / "path").samefile(tmp_path / "source")


def test_nothing_of_a_directory_that_was_left_behind_is_kept(tmp_path: Path) -> None:
    left_behind(tmp_path / "path").mkdir()
    (left_behind(tmp_path / "path") / "junk").write_text("half")
    save_directory(tmp_path / "path")
    assert sorted(os.listdir(tmp_path / "path")) == ["a", "b"]


def test_all_that_was_left_behind_is_removed(tmp_path: Path) -> None:
    left_behind(tmp_path / "directory").mkdir()
    left_behind(tmp_path / "file").write_text("half")
    (tmp_path / "notes.partial").write_text("mine")
    remove_partial(tmp_path)
    assert os.listdir(tmp_path) == ["notes.partial"]


def test_directory_is_gone_before_the_first_of_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_directory(tmp_path / "path")
    monkeypatch.setattr(files.shutil, "rmtree", lambda path, **options: None)
    remove_directory(tmp_path / "path")
    assert not (tmp_path / "path").exists()


def test_copy_takes_its_place_once_it_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: Any) -> None:
        raise OSError(errno.EIO, "no more")

    (tmp_path / "a").write_text("new")
    (tmp_path / "b").write_text("old")
    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr(files.shutil, "copyfileobj", refuse)
    with pytest.raises(DataError, match="cannot be written"):
        same_file(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_text() == "old"


def test_file_system_without_locks_keeps_nobody_from_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: Any) -> None:
        raise OSError(errno.ENOLCK, "no locks here")

    monkeypatch.setattr(files.fcntl, "flock", refuse)
    with sole_writer(tmp_path / "run"):
        assert (tmp_path / "run").is_dir()


def test_digest_of_a_tree_does_not_depend_on_the_order_of_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    before, rglob = sha256_of_tree(tmp_path), Path.rglob
    monkeypatch.setattr(Path, "rglob", lambda path, name: list(rglob(path, name))[::-1])
    assert sha256_of_tree(tmp_path) == before


def test_second_writer_is_refused(tmp_path: Path) -> None:
    with sole_writer(tmp_path / "run"):
        with pytest.raises(DataError, match="another process is writing here"):
            with sole_writer(tmp_path / "run"):
                pass
    with sole_writer(tmp_path / "run"):
        pass


@pytest.mark.parametrize("change", ["content", "name", "another file"])
def test_digest_of_a_tree_tells_a_change(tmp_path: Path, change: str) -> None:
    (tmp_path / "tree" / "inner").mkdir(parents=True)
    file = tmp_path / "tree" / "inner" / "file"
    file.write_text("a")
    before = sha256_of_tree(tmp_path / "tree")
    assert sha256_of_tree(tmp_path / "tree") == before
    if change == "content":
        file.write_text("b")
    elif change == "name":
        file.rename(file.with_name("other"))
    else:
        file.with_name("other").write_text("")
    assert sha256_of_tree(tmp_path / "tree") != before
