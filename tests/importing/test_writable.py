"""What JSON can hold and no file of text can is replaced at the door, counted, and read back."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hmtl.formats.annotated import Document, Mention, Relation, Sentence
from hmtl.formats.json_lines import REPLACED, writable
from hmtl.importing import corpus_writer
from hmtl.importing.layouts import LAYOUTS
from hmtl.importing.tally import Tally
from tests.importing.importing import run_import
from tests.importing.json_tools import lines

# By layout the format that reads it, where that is another.
READ_AS = {"doccano_spans": "doccano"}


@settings(max_examples=200)
@given(st.text('\0\ud800\udc00\\u0a"', max_size=12))
def test_only_what_no_text_holds_is_replaced(text: str) -> None:
    wanted = json.loads(json.dumps(text))  # pairs of surrogates are one character
    counts: list[int] = []
    found = writable([wanted], json.dumps([text]), counts.append)
    assert found == [
        "".join("\ufffd" if c == "\0" or "\ud800" <= c <= "\udfff" else c for c in wanted)
    ]
    assert sum(counts) == sum(c != d for c, d in zip(wanted, found[0]))


@pytest.mark.parametrize("layout", [name for name in LAYOUTS if name != "cas"])
def test_whatever_is_imported_is_read_again(layout: str, tmp_path: Path) -> None:
    records = []
    for number, odd in enumerate(
        (*"\0\ud800\x01\x1c\x85\u2028\r\n\t\\|[]#_\ufeff\U0001f600", "\0\0", "\r\n", "-DOCSTART-")
    ):
        text = f"Ada {odd} ran. It b{odd}b. {odd}"
        spans = [[0, 3, f"P{odd}"], [0, 4 + len(odd), "P"], [5 + len(odd), 8 + len(odd), f"{odd}Q"]]
        records.append(
            {"id": f"x{odd}{number}", "text": text, "spans": spans, "clusters": [[0, 1, 2]]}
        )
    (tmp_path / "in.jsonl").write_bytes(lines(*records))
    options = ["--split", "train", "--to"]
    run_import("char_jsonl", tmp_path / "in.jsonl", tmp_path / "out", *options, layout)
    again = READ_AS.get(layout, layout)
    tally = run_import(again, tmp_path / "out", tmp_path / "again", *options, "char_jsonl")
    assert tally.num_converted["documents"] == len(records)


def test_what_is_replaced_is_counted(tmp_path: Path) -> None:
    record = {"id": "a\0", "text": "Ada \ud800 ran\0.", "spans": [[0, 3, "P\0"]]}
    (tmp_path / "in.jsonl").write_text(json.dumps(record))
    tally = run_import("char_jsonl", tmp_path / "in.jsonl", tmp_path / "out", "--split", "train")
    assert tally.num_changed["characters", REPLACED] == 4
    assert "Ada" in (tmp_path / "out" / "train" / "train_00.like_conll").read_text()


def test_documents_of_binary_files_pass_the_same_door() -> None:
    tally = Tally()
    document = Document("a", [Sentence(["A\0", "ran"])], names=[Mention(0, 0, "P\0")])
    document.relations = [Relation("r", (0, 0), (1, 1))]
    plain = corpus_writer.writable(document, tally)
    assert plain.words == ["A\ufffd", "ran"]
    assert [name.type for name in plain.names] == ["P\ufffd"]
    assert plain.relations == document.relations
    assert tally.num_changed["characters", REPLACED] == 2
    assert corpus_writer.writable(plain, tally) is plain


def test_long_names_and_names_of_files_become_paths(tmp_path: Path) -> None:
    names = ["é" * 300, "é" * 299 + "/b", "a", "a.txt/b", "a.ann/c", "..", "/etc/x", ""]
    records = [{"id": name, "text": f"Ada ran {n}."} for n, name in enumerate(names)]
    (tmp_path / "in.jsonl").write_bytes(lines(*records))
    for layout in ("brat", "conll2012"):
        target = tmp_path / layout
        run_import("char_jsonl", tmp_path / "in.jsonl", target, "--split", "train", "--to", layout)
        again = tmp_path / f"{layout}-again"
        tally = run_import(layout, target, again, "--split", "train", "--to", "char_jsonl")
        assert tally.num_converted["documents"] == len(names)
