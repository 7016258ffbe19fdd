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


@given(
    st.lists(
        st.dictionaries(st.tuples(st.just("names"), st.sampled_from("ABC")), st.integers(1, 9)),
        min_size=3,
        max_size=40,
    )
)
def test_labels_divide_like_digests_do_in_number(found: list[dict[tuple[str, str], int]]) -> None:
    labels = {f"doc{number:02d}": each for number, each in enumerate(found)}
    division = splits.by_labels(labels)
    assert division == splits.by_labels(dict(reversed(labels.items())))
    digests = splits.by_digest(labels)
    for split in (TRAIN, DEV, TEST):
        assert list(division.values()).count(split) == list(digests.values()).count(split)


def test_labels_are_shared_out() -> None:
    labels = {
        name: {("names", "common"): 9, ("names", "rare"): 1}
        if number < 10
        else {("names", "common"): 9}
        for number, name in enumerate(NAMES)
    }
    division = splits.by_labels(labels)
    rare = [division[name] for name in NAMES[:10]]
    assert {split: rare.count(split) for split in (TRAIN, DEV, TEST)} == {TRAIN: 8, DEV: 1, TEST: 1}


@pytest.mark.parametrize("how", ["hash", "labels"])
def test_a_division_anew_leaves_that_of_the_source(how: str) -> None:
    own = dict.fromkeys(NAMES, TRAIN)
    division = splits.choose(options("--split-by", how), lambda: NAMES, own)
    assert division.split_of(NAMES[0]) == (None if how == "labels" else TRAIN)
    assert (division.of_labels is not None) == (how == "labels")


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
    split_of = splits.read_lists(directory).split_of
    assert [split_of(name) for name in ("a/doc", "b/doc", "c/doc")] == [TRAIN, DEV, None]


def test_names_in_lists_that_no_document_has_are_found(tmp_path: Path) -> None:
    directory = lists(tmp_path / "lists", train="a/doc\nb/c.sgm\n", dev="typo\nd\n")
    division = splits.read_lists(directory)
    assert splits.not_found(division.listed, ["doc.apf.xml", "b/c", "x/d", "e"]) == ["typo"]


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
