"""Where no document is left, the message says why."""

import json
from pathlib import Path
from typing import Any

import pytest

from hmtl.errors import DataError
from tests.importing import test_label_studio, test_prodigy
from tests.importing.importing import run_import
from tests.importing.test_webanno import SPANS, tsv

TASK = test_label_studio.task(test_label_studio.annotation([]))


@pytest.mark.parametrize("division", [(), ("--split", "train"), ("--split-by", "labels")])
@pytest.mark.parametrize(
    ("format_name", "record", "options", "message"),
    [
        ("label_studio", TASK, ("--annotators", "7"), "1 left out, not annotated by 7, but by 1"),
        ("label_studio", {**TASK, "annotations": []}, (), "1 left out, was not annotated"),
        ("prodigy", {**test_prodigy.TASK, "answer": "reject"}, (), "answered with 'reject'"),
        ("char_jsonl", None, (), "in.jsonl: holds no document$"),
        ("huggingface", None, (), "in.jsonl: holds no row$"),
        ("dygie", None, (), "in.jsonl: holds no document$"),
    ],
)
def test_reason_is_told(
    tmp_path: Path,
    format_name: str,
    record: Any,
    options: tuple[str, ...],
    message: str,
    division: tuple[str, ...],
) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text("" if record is None else json.dumps(record) + "\n")
    with pytest.raises(DataError, match=message):
        run_import(format_name, source, tmp_path / "out", *options, *division)


def test_texts_without_a_word_are_no_corpus(tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text(json.dumps({"text": " "}) + "\n")
    with pytest.raises(DataError, match="1 left out, holds no word"):
        run_import("char_jsonl", source, tmp_path / "out", "--split", "train")
    assert not (tmp_path / "out").exists()


def test_annotator_of_files_that_is_not_there(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / "in" / name).mkdir(parents=True)
        (tmp_path / "in" / name / "me.tsv").write_text(tsv("She ran", SPANS))
        (tmp_path / "in" / name / "me.txt").write_text("She ran")
        (tmp_path / "in" / name / "me.ann").write_text("T1\tX 0 3\tShe\n")
    for format_name in ("webanno", "brat"):
        with pytest.raises(DataError, match="1 left out, not annotated by d, but by a, b, c"):
            run_import(format_name, tmp_path / "in", tmp_path / "out", "--annotators", "d")
