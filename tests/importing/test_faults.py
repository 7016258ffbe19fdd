"""Faults of several records or files are told in one message."""

import json
from pathlib import Path
from typing import Any

import pytest

from hmtl.errors import DataError
from hmtl.importing.faults import MOST
from tests.importing import test_char_jsonl, test_doccano, test_label_studio, test_prodigy
from tests.importing.importing import run_import
from tests.importing.test_webanno import SPANS, tsv

TASK = test_label_studio.task(test_label_studio.annotation([]))
DYGIE = {"doc_key": "a", "sentences": [["a"]], "ner": [[]]}


@pytest.mark.parametrize("options", [(), ("--split", "train"), ("--split-by", "labels")])
@pytest.mark.parametrize(
    ("format_name", "good", "bad"),
    [
        ("char_jsonl", test_char_jsonl.SHORT, {"text": 3}),
        ("doccano", test_doccano.RELATIONS, {"text": "a"}),
        ("label_studio", TASK, {**TASK, "data": 3}),
        ("prodigy", test_prodigy.TASK, {**test_prodigy.TASK, "text": 3}),
        ("dygie", DYGIE, {**DYGIE, "ner": 3}),
    ],
)
def test_all_bad_lines_are_told_at_once(
    tmp_path: Path, format_name: str, good: Any, bad: Any, options: tuple[str, ...]
) -> None:
    source = tmp_path / "in.jsonl"
    records = [json.dumps(each) for each in (good, bad, good, bad)]
    source.write_text("\n".join([*records, "[]", records[0]]))
    with pytest.raises(DataError) as caught:
        run_import(format_name, source, tmp_path / "out", *options)
    first, *told = str(caught.value).splitlines()
    assert first == "3 faults:"
    found = [line.removeprefix(f"{source}:").partition(":")[0] for line in told]
    assert found == ["2", "4", "5"]
    assert not (tmp_path / "out").exists()


def test_no_more_than_so_many_are_told(tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text("{\n" * (MOST + 9))
    with pytest.raises(DataError) as caught:
        run_import("char_jsonl", source, tmp_path / "out")
    assert str(caught.value).count("is no JSON") == MOST
    assert str(caught.value).startswith(f"{MOST} faults, and maybe more:\n{source}:1: ")


def test_bad_files_are_told_at_once(tmp_path: Path) -> None:
    for name in "abc":
        content = tsv(f"She ran {name}", SPANS).replace("4-7", "x" if name != "b" else "4-7")
        (tmp_path / f"{name}.tsv").write_text(content)
        (tmp_path / f"{name}.txt").write_text(name)
        (tmp_path / f"{name}.ann").write_text("x\n" if name != "b" else "")
    for format_name, suffix in (("webanno", ".tsv"), ("brat", ".ann")):
        with pytest.raises(DataError) as caught:
            run_import(format_name, tmp_path, tmp_path / "out")
        first, *told = str(caught.value).splitlines()
        assert first == "2 faults:"
        assert [line.partition(suffix)[0] for line in told] == [f"{tmp_path}/a", f"{tmp_path}/c"]
