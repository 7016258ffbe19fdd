"""Which documents are for training, development and test."""

import argparse
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmtl.errors import DataError
from hmtl.importing import splits
from hmtl.importing.splits import DEV, TEST, TRAIN, Splits

NAMES = [f"doc{number:02d}" for number in range(40)]


def options(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    splits.add_arguments(parser)
    return parser.parse_args(arguments)


def lists(directory: Path, **names: str) -> Path:
    directory.mkdir()
    for split, content in names.items():
        (directory / f"{split}.txt").write_text(content)
    return directory


@given(st.sets(st.text(max_size=8), min_size=3, max_size=60))
def test_digests_give_each_split_its_share_whatever_the_order(names: set[str]) -> None:
    division = splits.by_digest(sorted(names))
    assert division == splits.by_digest(sorted(names, reverse=True))
    sizes = {split: list(division.values()).count(split) for split in (TRAIN, DEV, TEST)}
    assert sizes[DEV] == sizes[TEST] == max(1, len(names) // 10)
    assert sizes[TRAIN] == len(names) - 2 * sizes[DEV] > 0


def test_digests_are_those_of_every_machine() -> None:
    division = splits.by_digest(NAMES)
    assert [name for name in NAMES if division[name] == TEST] == [
        "doc16",
        "doc25",
        "doc26",
        "doc38",
    ]


def test_added_documents_move_few_others() -> None:
    before, after = splits.by_digest(NAMES), splits.by_digest([*NAMES, "another", "more"])
    assert sum(before[name] != after[name] for name in NAMES) <= 2


def test_two_documents_cannot_be_divided() -> None:
    with pytest.raises(DataError, match="2 document.*--split"):
        splits.by_digest(["a", "b", "a"])


@pytest.mark.parametrize(
    ("listed", "name"),
    [
        ("doc", "doc"),
        ("doc.sgm", "doc"),
        ("nw/timex2norm/doc.apf.xml", "doc"),
        ("./nw/doc", "nw/doc"),
        ("bc/cctv/00/cctv_0000", "bc/cctv/00/cctv_0000"),
        ("bc/cctv/00/cctv_0000.v4_gold_conll", "bc/cctv/00/cctv_0000"),
    ],
)
def test_lists_name_documents_as_corpora_do(tmp_path: Path, listed: str, name: str) -> None:
    directory = lists(tmp_path / "lists", train="other\n", test=f"{listed}\n\n")
    division = splits.choose(options("--split-lists", str(directory)), list)
    assert division.split_of(name) == TEST
    assert division.split_of("unlisted") is None


def test_whole_names_in_lists_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    directory = lists(tmp_path / "lists", train="a/doc\n", dev="b/doc\n")
    split_of = splits.read_lists(directory)
    assert [split_of(name) for name in ("a/doc", "b/doc", "c/doc")] == [TRAIN, DEV, None]


def test_document_in_two_lists_is_an_error(tmp_path: Path) -> None:
    directory = lists(tmp_path / "lists", train="one\ntwo\n", dev="three\ntwo\n")
    with pytest.raises(DataError, match=r"train\.txt:2: 'two' is in the list of dev already"):
        splits.read_lists(directory)


def test_folder_without_lists_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"expected files train\.txt, dev\.txt, test\.txt"):
        splits.read_lists(tmp_path)


def test_option_comes_before_the_sources_own_division() -> None:
    division = splits.choose(options("--split", "dev"), list, {"a": TRAIN})
    assert division.split_of("a") == DEV


def test_sources_own_division_comes_before_digests() -> None:
    own = splits.by_folders(["train/a", "devel/b", "test/c"])
    assert splits.choose(options(), list, own).split_of("devel/b") == DEV


@pytest.mark.parametrize("names", [["train/a", "b"], ["test/a", "dev/b"], ["a", "b"]])
def test_folders_divide_only_if_all_tell_a_split_and_one_is_for_training(names: list[str]) -> None:
    assert splits.by_folders(names) == {}


def test_folders_of_splits_leave_the_names_unless_two_would_be_one() -> None:
    assert splits.without_folders(["train/a", "dev/b"]) == {"train/a": "a", "dev/b": "b"}
    assert splits.without_folders(["train/a", "dev/a"]) == {"train/a": "train/a", "dev/a": "dev/a"}


def test_shared_documents_are_those_trained_on_and_scored() -> None:
    first = Splits({"a": TRAIN, "b": DEV, "c": TEST, "d": TRAIN}.get, "")
    second = Splits({"a": TEST, "b": TRAIN, "c": DEV, "d": TRAIN}.get, "")
    assert splits.shared_between(first, second, "abcd") == ["a", "b"]
