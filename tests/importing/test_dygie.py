"""JSON lines of SciERC and DyGIE++."""

import json
from pathlib import Path
from typing import Any

import pytest

from hmtl.errors import DataError
from hmtl.formats.annotated import Mention, Relation
from tests.importing.importing import run_import, written

DOCUMENT = {
    "doc_key": "one",
    "dataset": "unread",
    "sentences": [["Wrens", "sing", "songs"], ["They", "fly", "."]],
    "ner": [[[0, 0, "Bird"], [2, 2, "Song"]], [[3, 3, "Bird"]]],
    "relations": [[[0, 0, 2, 2, "Makes"]], []],
    "clusters": [[[0, 0], [3, 3]]],
}


def corpus(directory: Path, *documents: Any) -> Path:
    path = directory / "train.json"
    path.write_text("".join(json.dumps(document) + "\n" for document in documents))
    return path


def test_mentions_relations_and_clusters_are_read(tmp_path: Path) -> None:
    run_import("dygie", corpus(tmp_path, DOCUMENT), tmp_path / "out", "--split", "train")
    (document,) = written(tmp_path / "out")
    assert document.mentions == [
        Mention(0, 0, "Bird"),
        Mention(2, 2, "Song"),
        Mention(3, 3, "Bird"),
    ]
    assert document.relations == [Relation("Makes", (0, 0), (2, 2))]
    assert document.clusters == [[(0, 0), (3, 3)]]


def test_predictions_are_read_on_request_and_their_scores_passed_over(tmp_path: Path) -> None:
    predicted = {
        **DOCUMENT,
        "predicted_ner": [[[1, 1, "Deed", 9.5, 0.98]], []],
        "predicted_relations": [[], [[3, 3, 4, 4, "Does", 4.2, 0.7]]],
        "predicted_clusters": [[[0, 0], [1, 1]]],
    }
    source = corpus(tmp_path, predicted)
    run_import("dygie", source, tmp_path / "out", "--split", "train", "--predicted")
    (document,) = written(tmp_path / "out")
    assert document.mentions == [Mention(1, 1, "Deed")]
    assert document.relations == [Relation("Does", (3, 3), (4, 4))]
    assert document.clusters == [[(0, 0), (1, 1)]]


FROM_SENTENCES = {
    "ner": [[[0, 0, "Bird"]], [[0, 0, "Bird"], [1, 1, "Deed"]]],
    "relations": [[], [[0, 0, 1, 1, "Does"]]],
}


def test_spans_counted_from_each_sentence_are_read_on_request(tmp_path: Path) -> None:
    source = corpus(tmp_path, {**DOCUMENT, **FROM_SENTENCES})
    run_import("dygie", source, tmp_path / "out", "--split", "train", "--counted-from", "sentence")
    (document,) = written(tmp_path / "out")
    assert document.mentions == [
        Mention(0, 0, "Bird"),
        Mention(3, 3, "Bird"),
        Mention(4, 4, "Deed"),
    ]
    assert document.relations == [Relation("Does", (3, 3), (4, 4))]


def test_spans_from_sentences_are_checked_against_the_sentence(tmp_path: Path) -> None:
    source = corpus(tmp_path, DOCUMENT)
    with pytest.raises(
        DataError, match=r"has the span \[3, 3\]; expected two of the 3 tokens of sen"
    ):
        run_import("dygie", source, tmp_path / "out", "--counted-from", "sentence")


@pytest.mark.parametrize(
    ("change", "options", "reason"),
    [
        ({"ner": [[[2, 3, "Bird"]], []]}, (), "crosses the end of a sentence"),
        ({"relations": [[[0, 0, 5, 5, "Makes"]], []]}, (), "its arguments stand in two sentences"),
        (
            {"relations": [[], [[3, 3, 1, 1, "Makes"]]]},
            ("--counted-from", "document"),
            "its arguments stand in two sentences",
        ),
    ],
)
def test_what_reaches_over_sentences_is_left_out(
    tmp_path: Path, change: dict[str, Any], options: tuple[str, ...], reason: str
) -> None:
    source = corpus(tmp_path, {**DOCUMENT, "clusters": [], **change})
    tally = run_import("dygie", source, tmp_path / "out", "--split", "train", *options)
    assert [why for _, why in tally.num_left_out] == [reason]


