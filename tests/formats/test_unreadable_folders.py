import os
from pathlib import Path

import pytest

from hmtl.errors import DataError
from hmtl.formats.files import documents_in


@pytest.mark.parametrize("unreadable", ["corpus", "corpus/below"])
def test_folder_that_cannot_be_read_is_named_and_not_passed_over(
    unreadable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "corpus" / "below").mkdir(parents=True)
    (tmp_path / "corpus" / "a.txt").write_text("a")
    as_it_is = os.scandir

    def scandir(path: str) -> object:
        # Root may read all, so that permissions alone would not do.
        if Path(path) == tmp_path / unreadable:
            raise PermissionError(13, "Permission denied", str(path))
        return as_it_is(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(DataError, match="cannot be read: Permission denied") as found:
        documents_in(tmp_path / "corpus", ".txt")
    assert str(found.value).startswith(str(tmp_path / unreadable))


def test_empty_folder_is_said_to_hold_no_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no file in this directory or below is there"):
        documents_in(tmp_path, "")
