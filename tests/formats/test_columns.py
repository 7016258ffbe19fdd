from pathlib import Path

import pytest

from hmtl.errors import DataError
from hmtl.formats.columns import read_lines, split_columns


def test_read_lines_numbers_lines_from_one(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_bytes(b"a\n\nb")
    assert list(read_lines(path)) == [(1, "a"), (2, ""), (3, "b")]


def test_read_lines_drops_byte_order_mark_and_crlf(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_bytes(b"\xef\xbb\xbfa\r\n\r\nb\r\n")
    assert list(read_lines(path)) == [(1, "a"), (2, ""), (3, "b")]


@pytest.mark.parametrize("character", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028"])
def test_read_lines_ends_lines_at_line_feeds_only(tmp_path: Path, character: str) -> None:
    path = tmp_path / "text"
    path.write_bytes(f"a{character}b\nc\n".encode())
    assert list(read_lines(path)) == [(1, f"a{character}b"), (2, "c")]


def test_read_lines_of_absent_file_is_data_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="absent: no such file; check the path"):
        list(read_lines(tmp_path / "absent"))


def test_read_lines_of_directory_is_data_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="this is a directory; expected one file"):
        list(read_lines(tmp_path))


@pytest.mark.parametrize("space", ["\u00a0", "\u2009", "\u3000", "\x85", "\x1f"])
def test_split_columns_keeps_what_is_no_ascii_blank_inside_a_token(space: str) -> None:
    assert split_columns(f" 0\t \t1{space}2 * ") == ["0", f"1{space}2", "*"]