@pytest.mark.parametrize(
    ("field", "options", "remedy"),
    [
        ("predicted_ner", (), "there is predicted_ner, but none of ner, .* add --predicted"),
        (
            "ner",
            ("--predicted",),
            "there is ner, but none of predicted_ner, .* leave --predicted out",
        ),
    ],
)
def test_predictions_are_not_taken_for_annotation_nor_for_none(
    tmp_path: Path, field: str, options: tuple[str, ...], remedy: str
) -> None:
    document = {**{key: DOCUMENT[key] for key in ("doc_key", "sentences")}, field: DOCUMENT["ner"]}
    with pytest.raises(DataError, match=remedy):
        run_import("dygie", corpus(tmp_path, document), tmp_path / "out", *options)


def test_events_are_counted_as_left_out(tmp_path: Path) -> None:
    with_events = {**DOCUMENT, "events": [[[[1, "Sing"], [0, 0, "Agent"]]], []]}
    tally = run_import("dygie", corpus(tmp_path, with_events), tmp_path / "out", "--split", "train")
    assert tally.num_left_out == {("events", "nothing is learned from them"): 1}


def test_documents_may_stand_in_an_array(tmp_path: Path) -> None:
    path = tmp_path / "train.json"
    path.write_text(json.dumps([DOCUMENT, {**DOCUMENT, "doc_key": "two"}], indent=1))
    run_import("dygie", path, tmp_path / "out", "--split", "train")
    assert [document.name for document in written(tmp_path / "out")] == ["one", "two"]


def test_documents_of_one_name_are_told_apart(tmp_path: Path) -> None:
    tally = run_import(
        "dygie", corpus(tmp_path, DOCUMENT, DOCUMENT), tmp_path / "out", "--split", "train"
    )
    assert [document.name for document in written(tmp_path / "out")] == ["one", "one.2"]
    assert sum(tally.num_changed.values()) == 1


def test_files_named_after_splits_are_those_splits(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("train", "dev", "test"):
        content = {**DOCUMENT, "doc_key": f"of-{name}"}
        (tmp_path / "in" / f"{name}.jsonl").write_text(json.dumps(content))
    run_import("dygie", tmp_path / "in", tmp_path / "out")
    for name in ("train", "dev", "test"):
        assert [document.name for document in written(tmp_path / "out", name)] == [f"of-{name}"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ner": [[[0, 9, "Bird"]], []]}, r"train\.json:1: ner has the span \[0, 9\]"),
        ({"ner": [[[2, 1, "Bird"]], []]}, r"the first before the last"),
        ({"ner": [[[0, "Bird"]], []]}, "expected 2 numbers and a type"),
        ({"ner": [[0, 0, "Bird"]]}, r'ner holds \[0, 0, "Bird"\] where the list of a sentence'),
        ({"ner": [[7], []]}, "ner holds 7; expected 2 numbers and a type, as "),
        ({"ner": [[[4, 6, "Bird"]], []]}, "Does it end behind its last token"),
        ({"ner": [[[4, 60, "Bird"]], []]}, "Are these characters"),
        ({"relations": [[[0, 0, 2, "Makes"]], []]}, "expected 4 numbers and a type"),
        ({"clusters": [[[0, True]]]}, r"clusters has the span \[0, true\]"),
        ({"clusters": [[0, 3]]}, r"clusters has the span \[0\]"),
        ({"doc_key": 7}, 'doc_key is 7; expected a string, as "7"'),
        ({"ner": [[], [], []]}, "ner has 3 lists, and there are 2 sentences"),
        (
            {"ner": [[], [[0, 0, "Bird"]]]},
            "in the list of sentence 1 .*add --counted-from sentence",
        ),
        (
            {"relations": [[], [[0, 0, 1, 1, "Makes"]]]},
            "which has the tokens 3 to 5 of the document",
        ),
        ({"sentences": None}, "sentences holds no word"),
    ],
)
def test_malformed_document_is_an_error_with_its_line(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        run_import(
            "dygie", corpus(tmp_path, {**DOCUMENT, **change}), tmp_path / "out", "--split", "train"
        )


def test_line_that_is_no_json_is_an_error(tmp_path: Path) -> None:
    path = corpus(tmp_path, DOCUMENT)
    path.write_text(path.read_text() + "{oops\n")
    with pytest.raises(DataError, match=r"train\.json:2: is no JSON.*one document a line"):
        run_import("dygie", path, tmp_path / "out", "--split", "train")
