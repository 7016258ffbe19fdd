import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmtl.errors import DataError
from hmtl.formats.senteval import PARTITIONS
from hmtl.probing.tasks import (
    PROBING_FILES,
    data_directory,
    probing_directory,
    read_probing_data,
    tasks_in,
)

GOOD = "tr\tPAST\tShe left .\ntr\tPRES\tShe leaves .\nva\tPAST\tHe met her\nte\tPRES\tIt rains\n"
TENSE = PROBING_FILES["Tense"]


def write(directory: Path, content: str | bytes, name: str = TENSE) -> Path:
    path = directory / name
    path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return path


def test_file_is_read_into_its_partitions(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    data = read_probing_data("Tense", tmp_path)
    assert data.partitions["tr"].sentences == [["She", "left", "."], ["She", "leaves", "."]]
    assert data.partitions["tr"].labels == ["PAST", "PRES"]
    assert data.partitions["va"].sentences == [["He", "met", "her"]]
    assert data.classes == ["PAST", "PRES"]
    assert data.sentences[-1] == ["It", "rains"]


def test_sentence_is_the_last_field(tmp_path: Path) -> None:
    write(tmp_path, GOOD.replace("\tShe left .", "\t17\tleft\tShe left ."))
    assert read_probing_data("Tense", tmp_path).sentences[0] == ["She", "left", "."]


def test_sentence_may_be_empty(tmp_path: Path) -> None:
    write(tmp_path, GOOD + "te\tPAST\t\n")
    assert read_probing_data("Tense", tmp_path).partitions["te"].sentences[-1] == []


def test_windows_line_ends_and_byte_order_mark_are_no_part_of_the_text(tmp_path: Path) -> None:
    write(tmp_path, b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    data = read_probing_data("Tense", tmp_path)
    assert data.partitions["tr"].sentences[0] == ["She", "left", "."]


@pytest.mark.parametrize(
    "line, message",
    [
        ("tr\tPAST", "has 2 fields;"),
        ("", "has 1 field;"),
        ("tr PAST She left", "partition TAB label TAB sentence"),
        ("train\tPAST\tShe left", "partition 'train'; expected one of tr, va, te"),
        ("tr\t\tShe left", "the label is empty"),
        ("te\tFUTURE\tShe will", "label 'FUTURE' of a sentence of 'te' stands at no sentence"),
    ],
)
def test_malformed_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    path = write(tmp_path, f"{GOOD}{line}\n")
    with pytest.raises(DataError, match=f"^{re.escape(str(path))}:5: .*{re.escape(message)}"):
        read_probing_data("Tense", tmp_path)


def test_line_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    write(tmp_path, GOOD.encode() + b"tr\tPAST\tcaf\xe9\n")
    with pytest.raises(DataError, match=":5: byte 0xe9 .* is not UTF-8"):
        read_probing_data("Tense", tmp_path)


@pytest.mark.parametrize("partition", PARTITIONS)
def test_missing_partition_is_an_error(tmp_path: Path, partition: str) -> None:
    lines = [line for line in GOOD.splitlines() if not line.startswith(partition)]
    write(tmp_path, "\n".join(lines) + "\n")
    with pytest.raises(DataError, match=f"no sentence of partition '{partition}'"):
        read_probing_data("Tense", tmp_path)


def test_single_label_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, GOOD.replace("PRES", "PAST"))
    with pytest.raises(DataError, match="the one label 'PAST'"):
        read_probing_data("Tense", tmp_path)


WORD = st.text(st.characters(codec="utf-8", exclude_categories=["Z", "C"]), min_size=1, max_size=5)
LINE = st.tuples(
    st.sampled_from(PARTITIONS), st.sampled_from(["A", "B"]), st.lists(WORD, max_size=4)
)


@given(st.lists(LINE, max_size=8))
def test_whatever_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, lines: list[tuple[str, str, list[str]]]
) -> None:
    directory = tmp_path_factory.mktemp("written")
    lines += [(name, label, ["x"]) for name in PARTITIONS for label in "AB"]
    write(
        directory, "".join(f"{name}\t{label}\t{' '.join(words)}\n" for name, label, words in lines)
    )
    data = read_probing_data("Tense", directory)
    for name in PARTITIONS:
        partition = data.partitions[name]
        assert list(zip(partition.labels, partition.sentences)) == [
            (label, words) for part, label, words in lines if part == name
        ]


@pytest.mark.parametrize("place", [".", "probing", "data/probing"])
def test_files_are_found_where_senteval_keeps_them(tmp_path: Path, place: str) -> None:
    (tmp_path / place).mkdir(parents=True, exist_ok=True)
    write(tmp_path / place, GOOD)
    assert probing_directory(tmp_path).resolve() == (tmp_path / place).resolve()


def test_directory_without_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match="holds no file of SentEval's probing tasks.*tree_depth.txt"
    ):
        probing_directory(tmp_path)


def test_engine_is_told_the_parent_of_the_directory(tmp_path: Path) -> None:
    (tmp_path / "probing").mkdir()
    assert data_directory(tmp_path / "probing") == tmp_path.resolve()
    with pytest.raises(DataError, match="only in a directory called 'probing'"):
        data_directory(tmp_path)


def test_tasks_stand_in_the_order_of_senteval(tmp_path: Path) -> None:
    for task in ("Tense", "Length", "OddManOut"):
        write(tmp_path, GOOD, PROBING_FILES[task])
    assert tasks_in(tmp_path) == ["Length", "Tense", "OddManOut"]
    assert tasks_in(tmp_path, ["OddManOut", "Length"]) == ["Length", "OddManOut"]


def test_task_without_a_file_is_refused_with_those_there_are(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    with pytest.raises(DataError, match="no tree_depth.txt, the file of Depth; there are .*Tense"):
        tasks_in(tmp_path, ["Depth"])


def test_there_are_the_ten_tasks() -> None:
    assert len(PROBING_FILES) == len(set(PROBING_FILES.values())) == 10


def test_open_probing_sets_are_read_whole(shared_dir: Path) -> None:
    directory = probing_directory(shared_dir / "data" / "open")
    tasks = tasks_in(directory)
    assert len(tasks) == 7
    for task in tasks:
        data = read_probing_data(task, directory)
        lines = (directory / PROBING_FILES[task]).read_text(encoding="utf-8").splitlines()
        assert len(data.sentences) == len(lines)
        assert all(5 <= len(words) <= 28 for words in data.sentences)
