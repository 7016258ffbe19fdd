"""Labelled texts: tables, and the files of SentEval."""

from pathlib import Path
from typing import Any

import pytest
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Instance

from hmtl.errors import DataError


def read(path: Path, content: str, **block: Any) -> list[Instance]:
    path.write_text(content, encoding="utf-8")
    reader = DatasetReader.from_params(Params({"type": "text_table", **block}))
    return list(reader.read(str(path)))


def content_of(instance: Instance) -> tuple[list[str], list[str], str]:
    metadata: Any = instance["metadata"]
    words, labels, source = (metadata[key] for key in ("words", "labels", "source"))
    return words, labels, Path(source).name


FOOD = (["Ann", "eats", "soup", "."], ["food"])
SPORT = (["Bob", "does", "n't", "run"], ["sport"])


@pytest.mark.parametrize(
    "name, content, lines, block",
    [
        ("a.tsv", "label\ttext\nfood\tAnn eats soup.\n\nsport\tBob doesn't run\n", (2, 4), {}),
        (
            "a.tsv",
            "1\tfood\tAnn eats soup.\n2\tsport\tBob doesn't run\n",
            (1, 2),
            {"text": 3, "label": 2},
        ),
        ("a.csv", '"label","text"\nfood,"Ann eats\nsoup."\n\nsport,Bob doesn\'t run\n', (2, 5), {}),
        (
            "a.txt",
            '\ufefftext,label\n"Ann eats soup.",food\nBob doesn\'t run,sport\n',
            (2, 3),
            {"format": "csv"},
        ),
        (
            "a.jsonl",
            '{"text": "Ann eats soup.", "label": "food"}\n\n'
            '{"label": "sport", "text": ["Bob", "does", "n\'t", "run"]}\n',
            (1, 3),
            {},
        ),
    ],
)
def test_tables_are_read(
    tmp_path: Path, name: str, content: str, lines: tuple[int, int], block: dict[str, Any]
) -> None:
    found = [content_of(each) for each in read(tmp_path / name, content, **block)]
    assert found == [(*FOOD, f"{name}:{lines[0]}"), (*SPORT, f"{name}:{lines[1]}")]


def test_several_labels_of_a_text(tmp_path: Path) -> None:
    content = "text\tlabel\na b\tx; y;x\nc\t\n"
    found = read(tmp_path / "a.tsv", content, label_separator=";", tokenized=True)
    assert [content_of(each)[:2] for each in found] == [(["a", "b"], ["x", "y"]), (["c"], [])]
    assert [each["labels"].labels for each in found] == [["x", "y"], []]  # type: ignore[attr-defined]
    content = '{"text": "a b", "label": ["x", 2]}\n'
    (instance,) = read(tmp_path / "a.jsonl", content, label_separator=";")
    assert content_of(instance)[1] == ["x", "2"]


def test_a_cell_may_be_longer_than_the_limit_of_a_csv_reader(tmp_path: Path) -> None:
    (instance,) = read(tmp_path / "a.csv", "text,label\n" + "a " * 100_000 + ",x\n", tokenized=True)
    assert len(content_of(instance)[0]) == 100_000


@pytest.mark.parametrize(
    "name, content, message",
    [
        (
            "a.csv",
            "id,text,label\n1,a,x\n2,b\n",
            r"a.csv:3: the row has 2 cells; expected 3, as the header \(line 1\): id, text, label",
        ),
        (
            "a.csv",
            'text,label\na,x\n"b,x\n',
            r"a.csv:3: the row that begins here is no CSV: unexpected end of data",
        ),
        (
            "a.tsv",
            "text\tlable\na\tx\n",
            r"a.tsv:1: the header has no column 'label'; it has 'text', 'lable'",
        ),
        ("a.tsv", "text\tlabel\n \tx\n", r"a.tsv:2: the text \(column 'text'\) is empty"),
        ("a.tsv", "text\tlabel\na\t \n", r"a.tsv:2: the label \(column 'label'\) is empty"),
        ("a.tsv", "text\tlabel\n", r"a.tsv: nothing here to learn from"),
        ("a.tsv", "", r"a.tsv: nothing here to learn from"),
        ("a.tsv", "text\tlabel\na\tx\tb\n", r"a.tsv:2: the row has 3 cells; expected 2"),
        ("a.jsonl", "[1]\n", r"a.jsonl:1: \[1\] is no object"),
        ("a.jsonl", '{"text": "a"}\n', r"a.jsonl:1: the object has no 'label'; it has 'text'"),
        (
            "a.jsonl",
            '{"text": "a", "label": ["x"]}\n',
            r"a.jsonl:1: the label .* is the list \[\"x\"\]; .*label_separator",
        ),
        (
            "a.jsonl",
            '{"text": 3, "label": "x"}\n',
            r"a.jsonl:1: the text \(column 'text'\) is 3; expected a string",
        ),
        (
            "a.jsonl",
            '{"text": "a", "label": null}\n',
            r"a.jsonl:1: the label .* is null; expected a string",
        ),
        ("a.jsonl", "{\n", r"a.jsonl:1: is no JSON: .*; expected one object a line"),
        ("a.xlsx", "text\tlabel\na\tx\n", r"a.xlsx: its name does not tell its format"),
    ],
)
def test_bad_rows_are_named(tmp_path: Path, name: str, content: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(tmp_path / name, content)


def test_a_table_without_a_header_needs_the_columns(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="a.tsv:1: the row has 2 cells; expected at least 3"):
        read(tmp_path / "a.tsv", "a\tx\n", text=1, label=3)


@pytest.mark.parametrize(
    "block, message",
    [
        ({"text": 1}, "name both columns, or number both"),
        ({"text": 0, "label": 1}, "text is 0; columns are counted from 1"),
        ({"format": "xls"}, "format is 'xls'; choose one of tsv, csv, jsonl"),
        ({"label_separator": ""}, "label_separator is empty"),
    ],
)
def test_unfit_columns_are_refused(block: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        DatasetReader.from_params(Params({"type": "text_table", **block}))


SENTEVAL = "tr\tPAST\tShe left .\nva\tPRES\tx\tHe 's in\nte\tPAST\tIt rained\n"


@pytest.mark.parametrize(
    "partition, expected",
    [
        ("train", (["She", "left", "."], ["PAST"], "a.txt:1")),
        ("va", (["He", "'s", "in"], ["PRES"], "a.txt:2")),
    ],
)
def test_a_partition_of_senteval(tmp_path: Path, partition: str, expected: Any) -> None:
    path = tmp_path / "a.txt"
    path.write_text(SENTEVAL)
    reader = DatasetReader.from_params(Params({"type": "senteval", "partition": partition}))
    assert [content_of(each) for each in reader.read(str(path))] == [expected]


def test_a_partition_that_there_is_not_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="partition is 'dave'"):
        DatasetReader.from_params(Params({"type": "senteval", "partition": "dave"}))
