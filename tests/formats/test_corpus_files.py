from pathlib import Path

import pytest

from hmtl.errors import DataError
from hmtl.formats.files import documents_in


def touch(root: Path, *names: str) -> list[Path]:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return [root / name for name in names]


def test_documents_in_walks_tree_in_fixed_order(tmp_path: Path) -> None:
    touch(tmp_path, "b/1.like_conll", "a/2.like_conll", "a.like_conll", "a/1.like_conll", "c.txt")
    names = [path.relative_to(tmp_path).as_posix() for path in documents_in(tmp_path, "like_conll")]
    assert names == ["a/1.like_conll", "a/2.like_conll", "a.like_conll", "b/1.like_conll"]


def test_documents_in_takes_a_file_of_any_name(tmp_path: Path) -> None:
    files = touch(tmp_path, "train.txt")
    assert documents_in(files[0], "like_conll") == files


def test_documents_in_passes_over_hidden_files(tmp_path: Path) -> None:
    seen, *_ = touch(tmp_path, "a_conll", "._a_conll", ".cache/b_conll")
    assert documents_in(tmp_path, "_conll") == [seen]


def test_documents_in_follows_links_but_not_in_circles(tmp_path: Path) -> None:
    touch(tmp_path, "elsewhere/a_conll")
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "nw").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (tmp_path / "corpus" / "up").symlink_to(tmp_path / "corpus", target_is_directory=True)
    assert documents_in(tmp_path / "corpus", "_conll") == [tmp_path / "corpus" / "nw" / "a_conll"]


def test_documents_in_empty_directory_says_what_it_looked_for(tmp_path: Path) -> None:
    touch(tmp_path, "a.txt")
    with pytest.raises(DataError, match="no file .* has a name that ends in 'like_conll'"):
        documents_in(tmp_path, "like_conll")


def test_documents_in_absent_path_is_data_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="absent: no such file or directory; check the path"):
        documents_in(tmp_path / "absent", "_conll")
