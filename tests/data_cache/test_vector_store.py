import logging
import multiprocessing
import os
from pathlib import Path

import numpy
import pytest

from hmtl.data_cache.vector_store import INDEX_FILE, RECORD, ROWS_FILE, VectorStore, is_in_use

WIDTH = 3
PLENTY = 2**20


def key(number: int) -> bytes:
    return number.to_bytes(16, "little")


def rows(number: int) -> numpy.ndarray:
    return numpy.full((1 + number % 4, WIDTH), number + 0.1, numpy.float32)


def opened(directory: Path, max_bytes: int = PLENTY) -> VectorStore:
    return VectorStore(directory / "store", WIDTH, max_bytes)


def put(store: VectorStore, *numbers: int) -> None:
    store.put({key(number): rows(number) for number in numbers})


def holds(store: VectorStore, *numbers: int) -> bool:
    found = [store.get(key(number)) for number in numbers]
    return all(
        values is not None and numpy.array_equal(values, rows(number))
        for number, values in zip(numbers, found)
    )


def test_rows_come_back_in_the_same_and_in_another_process(tmp_path: Path) -> None:
    store = opened(tmp_path)
    put(store, 1, 2)
    put(store, 3)
    assert holds(store, 1, 2, 3)
    assert store.get(key(4)) is None
    assert holds(opened(tmp_path), 3, 2, 1)


def test_a_key_is_written_once(tmp_path: Path) -> None:
    store, other = opened(tmp_path), opened(tmp_path)
    put(store, 1)
    put(other, 1, 2)
    assert other.size == (2 + 3) * WIDTH * 4
    store.look_for_more()
    assert holds(store, 1, 2)


def test_what_does_not_fit_is_not_kept(tmp_path: Path) -> None:
    store = opened(tmp_path, max_bytes=5 * WIDTH * 4)
    put(store, 1, 2, 3)
    assert store.is_full
    assert holds(store, 1, 2)
    assert store.get(key(3)) is None


def fill(directory: Path, first: int) -> None:
    store = opened(directory)
    for number in range(first, first + 60):
        put(store, number, number + 1)


def test_several_processes_write_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=fill, args=(tmp_path, start)) for start in (0, 20, 40)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    store = opened(tmp_path)
    assert holds(store, *range(100))
    assert store.size == sum(len(rows(number)) for number in range(101)) * WIDTH * 4


@pytest.mark.parametrize("cut", [1, RECORD.size - 1, RECORD.size + 5])
def test_what_a_killed_process_left_is_written_over(tmp_path: Path, cut: int) -> None:
    put(opened(tmp_path), 1, 2, 3)
    index = tmp_path / "store" / INDEX_FILE
    os.truncate(index, index.stat().st_size - cut)
    store = opened(tmp_path)
    assert holds(store, 1)
    put(store, 2, 3, 4)
    assert holds(store, 1, 2, 3, 4)
    assert holds(opened(tmp_path), 1, 2, 3, 4)


def test_rows_cut_short_are_missing(tmp_path: Path) -> None:
    put(opened(tmp_path), 1, 2)
    os.truncate(tmp_path / "store" / ROWS_FILE, 2 * WIDTH * 4 + 1)
    store = opened(tmp_path)
    assert holds(store, 1)
    assert store.get(key(2)) is None
    put(store, 2)
    assert holds(store, 1, 2)


def test_damaged_rows_are_missing_with_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(opened(tmp_path), 1, 2, 3)
    path = tmp_path / "store" / ROWS_FILE
    content = bytearray(path.read_bytes())
    content[0] ^= 1
    content[-1] ^= 1
    path.write_bytes(content)
    store = opened(tmp_path)
    with caplog.at_level(logging.WARNING, logger="hmtl"):
        assert store.get(key(1)) is None
        assert store.get(key(3)) is None
    assert holds(store, 2)
    assert len(caplog.records) == 1
    put(store, 1, 3)
    assert holds(store, 1, 2, 3)
    assert holds(opened(tmp_path), 1, 2, 3)


def test_a_damaged_index_loses_what_comes_after(tmp_path: Path) -> None:
    put(opened(tmp_path), 1, 2, 3)
    path = tmp_path / "store" / INDEX_FILE
    content = bytearray(path.read_bytes())
    content[RECORD.size + 2] ^= 1
    path.write_bytes(content)
    store = opened(tmp_path)
    assert holds(store, 1)
    assert store.get(key(2)) is None and store.get(key(3)) is None
    put(store, 2, 3)
    assert holds(opened(tmp_path), 1, 2, 3)


def test_an_open_store_is_in_use(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    assert not is_in_use(tmp_path / "store")
    process = context.Process(target=fill, args=(tmp_path, 0))
    process.start()
    process.join()
    assert not is_in_use(tmp_path / "store")
    store = opened(tmp_path)
    assert is_in_use(store.directory)
