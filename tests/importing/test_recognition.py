"""What files seem to be, and the command that reads them."""

from __future__ import annotations

import gzip
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hmtl.importing.recognition import kind_of, look_at
from hmtl.importing.registry import FORMATS
from hmtl.importing.splits import SPLITS
from tests.importing.test_conllu import conllu
from tests.running import Scripts

DATA = Path(__file__).parent / "huggingface"
COLUMNS = "Ada B-PER\nleft O\n\nShe O\n"
EXAMPLES: dict[str, Any] = {
    "a.apf.xml": ("ace2005", '<?xml version="1.0"?>\n<source_file URI="a">'),
    "a.ann": ("brat", "T1\tPER 0 3\tAda\n"),
    "a.xmi": ("cas", '<xmi:XMI xmlns:xmi="http://www.omg.org/XMI"/>'),
    "b.json": ("cas", {"%TYPES": {}, "%FEATURE_STRUCTURES": []}),
    "a.gold_conll": ("conll2012", "#begin document (a); part 000\na 0 0 Ada NNP * - - - - * -\n"),
    "a.conll": ("conll2003", COLUMNS),
    "b.conll": ("conll2003", "-DOCSTART- -X- O O\n\nAda NNP B-NP B-PER\nleft VBD O O\n"),
    "a.conllu": ("conllu", conllu("a b:(e1-x-1)")),
    "docred.json": ("docred", [{"title": "a", "sents": [["a"]], "vertexSet": []}]),
    "dygie.json": ("dygie", {"doc_key": "a", "sentences": [["a"]], "ner": [[]]}),
    "hf.jsonl": ("huggingface", {"tokens": ["a"], "ner_tags": [0]}),
    "a.like_conll": ("like_conll", "#begin document (a); part 000\n0 Ada (PER) -\n"),
    "a.onf": ("ontonotes", "----\nPlain sentence:\n"),
    "a.tsv": ("webanno", "#FORMAT=WebAnno TSV 3.3\n\n\n#Text=a\n1-1\t0-1\ta\t\n"),
    "ls.json": ("label_studio", [{"data": {"text": "a"}, "annotations": [{"result": []}]}]),
    "p.jsonl": ("prodigy", {"text": "a", "_input_hash": 1, "spans": [], "answer": "accept"}),
    "d.jsonl": ("doccano", {"text": "a", "label": [[0, 1, "A"]]}),
    "c.jsonl": ("char_jsonl", {"text": "a", "spans": [[0, 1, "A"]]}),
    "objects.jsonl": (
        "char_jsonl",
        {
            "text": "a",
            "spans": [{"id": "x", "start": 0, "end": 1, "label": "A"}],
            "relations": [{"head": "x", "tail": "x", "label": "R"}],
        },
    ),
    "texts.jsonl": ("char_jsonl", '{"id": "a", "text": "a"}\n{"id": "b", "text": "b"}\n'),
    "unlabelled.jsonl": (
        "doccano",
        '{"id": 1, "text": "a"}\n{"id": 2, "text": "b", "label": []}\n',
    ),
    "texts.json": ("char_jsonl", [{"text": "a"}]),
    "one_docred.json": ("docred", {"title": "a", "sents": [["a"]], "vertexSet": []}),
    "empty.json": ("JSON without a record", []),
    "long.jsonl": ("doccano", {"text": "a " * 2**15, "label": [[0, 1, "A"]]}),
    "late.jsonl": ("char_jsonl", {"spans": [[0, 1, "A"]], "text": '\\" }' * 2**15}),
    "predicted.json": ("label_studio", {"data": {"text": "a"}, "predictions": []}),
    "manual.jsonl": (
        "prodigy",
        {"text": "a", "spans": [{"start": 0, "end": 1, "token_start": 0, "label": "A"}]},
    ),
    "none.jsonl": (
        "JSON with the fields who, what: bring it into the form of char_jsonl",
        {"who": 1, "what": 2},
    ),
    "answers.jsonl": (
        "what `hmtl predict` answers: with --output-format char_jsonl",
        {"text": "a", "tokenized_text": ["a"], "tokens": [], "sentences": [[0, 0]], "tasks": {}},
    ),
    "old.tsv": ("an older WebAnno TSV: export", "#id=1\n#text=a\n1\ta\t_\n"),
    "no_key.json": ("DyGIE++'s JSON without doc_key", {"sentences": [["a"]], "ner": [[]]}),
    "spacy2.json": ("training data of spaCy 2", [{"paragraphs": [{"raw": "a", "sentences": []}]}]),
    "table.csv": ("a table", "who,what\na,b\n"),
    "a.txt": ("plain text without annotations", "Ada left.\n"),
    "x.xml": ("XML of <TEI>", "<TEI><text/></TEI>"),
}


def written(path: Path, content: Any) -> Path:
    text = content if isinstance(content, str) else json.dumps(content)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", EXAMPLES)
def test_kinds_are_told_by_their_content(tmp_path: Path, name: str) -> None:
    expected, content = EXAMPLES[name]
    found = kind_of(written(tmp_path / name, content))
    assert found is not None and found.startswith(expected)


