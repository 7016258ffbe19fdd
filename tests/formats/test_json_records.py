"""JSON arrays, read an element at a time."""

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hmtl.errors import DataError
from hmtl.formats import json_records
from hmtl.formats.json_records import read_records

VALUES = st.recursive(
    st.none() | st.integers() | st.text('a"\\\n]}é\U0001f600', max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("a\n", max_size=3), inner),
    max_leaves=8,
)
RECORDS = st.lists(st.dictionaries(st.sampled_from("ab"), VALUES, min_size=1), max_size=5)


@settings(max_examples=50)
@given(RECORDS, st.sampled_from([None, 2]), st.integers(1, 40))
def test_array_of_any_layout_is_read_as_if_at_once(
    records: list, indent: int | None, chunk: int
) -> None:
    text = json.dumps(records, indent=indent, ensure_ascii=False)
    with tempfile.NamedTemporaryFile() as file, pytest.MonkeyPatch.context() as patch:
        Path(file.name).write_text(text, encoding="utf-8", newline="")
        patch.setattr(json_records, "_CHUNK", chunk)
        read = list(read_records(Path(file.name)))
    assert [value for _, value in read] == records
    if indent is not None and records:
        starts = [n for n, line in enumerate(text.split("\n"), 1) if line == " " * indent + "{"]
        assert [line for line, _ in read] == starts


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        ('[\n{"a": 1},\n{"a": }\n]', 3, "is no JSON: Expecting value"),
        ('[\n{"a": 1}\n{"a": 2}\n]', 3, "expected ']' and found '{'"),
        ('[\n{"a": 1},\n', 3, "is no JSON: Expecting value"),
        ('[\n{"a": 1},\n{"a": "x', 3, "where it ends (is it cut short?)"),
        (
            '{"a": 1}\n{"a": [1, ',
            2,
            "where it ends (is it cut short?); expected one document a line",
        ),
        ('[\n{"a": 1}\n', 3, "it ends where ']' was expected. Is the file cut short?"),
        ("[]\n[]", 2, "something follows the end"),
        ('{"a": 1}\n{"a": ' + "[" * 100_000, 2, "is nested too deeply"),
        ('[\n{"a": ' + "[" * 100_000, 2, "is nested too deeply"),
        ('{"a": ' + "1" * 5000 + "}", 1, "is JSON that cannot be read"),
    ],
)
def test_malformed_json_is_an_error_with_its_line(
    tmp_path: Path, content: str, line: int, message: str
) -> None:
    path = tmp_path / "file.json"
    path.write_text(content)
    with pytest.raises(DataError) as caught:
        list(read_records(path))
    assert (caught.value.line, str(caught.value).startswith(f"{path}:{line}: ")) == (line, True)
    assert message in str(caught.value)


def test_lone_surrogates_are_replaced(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_text('[{"a": "\\ud83d x", "b": "\\ud83d\\ude00"}]')
    assert [value for _, value in read_records(path)] == [
        {"a": "\N{REPLACEMENT CHARACTER} x", "b": "\U0001f600"}
    ]
