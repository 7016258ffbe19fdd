"""JSON lines with places of characters."""

import json
from pathlib import Path
from typing import Any

import pytest

from hmtl.errors import DataError
from hmtl.formats.annotated import Document, Mention, Relation
from tests.importing.importing import covered, run_import, written
from tests.importing.json_tools import documents_of, lines
from tests.running import REPOSITORY

TEXT = "Ada Wren left Selby .\nShe met Bo ."
SPANS = [(0, 8, "PER"), (14, 19, "GPE"), (22, 25, "PER")]
SHORT = {
    "id": "one",
    "text": TEXT,
    "spans": SPANS,
    "relations": [[0, 1, "PHYS"]],
    "clusters": [[0, 2]],
}


def read(**changes: Any) -> Document:
    (document,) = documents_of("char_jsonl", lines({**SHORT, **changes}))
    return document


def test_short_form_of_any_script() -> None:
    document = read()
    assert document.name == "one"
    assert covered(document) == [("PER", "Ada Wren"), ("GPE", "Selby"), ("PER", "She")]
    assert document.relations == [Relation("PHYS", (0, 1), (3, 3))]
    assert document.clusters == [[(0, 1), (5, 5)]]


def test_long_form_says_the_same() -> None:
    spans = [
        {"id": name, "start": start, "end": end, "label": label, "text": TEXT[start:end]}
        for name, (start, end, label) in zip("abc", SPANS)
    ]
    relation = {"head": "a", "tail": "b", "label": "PHYS"}
    assert read(spans=spans, relations=[relation], clusters=[["a", "c"]]) == read()


def test_text_alone_is_enough() -> None:
    (document,) = documents_of("char_jsonl", lines({"text": "Ada left ."}))
    assert (document.name, document.words, document.mentions) == (
        "file:1",
        ["Ada", "left", "."],
        [],
    )


def test_pieces_make_a_discontinuous_span() -> None:
    span = {"start": 0, "end": 13, "label": "PER", "pieces": [[0, 3], [9, 13]]}
    document = read(spans=[span], relations=[], clusters=[])
    assert document.mentions == [Mention(0, 2, "PER")]
    assert document.pieces == {(0, 2): ((0, 0), (2, 2))}
    alone = {"label": "PER", "pieces": [[0, 3], [9, 13]]}
    assert read(spans=[alone], relations=[], clusters=[]) == document


def test_given_words_are_kept() -> None:
    sentences = [[[0, 8], [9, 13]], [[14, 19], [20, 21], [22, 25]]]
    document = read(sentences=sentences)
    assert [sentence.words for sentence in document.sentences] == [
        ["Ada Wren", "left"],
        ["Selby", ".", "She"],
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"text": 3}, "text is 3; expected a string"),
        ({"spans": {}}, "spans is {}; expected a list"),
        ({"spans": [[0, 3]]}, r"spans holds \[0, 3\]; expected \[start, end, label\]"),
        ({"spans": [[0, 99, "A"]]}, "begins at 0 and ends at 99; expected two of the 34 charac"),
        ({"spans": [[3, 0, "A"]]}, "begins at 3 and ends at 0"),
        ({"spans": [[0, True, "A"]]}, "begins at 0 and ends at true"),
        ({"spans": [[0, 3, ""]]}, 'has the label ""; expected a string'),
        ({"spans": [{"start": 0, "end": 3, "label": "A", "text": "Bo"}]}, 'covers "Ada". Places'),
        ({"spans": [{"id": 1, "start": 0, "end": 3, "label": "A"}] * 2}, "expected one that no"),
        ({"spans": [{"start": 0, "end": 3, "label": "A", "pieces": [[0, 2]]}]}, "the first to"),
        ({"relations": [[0, 9, "A"]]}, "9 names a span, but there is none"),
        ({"relations": [[0, [], "A"]]}, r"\[\] names a span, but there is none"),
        ({"clusters": [0]}, "clusters holds 0; expected lists of spans"),
        ({"sentences": [[[4, 8], [0, 3]]]}, "has a word from 0 to 3; expected words in the order"),
    ],
)
def test_malformed_record_is_an_error_with_its_line(changes: Any, message: str) -> None:
    content = lines(SHORT) + lines({**SHORT, **changes})
    with pytest.raises(DataError, match=message) as caught:
        documents_of("char_jsonl", content)
    assert caught.value.line == 2


def test_file_becomes_a_corpus_and_two_texts_of_one_id_stay_apart(tmp_path: Path) -> None:
    records = [SHORT, {**SHORT, "text": TEXT + " Yes ."}, SHORT]
    (tmp_path / "mine.jsonl").write_bytes(lines(*records))
    tally = run_import("char_jsonl", tmp_path / "mine.jsonl", tmp_path / "out", "--split", "train")
    assert [document.name for document in written(tmp_path / "out")] == ["one", "one.2"]
    assert tally.num_left_out == {
        ("documents", "has the id and the text of one that came before"): 1
    }


def test_split_of_files_is_kept(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for split in ("train", "dev", "test"):
        record = {**SHORT, "id": split}
        (tmp_path / "in" / f"{split}.jsonl").write_bytes(lines(record))
    run_import("char_jsonl", tmp_path / "in", tmp_path / "out")
    assert [document.name for document in written(tmp_path / "out", "dev")] == ["dev"]


def test_schema_holds_the_example_and_what_is_written(tmp_path: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((REPOSITORY / "docs" / "char_jsonl.schema.json").read_text())
    jsonschema.validate(json.loads(lines(SHORT)), schema)
    (tmp_path / "mine.jsonl").write_bytes(lines(SHORT))
    options = "--split", "train", "--to", "char_jsonl"
    run_import("char_jsonl", tmp_path / "mine.jsonl", tmp_path / "out", *options)
    jsonschema.validate(json.loads((tmp_path / "out" / "train.jsonl").read_text()), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**SHORT, "spans": [[0, "3", "A"]]}, schema)


def test_fields_that_the_format_has_not_are_counted(tmp_path: Path) -> None:
    record = {"id": 1, "text": "Ada left.", "spans": [[0, 3, "PER"]], "cluster": [[0]], "meta": {}}
    (tmp_path / "a.jsonl").write_text(json.dumps(record))
    tally = run_import("char_jsonl", tmp_path / "a.jsonl", tmp_path / "out", "--split", "train")
    told = {key: count for key, count in tally.num_left_out.items() if key[0] == "fields"}
    assert told == {("fields", "'cluster' is none of this format's: misspelt?"): 1}
