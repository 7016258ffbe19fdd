"""DocRED's JSON comes in whole and goes out whole."""

import json
from pathlib import Path
from typing import Any

import pytest

from hmtl.errors import DataError
from hmtl.formats.annotated import Document, Entity, EntityRelation, Mention, Relation, Sentence
from hmtl.formats.docred import read_documents, to_json
from hmtl.formats.entities import entities_of, with_entities
from tests.importing.importing import run_import


def mention(sentence: int, begin: int, end: int, label: str = "PER") -> dict[str, Any]:
    return {"sent_id": sentence, "pos": [begin, end], "type": label, "name": "unread"}


WREN: dict[str, Any] = {
    "title": "Ada Wren (sailor)",
    "sents": [["Ada", "Wren", "left", "Selby", "."], [], ["She", "saw", " ", "Hull", "."]],
    "vertexSet": [
        [mention(2, 0, 1), mention(0, 0, 2), mention(0, 0, 2)],
        [mention(0, 3, 4, "LOC")],
        [mention(2, 3, 4, "LOC")],
    ],
    "labels": [
        {"h": 0, "t": 1, "r": "P19", "evidence": [0]},
        {"h": 0, "t": 2, "r": "P551", "evidence": [2, 0]},
        {"h": 2, "t": 1, "r": "P47"},
    ],
}


def written(path: Path, *documents: Any) -> Path:
    path.write_text(json.dumps(documents))
    return path


def normalized(content: dict[str, Any]) -> dict[str, Any]:
    """Without what Re-DocRED has beyond DocRED; names of mentions are their words."""
    vertices = [
        [
            {
                "name": " ".join(content["sents"][each["sent_id"]][slice(*each["pos"])]),
                **{key: each[key] for key in ("sent_id", "pos", "type")},
            }
            for each in mentions
        ]
        for mentions in content["vertexSet"]
    ]
    return {**content, "vertexSet": vertices}


def test_document_is_whole_beside_sentences_without_a_word(tmp_path: Path) -> None:
    (document,) = read_documents(written(tmp_path / "dev.json", WREN))
    assert document.name == document.title == "Ada Wren (sailor)"
    assert document.entities[0].spans == [(0, 1), (5, 5)]
    assert document.entity_relations == [
        EntityRelation("P19", 0, 1, (0,)),
        EntityRelation("P551", 0, 2, (1, 0)),
        EntityRelation("P47", 2, 1),
    ]
    back = to_json(document)
    assert back["sents"] == [WREN["sents"][0], ["She", "saw", "_", "Hull", "."]]
    assert [each["sent_id"] for each in back["vertexSet"][0]] == [1, 0, 0]
    assert [each["evidence"] for each in back["labels"]] == [[0], [1, 0], []]


def test_sample_comes_in_whole_and_goes_out_whole(shared_dir: Path, tmp_path: Path) -> None:
    source = shared_dir / "data" / "raw" / "redocred_original_sample.json"
    tally = run_import("docred", source, tmp_path / "out", "--split", "dev", "--to", "docred")
    assert not tally.num_left_out and not tally.num_changed
    assert tally.num_converted["relations of entities"] == 365
    # One sentence or several, with one mention or more.
    assert tally.num_converted["entities"] == 213
    back = json.loads((tmp_path / "out" / "dev.json").read_text())
    assert back == [normalized(each) for each in json.loads(source.read_text())]
    # What is written is read as the same again.
    again = [to_json(each) for each in read_documents(tmp_path / "out" / "dev.json")]
    assert again == back


