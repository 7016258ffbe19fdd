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


def test_bad_sentences_and_rows_are_told_at_once(tmp_path: Path) -> None:
    rows = [{"tokens": ["a"], "ner_tags": ["O"]}, {"tokens": ["a"]}, {"tokens": 3}, 3]
    good, bad = "1\ta" + "\t_" * 8, "1\ta" + "\t_" * 7
    never_closed = f"{good[:-1]}Entity=(e1-x"
    heading = "# global.Entity = eid-etype\n# newdoc id = {}\n"
    documents = [
        heading.format(name) + row for name, row in zip("abcd", [good, bad, never_closed, good])
    ]
    for format_name, name, content, expected in (
        ("conll2003", "a.conll", "a O\n\nb\nb x\n\nc B-X\nd\n\ne x\nf O\n", [4, 7, 9]),
        ("conllu", "a.conllu", "\n\n".join([*documents, f"2{good[1:]}"]), [7, 11, 17]),
        ("huggingface", "a.jsonl", "\n".join(map(json.dumps, rows)), [2, 3, 4]),
    ):
        (tmp_path / name).write_text(f"{content}\n")
        with pytest.raises(DataError) as caught:
            run_import(format_name, tmp_path / name, tmp_path / "out")
        _, *told = str(caught.value).splitlines()
        found = [int(line.removeprefix(f"{tmp_path / name}:").partition(":")[0]) for line in told]
        assert found == expected, format_name


def test_bad_documents_are_told_at_once(tmp_path: Path) -> None:
    good = {"title": "a", "sents": [["a", "b"]], "vertexSet": []}
    records = [good, {"title": 3}, good, {**good, "sents": "a"}, {**good, "vertexSet": [[]]}]
    lines = [json.dumps(record) for record in records]
    for content in ("\n".join(lines), "[" + ",\n".join(lines) + "]"):
        (tmp_path / "a.json").write_text(content)
        with pytest.raises(DataError) as caught:
            run_import("docred", tmp_path / "a.json", tmp_path / "out")
        _, *told = str(caught.value).splitlines()
        assert [line.split(":")[1] for line in told] == ["2", "4", "5"]


@pytest.mark.parametrize(
    ("format_name", "row"), [("like_conll", "{} a * -"), ("conll2012", "d 0 {} a" + " -" * 9)]
)
def test_one_fault_of_each_document_is_told(tmp_path: Path, format_name: str, row: str) -> None:
    good, bad = row.format(0), row.format("x")
    # The next line is no second fault, since it may follow from the first.
    documents = [
        [good],
        [good, "", bad, bad],
        [f"{good[:-1]}(1"],
        ["# note", "", good],
        [good, "#begin document (e)", bad, "#end document"],
        [good],
        [bad],
    ]
    lines = [line for rows in documents for line in ("#begin document (d)", *rows, "#end document")]
    source = tmp_path / f"a.{format_name}"
    source.write_text("\n".join(lines))
    with pytest.raises(DataError) as caught:
        run_import(format_name, source, tmp_path / "out")
    _, *told = str(caught.value).splitlines()
    assert [int(line.removeprefix(f"{source}:").partition(":")[0]) for line in told] == [
        7,
        11,
        14,
        20,
        28,
    ]
    assert not (tmp_path / "out").exists()
