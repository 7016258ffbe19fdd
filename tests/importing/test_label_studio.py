"""
Label Studio's exports.

The tasks are of the forms that Label Studio documents: its JSON export of a labelling configuration with
Labels and Relations over a Text ("data", "annotations" with "result", "was_cancelled", "ground_truth",
"completed_by"), and JSON-MIN (the data and each control by its name, a row for each annotation).
"""

import json
from pathlib import Path
from typing import Any

import pytest

from hmtl.errors import DataError
from hmtl.formats.annotated import Document, Mention, Relation
from hmtl.importing.tally import Tally
from tests.importing.importing import covered, run_import, written
from tests.importing.json_tools import documents_of, lines

TEXT = "Ada Wren left Selby .\nShe met Bo ."


def region(name: str, start: Any, end: int, *labels: str, text: str = "") -> dict[str, Any]:
    quote = text or (TEXT[start:end] if isinstance(start, int) else "")
    found = {"start": start, "end": end, "text": quote, "labels": list(labels)}
    control = {"from_name": "label", "to_name": "text", "type": "labels", "origin": "manual"}
    return {"value": found, "id": name, **control}


def relation(start: str, end: str, *labels: str, direction: str = "right") -> dict[str, Any]:
    ends = {"from_id": start, "to_id": end, "direction": direction}
    return {"type": "relation", **ends, "labels": list(labels)}


RESULT = [
    region("dQYtNS7c3K", 0, 8, "PER"),
    region("TBzm4", 14, 19, "GPE"),
    region("x1", 22, 25, "PER"),
    relation("dQYtNS7c3K", "TBzm4", "PHYS"),
    relation("x1", "dQYtNS7c3K", "Coref"),
]


def annotation(result: list[dict[str, Any]], who: Any = 1, **fields: Any) -> dict[str, Any]:
    status = {"was_cancelled": False, "ground_truth": False, "lead_time": 4.2}
    return {"id": 1001, "completed_by": who, "result": result, **status, **fields}


def task(*annotations: dict[str, Any], **data: Any) -> dict[str, Any]:
    fields = {"id": 1, "file_upload": "x.json", "project": 83, "predictions": []}
    return {**fields, "data": {"text": TEXT, **data}, "annotations": list(annotations)}


def read(*tasks: dict[str, Any]) -> Document:
    (document,) = documents_of("label_studio", json.dumps(tasks).encode())
    return document


def imported(tmp_path: Path, tasks: Any, *options: str) -> tuple[list[Document], Tally]:
    (tmp_path / "export.json").write_text(json.dumps(tasks, indent=1))
    options = ("--split", "train", "--tokens", "whitespace", *options)
    tally = run_import("label_studio", tmp_path / "export.json", tmp_path / "out", *options)
    return written(tmp_path / "out"), tally


def test_regions_relations_and_coreference() -> None:
    document = read(task(annotation(RESULT)))
    assert document.name == "1"
    assert covered(document) == [("PER", "Ada Wren"), ("GPE", "Selby"), ("PER", "She")]
    assert document.relations == [Relation("PHYS", (0, 1), (3, 3))]
    assert document.clusters == [[(5, 5), (0, 1)]]


def test_relation_that_points_left_is_turned() -> None:
    result = [*RESULT[:2], relation("dQYtNS7c3K", "TBzm4", "PHYS", direction="left")]
    assert read(task(annotation(result))).relations == [Relation("PHYS", (3, 3), (0, 1))]


def test_relation_of_both_directions_is_two(tmp_path: Path) -> None:
    result = [*RESULT[:2], relation("dQYtNS7c3K", "TBzm4", "PHYS", direction="bi")]
    (document,), tally = imported(tmp_path, [task(annotation(result))])
    assert document.relations == [
        Relation("PHYS", (0, 1), (3, 3)),
        Relation("PHYS", (3, 3), (0, 1)),
    ]
    assert tally.num_changed == {("relations", "go both ways, and became two"): 1}


def test_predictions_alone_are_told(tmp_path: Path) -> None:
    predicted = {**task(), "predictions": [annotation(RESULT)]}
    with pytest.raises(DataError, match="1 left out, has predictions alone, which no annotator"):
        imported(tmp_path, [predicted])


@pytest.mark.parametrize(
    ("place", "how"),
    [
        ((3, 11), "places counted the units of UTF-16"),
        ((2, 10), "places that quote no words are taken for characters, not for units of UTF-16"),
    ],
)
def test_places_without_quotes_are_in_units_where_words_say_so(
    tmp_path: Path, place: tuple[int, int], how: str
) -> None:
    found = region("a", *place, "PER")
    del found["value"]["text"]
    tasks = task(annotation([found]), text="\U0001f600 Ada Wren left .")
    (document,), tally = imported(tmp_path, [tasks])
    assert covered(document) == [("PER", "Ada Wren")]
    assert tally.num_changed == {("documents", how): 1}


def test_region_of_two_labels_is_two_mentions() -> None:
    document = read(task(annotation([region("a", 0, 8, "PER", "ARTIST")])))
    assert document.mentions == [Mention(0, 1, "PER"), Mention(0, 1, "ARTIST")]


def test_json_min_says_the_same_but_for_relations() -> None:
    row = {
        "text": TEXT,
        "id": 1,
        "label": [each["value"] for each in RESULT[:3]],
        "annotator": 1,
        "annotation_id": 1001,
        "created_at": "2021-03-09T22:16:08.728353Z",
        "lead_time": 4.2,
    }
    document = read(row)
    assert covered(document) == covered(read(task(annotation(RESULT))))


