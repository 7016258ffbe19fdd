"""Reading the texts to predict: each once, with its id; what is malformed, with its file and line."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmtl.errors import DataError
from hmtl.prediction import records
from hmtl.prediction.records import (
    JSON_LINES,
    LINES,
    TEXT,
    RawRecord,
    Record,
    check_inputs,
    parse,
    raw_records,
)


def read(*paths: Path, input_format: str | None = None) -> list[Record]:
    return [parse(raw, input_format) for raw in raw_records(paths, input_format)]


def test_a_file_is_one_text_named_after_it(tmp_path: Path) -> None:
    path = tmp_path / "news.txt"
    path.write_bytes("Ann\r\nmet Zoë.\n\nIt".encode())
    assert read(path) == [Record("news", "Ann\r\nmet Zoë.\n\nIt")]


def test_lines_are_texts_named_after_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "news.txt"
    path.write_bytes(b"Ann\tleft. \r\n\n  \nIt\xe2\x80\xa8rained.")
    assert read(path, input_format=LINES) == [
        Record("news:1", "Ann\tleft. "),
        Record("news:4", "It\u2028rained."),
    ]


def test_json_lines_keep_their_ids(tmp_path: Path) -> None:
    path = tmp_path / "news.jsonl"
    path.write_text(
        '{"text": "Ann left.", "id": "a/1", "more": 1}\n\n'
        '{"tokens": ["It", "rained"], "id": 7}\n'
        '{"tokens": [["It"], ["rained"]]}\n'
        '{"sentences": [["It"], []], "id": null}\n'
        '{"sentences": [["It"]], "doc_key": "dygie"}\n'
    )
    assert read(path) == [
        Record("a/1", "Ann left."),
        Record(7, None, [["It", "rained"]]),
        Record("news:4", None, [["It"], ["rained"]]),
        Record(None, None, [["It"], []]),
        Record("dygie", None, [["It"]]),
    ]


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "news.txt"
    path.write_text("Ann", encoding="utf-8-sig")
    assert read(path) == [Record("news", "Ann")]


def test_lone_surrogates_in_ids_are_replaced(tmp_path: Path) -> None:
    path = tmp_path / "news.jsonl"
    path.write_text('{"text": "", "id": ["\\ud800"]}')
    assert read(path) == [Record(["\ufffd"], "")]


# No text of ours holds NUL or a lone surrogate.
@given(st.lists(st.text(st.characters(exclude_characters="\0", codec="utf-8")), max_size=5))
def test_texts_of_json_lines_are_read_as_they_were_written(texts: list[str]) -> None:
    for text in texts:
        line = json.dumps({"text": text, "id": 1}).encode()
        assert parse(RawRecord(Path("x.jsonl"), 1, line), None) == Record(1, text)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ('"Ann"', "a JSON str, not an object"),
        ('[{"title": "Ann"}]', "--input-format docred reads"),
        ("{}", "a record with the keys"),
        ('{"txt": ""}', "['txt']"),
        ('{"text": "", "tokens": []}', "both text and tokens"),
        ('{"text": null}', "text is null"),
        ('{"tokens": "Ann"}', "malformed tokens"),
        ('{"tokens": ["Ann", 1]}', "malformed tokens"),
        ('{"sentences": ["Ann"]}', "malformed sentences"),
        ('{"sentences": [["Ann", ""]]}', "holds an empty token"),
    ],
)
def test_what_is_malformed_is_an_error_with_file_and_line(
    tmp_path: Path, line: str, message: str
) -> None:
    path = tmp_path / "news.jsonl"
    path.write_text('{"text": ""}\n\n' + line + "\n")
    with pytest.raises(DataError, match=re.escape(message)) as raised:
        read(path)
    assert str(raised.value).startswith(f"{path}:3: ")


def test_what_is_no_utf8_is_an_error_with_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "news.txt"
    path.write_bytes(b"Ann\n\xff\n")
    with pytest.raises(DataError, match=re.escape(f"{path}:2: no text in UTF-8")):
        read(path, input_format=LINES)


@pytest.mark.parametrize("input_format", [TEXT, LINES, JSON_LINES])
def test_a_text_too_long_for_memory_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, input_format: str
) -> None:
    monkeypatch.setattr(records, "MOST_BYTES", 10)
    path = tmp_path / "news"
    path.write_text("x" * 11)
    with pytest.raises(DataError, match="which would not fit in memory"):
        list(raw_records([path], input_format))


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        check_inputs([tmp_path / "news.txt"])
    with pytest.raises(DataError, match="is a directory"):
        check_inputs([tmp_path])
