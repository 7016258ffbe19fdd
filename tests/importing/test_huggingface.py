"""Data sets of Hugging Face's library: `huggingface/` holds what datasets 5.2.0 wrote (synthetic texts)."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hmtl.errors import DataError
from hmtl.formats import conll2012
from hmtl.formats.annotated import Document, Mention
from hmtl.formats.tags import spans_to_tags
from hmtl.importing.tally import Tally
from tests.importing.importing import covered, run_import

pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

FILES = Path(__file__).parent / "huggingface"
NAMES = ["O", "B-PER", "I-PER"]


def read(directory: Path) -> list[Document]:
    """The training data of a corpus in CoNLL-2012."""
    files = sorted((directory / "ner" / "train").rglob("*.gold_conll"))
    return [document for file in files for document in conll2012.read_documents(file)]


def imported(source: Path, tmp_path: Path, *options: str) -> tuple[list[Document], Tally]:
    options = ("--split", "train", "--to", "conll2012", *options)
    tally = run_import("huggingface", source, tmp_path / "out", *options)
    return read(tmp_path / "out"), tally


def lines(tmp_path: Path, *rows: Any) -> Path:
    path = tmp_path / "in.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize("source", ["saved/train", "york.parquet"])
def test_files_of_the_library_are_read(tmp_path: Path, source: str) -> None:
    (document,), _ = imported(FILES / source, tmp_path)
    assert document.words[:3] == ["Ada", "Wren", "left"]
    assert document.names == [Mention(0, 1, "PER"), Mention(3, 3, "LOC")]


def test_splits_are_those_of_the_data_set(tmp_path: Path) -> None:
    run_import("huggingface", FILES / "saved", tmp_path / "out")
    texts = {
        split: (tmp_path / "out" / f"{split}.txt").read_text() for split in ("train", "dev", "test")
    }
    assert [name in texts[split] for split, name in zip(texts, ("Selby", "Hull", "Leeds"))] == [
        True
    ] * 3


@pytest.mark.parametrize(
    ("tags", "options", "names"),
    [
        (["B-A", "I-A", "O"], [], [("A", "a b")]),
        (["S-A", "O", "S-B"], [], [("A", "a"), ("B", "c")]),
        (["A", "A", "B"], ["--scheme", "IO"], [("A", "a b"), ("B", "c")]),
        ([1, 2, 0], ["--label-names", "O,B-A,I-A"], [("A", "a b")]),
        ([1, 1, 0], ["--label-names", "O,A"], [("A", "a b")]),
    ],
)
def test_tags_are_strings_or_numbers_of_any_scheme(
    tmp_path: Path, tags: list[Any], options: list[str], names: list[tuple[str, str]]
) -> None:
    source = lines(tmp_path, {"words": ["a", "b", "c"], "labels": tags})
    (document,), _ = imported(source, tmp_path, *options)
    assert covered(document) == names


def test_rows_become_documents(tmp_path: Path) -> None:
    rows = [
        {"doc_id": name, "w": [name, str(i)], "t": ["B-X", "O"]}
        for i, name in enumerate(["a", "a", "b"])
    ]
    source = lines(tmp_path, *rows, {"doc_id": "b", "w": [], "t": []})
    documents, tally = imported(source, tmp_path, "--word", "w", "--tag", "t")
    assert [(document.name, document.words) for document in documents] == [
        ("a", ["a", "0", "a", "1"]),
        ("b", ["b", "2"]),
    ]
    assert documents[0].names == [Mention(0, 0, "X"), Mention(2, 2, "X")]
    assert tally.num_left_out == {("sentences", "holds no word"): 1}


def test_rows_are_cut_into_documents(tmp_path: Path) -> None:
    source = lines(tmp_path, *[{"tokens": ["a"], "tags": ["O"]}] * 5)
    documents, _ = imported(source, tmp_path, "--sentences-per-document", "2")
    assert [len(document.sentences) for document in documents] == [2, 2, 1]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"text": "a"}, r"in\.jsonl: there is no column tokens or words .* which it is of text"),
        ({"tokens": ["a"]}, r"no column ner_tags or tags .*; say with --tag which it is of tokens"),
        ({"tokens": "a", "tags": []}, r':1: tokens is "a"; expected a list of strings'),
        (
            {"tokens": ["a"], "tags": []},
            r":1: tags has 0 values; expected one for each of the 1 tokens",
        ),
        ({"tokens": ["a"], "tags": [3]}, r":1: tags holds .*: 3, .* --label-names O,B-PER"),
        ({"tokens": ["a"], "tags": ["A"]}, r":1: tags holds what is no tag: unknown BIO tag 'A'"),
        (
            {"tokens": ["a"], "tags": [None]},
            r":1: tags holds what is no tag: null; expected strings",
        ),
        (3, r":1: 3 is no object"),
    ],
)
def test_malformed_row_is_an_error_with_its_line(tmp_path: Path, row: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        imported(lines(tmp_path, row), tmp_path)


def test_number_without_a_name_is_an_error_with_its_row(tmp_path: Path) -> None:
    table = pyarrow.table({"tokens": [["a"], ["b"]], "tags": [[0], [9]]})
    parquet.write_table(table, tmp_path / "in.parquet")
    with pytest.raises(
        DataError, match=r"in\.parquet: row 2: tags holds .*: 9, and there are 3 names"
    ):
        imported(tmp_path / "in.parquet", tmp_path, "--label-names", ",".join(NAMES))


def test_package_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.ipc", None)
    with pytest.raises(DataError, match=r"install it with: pip install 'hmtl\[huggingface\]'"):
        imported(FILES / "york.parquet", tmp_path)


SENTENCES = st.lists(
    st.lists(
        st.tuples(st.text("aB7é(*)|.😀", min_size=1, max_size=4), st.sampled_from(NAMES)),
        min_size=1,
        max_size=5,
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=25)
@given(SENTENCES, st.sampled_from(["parquet", "arrow", "file.arrow", "jsonl"]))
def test_all_kinds_of_files_hold_the_same(rows: list[list[tuple[str, str]]], suffix: str) -> None:
    words = [[word for word, _ in row] for row in rows]
    numbers = [[NAMES.index(tag) for _, tag in row] for row in rows]
    table = pyarrow.table({"tokens": words, "tags": numbers})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"in.{suffix}")
        if suffix == "parquet":
            parquet.write_table(table, path, row_group_size=2)
        elif suffix == "jsonl":
            path.write_text("".join(json.dumps(row) + "\n" for row in table.to_pylist()))
        else:
            make = pyarrow.ipc.new_file if suffix.startswith("file") else pyarrow.ipc.new_stream
            with make(str(path), table.schema) as writer:
                writer.write_table(table, max_chunksize=2)
        options = ("--label-names", ",".join(NAMES), "--sentences-per-document", "9")
        (document,), _ = imported(path, Path(folder), *options)
    assert [sentence.words for sentence in document.sentences] == words
    spans = [(mention.span, mention.type) for mention in document.names]
    tags = spans_to_tags([(label, span) for span, label in spans], document.num_words, "BIO")
    expected = [tag for row in rows for tag in _repaired([tag for _, tag in row])]
    assert tags == expected


def _repaired(tags: list[str]) -> list[str]:
    """Tags in which each name begins with B-."""
    return [
        "B-PER" if tag == "I-PER" and (not i or tags[i - 1] == "O") else tag
        for i, tag in enumerate(tags)
    ]


@settings(max_examples=60)
@given(
    st.sampled_from(["york.parquet", "saved/train/data-00000-of-00001.arrow"]),
    st.floats(0, 1),
    st.integers(0, 8),
    st.binary(max_size=6),
)
def test_whatever_stands_in_a_file_is_read_or_refused(
    name: str, share: float, cut: int, put: bytes
) -> None:
    content = (FILES / name).read_bytes()
    place = int(share * len(content))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "in" + Path(name).suffix)
        path.write_bytes(content[:place] + put + content[place + cut :])
        try:
            imported(path, Path(folder), "--label-names", "O,B-A,I-A,B-B")
        except DataError as error:
            assert "in." in str(error)
