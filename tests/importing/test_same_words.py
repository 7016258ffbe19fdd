"""Mentions of several types over the same words: which of them relations and clusters mean."""

import json
from pathlib import Path

import pytest

from hmtl.importing.resolution import BY_PLACE
from hmtl.importing.standoff import BARE, BARE_ALONE, NO_MEMBER, SAME_PLACE
from tests.importing.importing import run_import, written

LABELLED_SPAN = {
    "text": "Ada left Selby .",
    "spans": [[0, 3, "Span"], [9, 14, "GPE"], [4, 8, "Span"]],
    "relations": [[0, 1, "PHYS"]],
}
RECORD = {
    "text": "Harvard is in Boston . Bo left Harvard .",
    "spans": [[0, 7, "ORG"], [14, 20, "GPE"], [0, 7, "LOC"], [23, 25, "PER"], [31, 38, "LOC"]],
    "relations": [[2, 1, "IN"], [0, 2, "AT"], [3, 4, "LEFT"]],
    "clusters": [[2, 4, 0]],
}
RELATED = {("IN", "LOC", "GPE"), ("AT", "ORG", "LOC"), ("LEFT", "PER", "LOC")}


@pytest.mark.parametrize(
    "tool", ["char_jsonl", "label_studio", "prodigy", "doccano", "brat", "webanno", "cas"]
)
def test_relations_keep_their_mentions(tool: str, tmp_path: Path) -> None:
    if tool == "cas":
        pytest.importorskip("cassis")
    source, made, back = tmp_path / "one.jsonl", tmp_path / "made", tmp_path / "back"
    source.write_text(json.dumps(RECORD))
    tally = run_import("char_jsonl", source, made, "--split", "train", "--to", tool)
    # A cluster is one of places.
    assert tally.num_left_out == {("cluster members", SAME_PLACE): 1}
    assert tally.num_changed == {("cluster members", BY_PLACE): 1}
    run_import(tool, made, back, "--split", "train", "--to", "char_jsonl")
    (line,) = (back / "train.jsonl").read_text().splitlines()
    record = json.loads(line)
    label_of = {span["id"]: span["label"] for span in record["spans"]}
    assert {
        (each["label"], label_of[each["head"]], label_of[each["tail"]])
        for each in record["relations"]
    } == RELATED


@pytest.mark.parametrize("layout", ["like_conll", "dygie"])
def test_files_of_places_tell_how_many_they_cannot_tell_apart(layout: str, tmp_path: Path) -> None:
    source = tmp_path / "one.jsonl"
    source.write_text(json.dumps(RECORD))
    options = "--split", "train", "--to", layout
    tally = run_import("char_jsonl", source, tmp_path / "out", *options)
    # Bo's is between spans of one mention each.
    assert tally.num_changed["relations", BY_PLACE] == 2
    if layout == "like_conll":
        (document,) = written(tmp_path / "out")
        assert len(document.relations) == 3


def test_label_of_spans_that_are_no_mentions_is_told(tmp_path: Path) -> None:
    source = tmp_path / "one.jsonl"
    source.write_text(json.dumps(LABELLED_SPAN))
    tally = run_import("char_jsonl", source, tmp_path / "out", "--split", "train")
    assert tally.num_changed == {("mentions", BARE): 1}
    assert tally.num_left_out == {("mentions", BARE_ALONE): 1}


def test_name_over_the_words_of_a_mention_is_not_in_its_way(tmp_path: Path) -> None:
    record = {
        **RECORD,
        "spans": [[0, 7, "Name-ORG"], [14, 20, "GPE"], [0, 7, "ORG"]],
        "relations": [[2, 1, "IN"]],
        "clusters": [[2, 1]],
    }
    source = tmp_path / "one.jsonl"
    source.write_text(json.dumps(record))
    tally = run_import("char_jsonl", source, tmp_path / "out", "--split", "train")
    assert not tally.num_changed and not tally.num_left_out


@pytest.mark.parametrize("layout", ["label_studio", "prodigy", "doccano", "brat"])
def test_no_link_leads_from_a_span_to_itself(tmp_path: Path, layout: str) -> None:
    record = {**RECORD, "spans": [[0, 7, "ORG"], [0, 7, "ORG"], [14, 20, "GPE"]]}
    source = tmp_path / "one.jsonl"
    for clusters, lost, left in (([[0, 1, 2]], 1, 2), ([[0, 1]], 2, 0), ([[]], 0, 0)):
        source.write_text(json.dumps({**record, "relations": [], "clusters": clusters}))
        options = ("--split", "train", "--to", layout)
        target = tmp_path / f"{layout}-{lost}"
        tally = run_import("char_jsonl", source, target, *options)
        assert tally.lost("cluster members") == lost
        again = run_import(layout, target, tmp_path / f"again-{layout}-{lost}", *options)
        assert again.num_read["cluster members"] == left
    assert tally.num_left_out["clusters", NO_MEMBER] == 1
