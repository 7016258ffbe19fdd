import logging
import multiprocessing
from collections.abc import Iterator
from pathlib import Path

import numpy
import pytest
from safetensors import safe_open

from hmtl.modules import vector_store
from hmtl.modules.vector_store import SUFFIX, VectorStore, is_in_use

WIDTH = 3
PLENTY = 2**20


def key(number: int) -> bytes:
    return number.to_bytes(16, "little")


def rows(number: int) -> numpy.ndarray:
    return numpy.full((1 + number % 4, WIDTH), number + 0.1, numpy.float32)


def opened(directory: Path, max_bytes: int = PLENTY) -> VectorStore:
    return VectorStore(directory / "store", max_bytes)


def files(directory: Path) -> list[Path]:
    return sorted((directory / "store").glob(f"*{SUFFIX}"))


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
    put(other, 2)
    assert [len(safe_open(path, "pt").keys()) for path in files(tmp_path)] == [1, 1]
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
    assert holds(store, *range(101))
    assert len(store) == 101
    assert store.size == sum(path.stat().st_size for path in files(tmp_path))


def test_what_a_killed_process_left_is_passed_over(tmp_path: Path, monkeypatch) -> None:
    def crash(*arguments: object) -> None:
        raise KeyboardInterrupt

    store = opened(tmp_path)
    put(store, 1)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", crash)
        with pytest.raises(KeyboardInterrupt):
            put(store, 2)
    again = opened(tmp_path)
    assert holds(again, 1) and again.get(key(2)) is None
    put(again, 2)
    assert holds(opened(tmp_path), 1, 2)


def damaged(content: bytes) -> Iterator[bytes]:
    """Each with another byte changed, or cut short."""
    for position in range(0, len(content), 5):
        yield content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :]
    for size in range(0, len(content), 31):
        yield content[:size]


def test_damage_is_one_warning_and_never_another_row(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(opened(tmp_path), 3)
    put(opened(tmp_path), 1, 2)
    (path,) = (file for file in files(tmp_path) if len(safe_open(file, "pt").keys()) == 2)
    for content in damaged(path.read_bytes()):
        path.write_bytes(content)
        caplog.clear()
        with caplog.at_level(logging.WARNING, logger="hmtl"):
            store = opened(tmp_path)
            for number in (1, 2):
                assert store.get(key(number)) is None or holds(store, number)
        assert holds(store, 3)
        assert len(caplog.records) == 1, content
        put(store, 1, 2)
        assert holds(store, 1, 2, 3)
        (path,) = (file for file in files(tmp_path) if key(1).hex() in safe_open(file, "pt").keys())


def test_what_cannot_be_mapped_now_is_not_deleted(tmp_path: Path, monkeypatch) -> None:
    def refuse(*arguments: object) -> None:
        raise RuntimeError("unable to mmap: Cannot allocate memory")

    put(opened(tmp_path), 1)
    with monkeypatch.context() as patch:
        patch.setattr(vector_store, "_opened", refuse)
        assert opened(tmp_path).get(key(1)) is None
    assert holds(opened(tmp_path), 1)


def test_deleted_files_are_computed_anew_without_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = opened(tmp_path)
    other = opened(tmp_path)
    put(other, 1)
    store.look_for_more()
    for path in files(tmp_path):
        path.unlink()
    assert opened(tmp_path).get(key(1)) is None
    put(store, 2)
    assert holds(store, 2)
    assert caplog.records == []


def test_an_open_store_is_in_use(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    assert not is_in_use(tmp_path / "store")
    process = context.Process(target=fill, args=(tmp_path, 0))
    process.start()
    process.join()
    assert not is_in_use(tmp_path / "store")
    store = opened(tmp_path)
    assert is_in_use(store.directory)
