"""DocRED: entities of a document become mentions and clusters, its relations those of sentences."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmtl.errors import DataError
from hmtl.formats.annotated import Relation
from hmtl.importing.docred import closest_pairs, document_name
from tests.importing.importing import covered, run_import, written


def mention(sentence: int, begin: int, end: int, label: str = "PER") -> dict[str, Any]:
    return {"sent_id": sentence, "pos": [begin, end], "type": label, "name": "unread"}


WREN = {
    "title": "Ada Wren (sailor)",
    "sents": [["Ada", "Wren", "left", "Selby", "."], ["Wren", "saw", "Selby", "and", "Wren", "."]],
    "vertexSet": [
        [mention(0, 0, 2), mention(1, 0, 1), mention(1, 4, 5)],
        [mention(0, 3, 4, "LOC"), mention(1, 2, 3, "LOC")],
    ],
    "labels": [{"h": 0, "t": 1, "r": "P19", "evidence": [0]}],
}


def corpus(directory: Path, *documents: Any) -> Path:
    path = directory / "dev.json"
    path.write_text(json.dumps(documents))
    return path


def test_relation_is_placed_between_the_closest_mentions_of_each_sentence(tmp_path: Path) -> None:
    run_import("docred", corpus(tmp_path, WREN), tmp_path / "out", "--split", "dev")
    (document,) = written(tmp_path / "out", "dev")
    # In the second sentence both mentions of Wren are two words from Selby: the first is taken.
    assert document.relations == [Relation("P19", (0, 1), (3, 3)), Relation("P19", (5, 5), (7, 7))]
    assert document.clusters == [[(0, 1), (5, 5), (9, 9)], [(3, 3), (7, 7)]]
    assert document.name == "dev/000-Ada-Wren-sailor"


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("(What?) Ever", "dev/007-What-Ever"),
        # Cut after blanks and marks at its ends were taken off.
        (
            "...A very long title of a document in 40 x",
            "dev/007-A-very-long-title-of-a-document-in-40-x",
        ),
        (
            "A very long title of the document in 40 x",
            "dev/007-A-very-long-title-of-the-document-in-40-",
        ),
    ],
)
def test_name_of_a_document_is_its_number_and_its_title(title: str, name: str) -> None:
    assert document_name("dev", 7, title) == name


def test_relation_names_are_read_and_others_left_out(tmp_path: Path) -> None:
    other = {**WREN, "labels": [*WREN["labels"], {"h": 1, "t": 0, "r": "P1", "evidence": []}]}
    (tmp_path / "rel_info.json").write_text(json.dumps({"P19": "place of birth, or so"}))
    tally = run_import("docred", corpus(tmp_path, other), tmp_path / "out", "--split", "dev")
    (document,) = written(tmp_path / "out", "dev")
    assert {relation.type for relation in document.relations} == {"place-of-birth-or-so"}
    assert tally.num_left_out == {
        ("relations of entities", "its type is not in --relation-names"): 1
    }


def test_relation_without_a_common_sentence_is_left_out(tmp_path: Path) -> None:
    apart = {**WREN, "vertexSet": [[mention(0, 0, 2)], [mention(1, 2, 3, "LOC")]]}
    tally = run_import("docred", corpus(tmp_path, apart), tmp_path / "out", "--split", "dev")
    assert (
        tally.num_left_out["relations of entities", "no sentence has mentions of both entities"]
        == 1
    )


def test_longest_of_overlapping_mentions_stays_and_relations_go_with_it(tmp_path: Path) -> None:
    nested = {
        **WREN,
        "vertexSet": [[mention(0, 0, 2)], [mention(0, 1, 2, "LOC"), mention(0, 3, 4, "LOC")]],
    }
    run_import("docred", corpus(tmp_path, nested), tmp_path / "out", "--split", "dev")
    (document,) = written(tmp_path / "out", "dev")
    assert covered(document) == [("PER", "Ada Wren"), ("LOC", "Selby")]
    assert document.relations == [Relation("P19", (0, 1), (3, 3))]


def test_rare_relations_are_counted_in_training_documents(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "train_annotated.json").write_text(json.dumps([WREN]))
    (tmp_path / "in" / "dev.json").write_text(json.dumps([WREN, WREN]))
    run_import("docred", tmp_path / "in", tmp_path / "kept", "--least-relations", "2")
    run_import("docred", tmp_path / "in", tmp_path / "out", "--least-relations", "3")
    assert len(written(tmp_path / "kept", "dev")[0].relations) == 2
    assert [len(document.relations) for document in written(tmp_path / "out", "dev")] == [0, 0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"vertexSet": [[mention(0, 4, 9)]]}, r"document 0 \(Ada Wren.*pos \[4, 9\];"),
        ({"vertexSet": [[mention(7, 0, 1)]]}, "sent_id 7 "),
        ({"labels": [{"h": 0, "t": 5, "r": "P1"}]}, "t 5; expected indices of the 2 entities"),
        ({"sents": ["Ada left ."]}, "sents holds .*; expected lists of words"),
        ({"sents": []}, "sents holds no word"),
        ({"vertexSet": 3}, "vertexSet is 3; expected a list"),
    ],
)
def test_malformed_document_is_an_error_that_names_it(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    path = corpus(tmp_path, {**WREN, **change})
    with pytest.raises(DataError, match=message):
        run_import("docred", path, tmp_path / "out", "--split", "dev")


def test_files_of_one_name_in_two_folders_are_told_apart(tmp_path: Path) -> None:
    for folder in ("first", "second"):
        (tmp_path / "in" / folder).mkdir(parents=True)
        corpus(tmp_path / "in" / folder, WREN)
    run_import("docred", tmp_path / "in", tmp_path / "out", "--split", "dev")
    first, second = (document.name for document in written(tmp_path / "out", "dev"))
    assert second == f"{first}.2"


@pytest.mark.parametrize(
    "content, message",
    [
        ('[{"title":\n oops}]', ":2: is no JSON"),
        ("[" * 100_000, ":1: is nested too deeply"),
        ("[" + "1" * 10_000 + "]", ":1: is JSON that cannot be read: a number has too many digits"),
    ],
    ids=["no value", "deep", "a number of many digits"],
)
def test_file_that_is_no_json_is_an_error_with_its_line(
    tmp_path: Path, content: str, message: str
) -> None:
    (tmp_path / "dev.json").write_text(content)
    with pytest.raises(DataError, match=rf"dev\.json{message}"):
        run_import("docred", tmp_path / "dev.json", tmp_path / "out", "--split", "dev")


PLACES = st.lists(st.tuples(st.integers(0, 11), st.integers(0, 1)), max_size=5)


@given(PLACES, PLACES)
def test_closest_pairs_are_those_that_all_pairs_give(
    heads: list[tuple[int, int]], tails: list[tuple[int, int]]
) -> None:
    # Sentences of four words.
    sentences = [index // 4 for index in range(13)]
    first = [(start, start + more) for start, more in heads]
    second = [(start, start + more) for start, more in tails]
    pairs = {
        sentences[head[0]]: (head, tail) for head, tail in closest_pairs(first, second, sentences)
    }
    for sentence in range(4):
        distances = [
            (abs(head[0] - tail[0]), head, tail)
            for head in first
            for tail in second
            if sentences[head[0]] == sentences[tail[0]] == sentence and head != tail
        ]
        assert pairs.get(sentence) == (min(distances)[1:] if distances else None)
