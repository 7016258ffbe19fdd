"""Whatever is changed in a file, it is read, with all accounted for, or named."""

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hmtl.errors import DataError
from tests.importing.importing import TEXT_IN_LINES, run_import
from tests.importing.test_docred import WREN

DYGIE = {
    "doc_key": "a",
    "sentences": [["Ada", "Wren"], ["She"]],
    "ner": [[[0, 1, "PER"]], [[2, 2, "PER"]]],
    "relations": [[[0, 1, 0, 0, "R"]], []],
    "clusters": [[[0, 1], [2, 2]]],
}
TEXT = b"Ada Wren left. She ran.\n"
# By format the name of a file, and what stands in it.
FILES = {
    "brat": (
        "a.ann",
        b"T1\tPER 0 8\tAda Wren\nT2\tPER 15 18\tShe\nR1\tX Arg1:T1 Arg2:T2\n*\tEquiv T1 T2\n",
    ),
    "conll2003": (
        "a.conll",
        b"-DOCSTART- -X- O\n\nAda N B-PER\nWren N I-PER\n\nShe P B-PER\nran V O\n",
    ),
    "docred": ("a.json", json.dumps([WREN], indent=1).encode()),
    "dygie": ("a.jsonl", json.dumps(DYGIE).encode()),
}
PARTS = [
    b"",
    b"\n",
    b"\t",
    b"\0",
    b"\r",
    b"\xff",
    b'"',
    b"(",
    b"-1",
    b"99",
    b"1.5",
    b"null",
    b"{",
    b"]",
    b"B-",
]


@pytest.mark.parametrize("format_name", FILES)
@settings(max_examples=30)
@given(st.data())
def test_whatever_is_changed_is_read_or_named(format_name: str, data: st.DataObject) -> None:
    name, content = FILES[format_name]
    for _ in range(data.draw(st.integers(1, 3))):
        begin = data.draw(st.integers(0, len(content)))
        end = begin + data.draw(st.integers(0, 4))
        content = content[:begin] + data.draw(st.sampled_from(PARTS)) + content[end:]
    options = TEXT_IN_LINES if format_name == "brat" else ()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "in").mkdir()
        Path(folder, "in", name).write_bytes(content)
        if format_name == "brat":
            Path(folder, "in", "a.txt").write_bytes(TEXT)
        try:
            run_import(
                format_name, Path(folder, "in"), Path(folder, "out"), "--split", "dev", *options
            )
        except DataError as error:
            assert str(folder) in str(error)