def test_annotators_of_json_min_are_those_of_one_task(tmp_path: Path) -> None:
    labels = [[], [each["value"] for each in RESULT[:1]]]
    rows = [
        {"text": TEXT, "id": 1, "label": each, "annotator": who, "annotation_id": who}
        for who, each in enumerate(labels)
    ]
    (document,), tally = imported(tmp_path, rows, "--annotators", "1")
    assert covered(document) == [("PER", "Ada Wren")]


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ("first", ["Ada Wren", "Selby"]),
        ("last", ["Ada Wren", "She"]),
        ("vote", ["Ada Wren", "She"]),
        ("2", ["Ada", "She"]),
        ("bo@example.org", ["Ada Wren", "She"]),
    ],
)
def test_several_annotators(tmp_path: Path, choice: str, words: list[str]) -> None:
    ada, selby, she = RESULT[:3]
    tasks = task(
        annotation([ada, selby]),
        annotation([region("a", 0, 3, "PER"), she], who=2),
        annotation([ada, she], who={"id": 3, "email": "bo@example.org"}),
        annotation([], who=4, was_cancelled=True),
    )
    (document,), tally = imported(tmp_path, [tasks], "--annotators", choice)
    assert [each for _, each in covered(document)] == words
    assert tally.num_left_out["annotations", "skipped by the annotator"] == 1
    others = tally.num_left_out["annotations", "of another annotator, or an earlier one"]
    outvoted = tally.num_left_out["mentions", "not marked by more than half of the annotators"]
    assert (others, outvoted) == ((0, 2) if choice == "vote" else (2, 0))


def test_ground_truth_counts_before_all(tmp_path: Path) -> None:
    tasks = task(annotation(RESULT), annotation(RESULT[:1], ground_truth=True))
    (document,), _ = imported(tmp_path, [tasks], "--annotators", "vote")
    assert covered(document) == [("PER", "Ada Wren")]


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    result = [
        region("a", 0, 8, "PER"),
        region("b", 0, 3),
        region("c", "/div[1]/text()[1]", 3, "PER"),
        {"id": "d", "type": "choices", "value": {"choices": ["news"]}},
        relation("a", "b", "PHYS"),
        relation("a", "a"),
    ]
    _, tally = imported(tmp_path, [task(annotation(result)), {**task(), "id": 2}])
    assert tally.num_left_out == {
        ("documents", "was not annotated"): 1,
        ("mentions", "has no label"): 1,
        ("regions of type labels", "no labelled stretch of plain text"): 1,
        ("regions of type choices", "no labelled stretch of plain text"): 1,
        ("relations", "has no label"): 1,
        ("relations", "one of its mentions was left out"): 1,
    }


@pytest.mark.parametrize(
    ("text", "place", "quote"),
    [
        ("\U0001f600 Ada Wren left .", (3, 11), "Ada Wren"),
        ("One .\r\nAda Wren left .", (6, 14), "Ada Wren"),
        ("One .\nAda Wren left .", (6, 14), "Ada Wren"),
        ("One Ada\nWren left .", (4, 12), "Ada\\nWren"),
    ],
    ids=["UTF-16", "CR LF as one", "as they stand", "line end written as backslash and n"],
)
def test_places_that_were_counted_otherwise_are_found_by_their_quotes(
    text: str, place: tuple[int, int], quote: str
) -> None:
    result = [region("a", *place, "PER", text=quote)]
    assert covered(read(task(annotation(result), text=text))) == [("PER", "Ada Wren")]


def test_quote_that_stands_elsewhere_is_left_out_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    result = [
        region("a", 0, 8, "PER"),
        region("b", 4, 8, "PER", text="Bo"),
        region("c", 90, 99, "P"),
    ]
    (document,), tally = imported(tmp_path, [task(annotation(result))])
    assert covered(document) == [("PER", "Ada Wren")]
    assert sum(tally.num_left_out.values()) == 2
    assert (
        "export.json:2: left out: b, from 4 to 8, quotes 'Bo', but there stands 'Wren'"
        in caplog.text
    )


def test_text_under_another_name_is_found_or_asked_for(tmp_path: Path) -> None:
    tasks = {**task(annotation([])), "data": {"article": TEXT, "title": "News"}}
    (document,), _ = imported(tmp_path, [tasks], "--text-field", "article")
    assert document.words[:2] == ["Ada", "Wren"]
    with pytest.raises(DataError, match="data has no string text.*--text-field.*article, title"):
        read(tasks)


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        ([{"data": 3, "annotations": []}], "data is 3; expected an object"),
        ([task(annotation({}))], "result is {}; expected a list"),  # type: ignore[arg-type]
        ([task(3)], "annotations holds 3; expected objects"),  # type: ignore[arg-type]
        ([task(annotation(RESULT[:1] * 2))], 'two regions of the id "dQYtNS7c3K"'),
        ([task(annotation([region("a", 0, 8, 3)]))], "labels is"),  # type: ignore[arg-type]
        ([3], "3 is no object"),
    ],
)
def test_malformed_task_is_an_error_with_its_line(tasks: Any, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        documents_of("label_studio", json.dumps(tasks).encode())
    assert caught.value.line == 1


def test_tasks_as_json_lines_are_read_too() -> None:
    assert len(documents_of("label_studio", lines(task(annotation(RESULT))))) == 1
