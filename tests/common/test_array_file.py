import os
from pathlib import Path

import numpy
import pytest

from hmtl.common.array_file import CorruptFile, read_arrays, write_arrays

ARRAYS: dict[str, numpy.ndarray] = {
    "numbers": numpy.arange(7, dtype=numpy.int16),
    "rows": numpy.linspace(0, 1, 6, dtype=numpy.float32).reshape(2, 3),
    "flags": numpy.array([True, False]),
    "nothing": numpy.empty((0, 3), numpy.int64),
}


def written(directory: Path) -> Path:
    path = directory / "file"
    assert write_arrays(path, {"name": "ü"}, ARRAYS) == path.stat().st_size
    return path


def test_arrays_come_back(tmp_path: Path) -> None:
    file = read_arrays(written(tmp_path))
    assert file.content == {"name": "ü"}
    assert file.arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert file.arrays[name].dtype == array.dtype
        numpy.testing.assert_array_equal(file.arrays[name], array)


def test_arrays_cannot_be_written_to(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="read-only"):
        read_arrays(written(tmp_path)).arrays["numbers"][0] = 1


def test_any_changed_byte_is_found(tmp_path: Path) -> None:
    path = written(tmp_path)
    content = path.read_bytes()
    for position in range(0, len(content), 7):
        changed = bytearray(content)
        changed[position] ^= 1
        path.write_bytes(changed)
        with pytest.raises(CorruptFile):
            read_arrays(path)


@pytest.mark.parametrize("size", [0, 5, 100])
def test_a_file_cut_short_is_found(tmp_path: Path, size: int) -> None:
    path = written(tmp_path)
    os.truncate(path, size)
    with pytest.raises(CorruptFile):
        read_arrays(path)


def test_a_missing_file_is_told_from_a_damaged_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_arrays(tmp_path / "none")
