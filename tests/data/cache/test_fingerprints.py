import os
from pathlib import Path

import pytest

from hmtl.data.cache import fingerprints
from hmtl.data.cache.fingerprints import Fingerprints

LONG_AGO = 10**9


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files whose content is read; all files count as large."""
    read: list[Path] = []
    digest = fingerprints.sha256_of

    def counted(path: Path) -> str:
        read.append(path)
        return digest(path)

    monkeypatch.setattr(fingerprints, "sha256_of", counted)
    monkeypatch.setattr(fingerprints, "SMALLEST_REMEMBERED", 1)
    return read


def old_file(path: Path, content: str) -> Path:
    path.write_text(content)
    os.utime(path, ns=(LONG_AGO, LONG_AGO))
    return path


def test_the_content_counts_and_the_names(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x").write_text("1")
    before = Fingerprints(tmp_path / "memory").of(tmp_path / "a")
    (tmp_path / "a" / "x").write_text("2")
    changed = Fingerprints(tmp_path / "memory").of(tmp_path / "a")
    (tmp_path / "a" / "x").write_text("1")
    assert Fingerprints(tmp_path / "memory").of(tmp_path / "a") == before != changed
    (tmp_path / "a" / "x").rename(tmp_path / "a" / "y")
    assert Fingerprints(tmp_path / "memory").of(tmp_path / "a") != before


def test_links_are_followed_and_hidden_files_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "x").write_text("1")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "a" / "link" / "circle").symlink_to(tmp_path / "a")
    before = Fingerprints(tmp_path / "memory").of(tmp_path / "a")
    (tmp_path / "a" / ".hidden").write_text("1")
    assert Fingerprints(tmp_path / "memory").of(tmp_path / "a") == before
    (tmp_path / "elsewhere" / "x").write_text("2")
    assert Fingerprints(tmp_path / "memory").of(tmp_path / "a") != before


def test_untouched_files_are_read_once(
    tmp_path: Path, reads: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fingerprints, "SAFE_AGE_IN_NANOSECONDS", -1)
    file = old_file(tmp_path / "x", "1")
    first = Fingerprints(tmp_path / "memory")
    digest = first.of(file)
    first.remember()
    assert Fingerprints(tmp_path / "memory").of(file) == digest
    assert len(reads) == 1


def test_a_touched_file_is_read_again(
    tmp_path: Path, reads: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fingerprints, "SAFE_AGE_IN_NANOSECONDS", -1)
    file = old_file(tmp_path / "x", "1")
    first = Fingerprints(tmp_path / "memory")
    digest = first.of(file)
    first.remember()
    # As long as before, and as old: the time of the change of the inode tells.
    old_file(file, "2")
    assert Fingerprints(tmp_path / "memory").of(file) != digest


def test_a_file_that_has_just_been_changed_is_not_remembered(
    tmp_path: Path, reads: list[Path]
) -> None:
    file = tmp_path / "x"
    file.write_text("1")
    first = Fingerprints(tmp_path / "memory")
    first.of(file)
    first.remember()
    Fingerprints(tmp_path / "memory").of(file)
    assert len(reads) == 2


@pytest.mark.parametrize("content", ["", "[]", '{"x": 1}', "neither"])
def test_a_damaged_memory_is_no_memory(tmp_path: Path, content: str) -> None:
    (tmp_path / "memory").write_text(content)
    (tmp_path / "x").write_text("1")
    assert Fingerprints(tmp_path / "memory").of(tmp_path / "x")