def test_relations_across_sentences_stay_where_there_is_a_place_for_them(
    shared_dir: Path, tmp_path: Path
) -> None:
    source = shared_dir / "data" / "raw" / "redocred_original_sample.json"
    options = ("--split", "dev", "--to")
    columns = run_import("docred", source, tmp_path / "columns", *options, "like_conll")
    spans = run_import("docred", source, tmp_path / "spans", *options, "char_jsonl")
    assert columns.lost("relations of entities") == 206
    assert spans.lost("relations of entities") == spans.lost("relations") == 0
    assert spans.num_converted["relations"] == columns.num_converted["relations"] + 206


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"vertexSet": [[mention(0, 0, 2)], []]}, r"entity 1 \(in vertexSet.* one at least"),
        ({"labels": [{"h": 1, "t": 1, "r": "P1"}]}, r"label 0: h and t are both 1; expected two"),
        (
            {"labels": [WREN["labels"][0], {"h": 0, "t": 7, "r": "P1"}]},
            "label 1: it has h 0 and t 7; .*3 ent",
        ),
        ({"labels": [{"h": True, "t": 0, "r": "P1"}]}, "label 0: it has h true and t 0; "),
        (
            {"labels": [{"h": 0, "t": 1, "r": "P1", "evidence": [3]}]},
            "label 0: evidence holds 3; .* is 2",
        ),
        (
            {"labels": [{"h": 0, "t": 1, "r": "P1", "evidence": ["0"]}]},
            'label 0: evidence holds "0"; ',
        ),
        ({"labels": [{"h": 0, "t": 1}]}, "label 0: there is no r"),
    ],
)
def test_malformed_document_is_named_with_its_index(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    path = written(tmp_path / "dev.json", WREN, {**WREN, **change})
    with pytest.raises(DataError, match=rf"document 1 \(Ada Wren \(sailor\)\).*{message}"):
        list(read_documents(path))


def test_clusters_and_mentions_in_none_are_entities() -> None:
    mentions = [
        Mention(0, 1, "PER"),
        Mention(5, 5, "LOC"),
        Mention(3, 3, "ORG"),
        Mention(9, 9, "PER"),
    ]
    assert entities_of(mentions, [[(7, 7), (9, 9), (0, 1)], [(4, 4)]]) == [
        Entity((Mention(0, 1, "PER"), Mention(7, 7, "PER"), Mention(9, 9, "PER"))),
        Entity((Mention(3, 3, "ORG"),)),
        Entity((Mention(4, 4, ""),)),
        Entity((Mention(5, 5, "LOC"),)),
    ]


def test_relations_of_spans_are_those_of_their_entities_once() -> None:
    document = Document(
        "d",
        [Sentence(list("abcdef"))],
        mentions=[Mention(0, 0, "PER"), Mention(2, 2, "LOC"), Mention(4, 4, "PER")],
        relations=[
            Relation("in", (0, 0), (2, 2)),
            Relation("in", (4, 4), (2, 2)),
            Relation("is", (0, 0), (4, 4)),
            Relation("in", (2, 2), (5, 5)),
        ],
        clusters=[[(0, 0), (4, 4)]],
    )
    lifted = with_entities(document)
    assert [each.spans for each in lifted.entities] == [[(0, 0), (4, 4)], [(2, 2)], [(5, 5)]]
    assert lifted.entity_relations == [EntityRelation("in", 0, 1), EntityRelation("in", 1, 2)]
    assert with_entities(lifted) is lifted


def test_other_corpora_become_docred(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text(
        json.dumps(
            {
                "doc_key": "d",
                "sentences": [["Ada", "left", "."], ["She", "saw", "Hull", "."]],
                "ner": [[[0, 0, "PER"]], [[3, 3, "PER"], [5, 5, "LOC"]]],
                "relations": [[[0, 0, 5, 5, "visits"]], []],
                "clusters": [[[0, 0], [3, 3]], [[1, 3]]],
            }
        )
    )
    tally = run_import(
        "dygie", tmp_path / "in.jsonl", tmp_path / "out", "--split", "dev", "--to", "docred"
    )
    assert tally.lost("cluster members") == tally.lost("entities") == 1
    (back,) = json.loads((tmp_path / "out" / "dev.json").read_text())
    assert back["labels"] == [{"r": "visits", "h": 0, "t": 1, "evidence": []}]
    assert [[each["sent_id"] for each in mentions] for mentions in back["vertexSet"]] == [
        [0, 1],
        [1],
    ]