def test_an_example_of_each_format_is_told() -> None:
    assert set(FORMATS) - {what for what, _ in EXAMPLES.values()} == {"docbin"}


def test_bytes_are_told(tmp_path: Path) -> None:
    assert kind_of(DATA / "york.parquet") == "huggingface"
    assert kind_of(DATA / "saved" / "train" / "data-00000-of-00001.arrow") == "huggingface"
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"a"))
    assert "packed by gzip" in (kind_of(tmp_path / "a.gz") or "")
    (tmp_path / "a.txt").write_bytes("Zoë war hier, und niemand sonst".encode("latin-1"))
    assert "not in UTF-8" in (kind_of(tmp_path / "a.txt") or "")


def test_a_long_file_may_be_cut_inside_a_character(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("é" * 2**16 + "a", encoding="utf-8")
    assert "plain text" in (kind_of(tmp_path / "a.txt") or "")


def test_files_that_go_with_others_are_not_told(tmp_path: Path) -> None:
    for name, content in (
        ("a.txt", "Ada"),
        ("a.ann", "T1\tPER 0 3\tAda\n"),
        ("b.txt", "x"),
        ("b.ann", ""),
    ):
        written(tmp_path / name, content)
    (found,) = look_at(tmp_path)
    assert (found.what, [file.name for file in found.files]) == ("brat", ["a.ann"])


def test_command_is_told_for_the_folder_of_each_format(run_script: Scripts, tmp_path: Path) -> None:
    for folder, name in (("my columns", "a.conll"), ("my columns", "b.conll"), ("more", "c.jsonl")):
        (tmp_path / folder).mkdir(exist_ok=True)
        written(tmp_path / folder / name, EXAMPLES[name][1])
    written(tmp_path / "README", "About this corpus.\n")
    finished = run_script("hmtl import", tmp_path)
    assert finished.out.splitlines() == [
        f"2 files of conll2003, as {tmp_path}/my columns/a.conll",
        f"  hmtl import conll2003 '{tmp_path}/my columns' OUT",
        f"1 file of char_jsonl, as {tmp_path}/more/c.jsonl",
        f"  hmtl import char_jsonl {tmp_path}/more OUT",
        f"1 file, as {tmp_path}/README: plain text without annotations: `hmtl predict` finds some in it",
    ]


def test_commands_that_are_told_work(run_script: Scripts, tmp_path: Path) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    for name in ("d", "c"):
        content = {f"{name}{number}": EXAMPLES[f"{name}.jsonl"][1] for number in range(3)}
        records = [json.dumps({"id": key, **each}) for key, each in content.items()]
        (folder / f"{name}.jsonl").write_text("\n".join(records))
        written(folder / f"{name}.txt", "A note.")
    written(folder / "empty.jsonl", "")
    told = run_script("hmtl import", folder).out.splitlines()
    commands = [line.split() for line in told if line.startswith("  hmtl import ")]
    assert [command[2:] for command in commands] == [
        ["char_jsonl", f"{folder}/c.jsonl", "OUT"],
        ["doccano", f"{folder}/d.jsonl", "OUT"],
    ]
    for _, _, format_name, source, _ in commands:
        target = tmp_path / format_name
        assert run_script("hmtl import", format_name, source, target).code == 0
        # A training needs each.
        assert all((target / split).is_dir() for split in SPLITS)
    written(folder / "d2.jsonl", EXAMPLES["d.jsonl"][1])
    told = run_script("hmtl import", folder).out.splitlines()
    assert told[1:4] == [
        f"  hmtl import doccano {folder}/d.jsonl OUT1",
        f"  hmtl import doccano {folder}/d2.jsonl OUT2",
        "  or put these files into a folder of their own, and import that",
    ]


def test_a_folder_is_told_only_where_its_importer_reads_no_other_file(
    run_script: Scripts, tmp_path: Path
) -> None:
    task = {"data": {"text": "Ada left."}, "annotations": []}
    written(tmp_path / "a.json", json.dumps([task]))
    written(tmp_path / "b.jsonl", EXAMPLES["d.jsonl"][1])
    written(tmp_path / "c.conll", "Ada B-PER\nleft O\n")
    written(tmp_path / "readme.txt", "A note.")
    told = run_script("hmtl import", tmp_path).out.splitlines()
    commands = {line.split()[2]: line.split()[3] for line in told if line.startswith("  hmtl")}
    assert commands == {
        "label_studio": f"{tmp_path}/a.json",
        "doccano": f"{tmp_path}/b.jsonl",
        "conll2003": f"{tmp_path}/c.conll",
    }


def test_files_that_no_format_fits_are_an_error_that_helps(
    run_script: Scripts, tmp_path: Path
) -> None:
    finished = run_script("hmtl import", written(tmp_path / "a.csv", "who,what\na,b\n"))
    assert finished.code == 1
    assert "none of the formats seems to fit; docs/corpora.md has the formats" in finished.error
    assert "a table: bring it into the form of char_jsonl" in finished.error


@settings(max_examples=100)
@given(st.binary(max_size=60) | st.text('{[<#"a:]}>\t\n0-_*(', max_size=40).map(str.encode))
def test_whatever_stands_in_a_file_is_told(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a")
        path.write_bytes(content)
        assert kind_of(path)
