"""Predictions in the formats of other tools, read back by the parsers of these formats."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hmtl.common.answers import LABELS, TOKENS
from hmtl.formats import conll2012, like_conll
from hmtl.formats.annotated import Mention, Relation
from hmtl.formats.spacy_text import load_pipeline, read_doc
from hmtl.prediction.answers import to_prediction
from hmtl.prediction.renderings import FILES_EACH, RENDERINGS, left_out, to_document
from hmtl.prediction.results import Prediction, TaskInfo
from tests.importing.importing import run_import
from tests.importing.json_tools import documents_of
from tests.prediction.predictions import SCORES, TASKS, TEXT, handmade

PIPELINE = load_pipeline()


def rendered(output_format: str, *predictions: tuple[Any, Prediction]) -> str:
    rendering = RENDERINGS[output_format]
    return rendering.begin + rendering.all(predictions, True) + rendering.end


def test_json_lines_hold_the_id_and_the_fields_in_one_line() -> None:
    line = rendered("jsonl", ("a", handmade()))
    assert line.count("\n") == 1
    fields = handmade().to_json()
    fields.pop("tasks")
    assert json.loads(line) == {"id": "a", **fields}


def test_conll_2012_holds_names_and_clusters(tmp_path: Path) -> None:
    path = tmp_path / "a_conll"
    path.write_text(rendered("conll", ("a b", handmade()), (2, handmade())))
    first, second = conll2012.read_documents(path)
    assert (first.name, second.name) == ("a_b", "2")
    assert first.names == [Mention(0, 1, "PERSON"), Mention(3, 3, "GPE")]
    assert first.clusters == [[(0, 3), (6, 6)]]


def test_like_conll_holds_mentions_relations_and_clusters(tmp_path: Path) -> None:
    path = tmp_path / "a_like_conll"
    path.write_text(rendered("like_conll", ("a", handmade())))
    (document,) = like_conll.read_documents(path)
    assert document.mentions == [Mention(0, 1, "PER"), Mention(3, 3, "GPE")]
    assert document.relations == [
        Relation("PHYS", (0, 1), (3, 3)),
        Relation("PHYS", (3, 3), (4, 4)),
    ]
    assert document.clusters == [[(0, 3), (6, 6)]]


@pytest.mark.parametrize("columns", ["conll", "like_conll"])
def test_columns_hold_clusters_of_one_mention(columns: str, tmp_path: Path) -> None:
    path = tmp_path / "a"
    prediction = handmade()
    (first, *_) = prediction.clusters["coref"][0]
    path.write_text(rendered(columns, ("a", replace(prediction, clusters={"coref": [[first]]}))))
    (document,) = (conll2012 if columns == "conll" else like_conll).read_documents(path)
    assert document.clusters == [[(0, 3)]]


@pytest.mark.parametrize("tool", ["cas", "webanno"])
def test_files_of_layers_are_read_as_they_were_predicted(tool: str, tmp_path: Path) -> None:
    if tool == "cas":
        pytest.importorskip("cassis")
    files = FILES_EACH[tool]
    (content,) = files.contents("a", handmade())
    (tmp_path / f"a{files.suffixes[0]}").write_text(content)
    run_import(tool, tmp_path, tmp_path / "out", "--split", "train", "--to", "char_jsonl")
    (document,) = documents_of("char_jsonl", (tmp_path / "out" / "train.jsonl").read_bytes())
    expected = to_document("a", handmade())
    assert document.text == TEXT and document.words == expected.words
    assert document.mentions == sorted(expected.mentions)
    assert document.names == expected.names
    assert sorted(document.relations) == sorted(expected.relations)
    assert document.clusters == expected.clusters


@pytest.mark.parametrize("tool", ["label_studio", "char_jsonl", "doccano", "prodigy"])
def test_names_stay_names_in_a_text_without_mentions(tool: str) -> None:
    prediction = handmade()
    mentions = {task: found if task == "ner" else [] for task, found in prediction.mentions.items()}
    found = replace(prediction, mentions=mentions, relations={}, clusters={})
    (document,) = documents_of(
        tool, rendered(tool, ("a", found)).replace("predictions", "annotations").encode()
    )
    assert document.mentions == []
    assert [each.type for each in document.names] == ["PERSON", "GPE"]


def labelled() -> Prediction:
    """With labels of a user's own tasks."""
    tasks = [TaskInfo("pos", TOKENS, ["N", "."]), TaskInfo("my topic", LABELS, ["a b", "c"], True)]
    read = read_doc(PIPELINE(TEXT))
    last = read.num_words - 1
    decoded: dict[str, list[Any]] = {
        "pos": ["N"] * last + ["."],
        "my topic": [("a b", (0, last)), ("c", (0, last))],
    }
    return to_prediction(read, decoded, tasks, {})


def test_labels_of_tokens_are_parts_of_speech_in_conll_2012(tmp_path: Path) -> None:
    path = tmp_path / "a_conll"
    path.write_text(rendered("conll", ("a", labelled())))
    rows = [line.split() for line in path.read_text().splitlines() if line[:1] not in ("", "#")]
    assert [row[4] for row in rows] == labelled().token_labels["pos"]


def test_labels_of_tokens_and_texts_are_notes_in_brat() -> None:
    text, annotations = FILES_EACH["brat"].contents("a", labelled())
    lines = annotations.splitlines()
    num_tokens = len(labelled().tokens)
    assert lines[:2] == ["T1\tpos 0 3\tZoë", "#1\tAnnotatorNotes T1\tN"]
    # An entity ends where a line does.
    end, begin = text.index("\n"), text.index("\n") + 1
    places = f"0 {end};{begin} {len(text)}"
    quoted = text.replace("\n", " ")
    number = num_tokens + 1
    assert lines[2 * num_tokens :] == [
        f"T{number}\tmy_topic {places}\t{quoted}",
        f"#{number}\tAnnotatorNotes T{number}\ta b",
        f"T{number + 1}\tmy_topic {places}\t{quoted}",
        f"#{number + 1}\tAnnotatorNotes T{number + 1}\tc",
    ]


@pytest.mark.parametrize(
    "output_format, lost",
    [("jsonl", []), ("brat", []), ("conll", ["my topic"]), ("like_conll", ["pos", "my topic"])],
)
def test_what_has_no_place_in_a_format_is_told(output_format: str, lost: list[str]) -> None:
    kinds = {task.name: task.kind for task in [*TASKS, *labelled().tasks]}
    assert left_out(output_format, kinds) == lost


def test_columns_hold_the_only_mentions_there_are(tmp_path: Path) -> None:
    path = tmp_path / "a_conll"
    path.write_text(rendered("conll", ("a", handmade(tasks=TASKS[1:2]))))
    (document,) = conll2012.read_documents(path)
    assert document.names == [Mention(0, 1, "PER"), Mention(3, 3, "GPE")]
    path.write_text(rendered("like_conll", ("a", handmade(tasks=TASKS[:1]))))
    (other,) = like_conll.read_documents(path)
    assert other.mentions == [Mention(0, 1, "PERSON"), Mention(3, 3, "GPE")]


def test_mentions_are_no_names_where_the_model_finds_names(tmp_path: Path) -> None:
    path = tmp_path / "a_conll"
    found = handmade(tasks=TASKS[:2])
    path.write_text(
        rendered("conll", ("a", replace(found, mentions={**found.mentions, "ner": []})))
    )
    (document,) = conll2012.read_documents(path)
    assert document.names == []


def test_a_page_shows_text_as_text() -> None:
    page = rendered("html", ("<script>", handmade()))
    assert page.startswith("<!DOCTYPE html>") and page.endswith("</html>\n")
    assert "<script" not in page and "<b>" not in page
    assert "&lt;b&gt;" in page and "&lt;script&gt;" in page


def test_a_page_loads_nothing() -> None:
    page = rendered("html", ("a", handmade())).replace("http://www.w3.org/", "")
    assert "http" not in page and "src=" not in page


def test_a_page_draws_what_each_task_found() -> None:
    page = rendered("html", ("a", handmade()))
    for shown in ("PERSON", "PER", "PHYS", "<svg", "Zoë"):
        assert shown in page


def test_pages_of_texts_without_a_token_can_be_made() -> None:
    empty = to_prediction(read_doc(PIPELINE("")), {task.name: [] for task in TASKS}, TASKS, {})
    assert "<article>" in rendered("html", ("a", empty))


def test_brat_holds_entities_relations_and_equivalences() -> None:
    text, annotations = FILES_EACH["brat"].contents("a", handmade())
    assert text == TEXT
    assert annotations.splitlines() == [
        "T1\tPER 0 7\tZoë Lee",
        "T2\tName-PERSON 0 7\tZoë Lee",
        "T3\tSpan 0 15\tZoë Lee of Oslo",
        "T4\tGPE 11 15\tOslo",
        "T5\tName-GPE 11 15\tOslo",
        "T6\tSpan 16 21\tslept",
        "T7\tSpan 23 26\tShe",
        "R1\tPHYS Arg1:T1 Arg2:T4",
        "R2\tPHYS Arg1:T4 Arg2:T6",
        "*\tEquiv T3 T7",
    ]


@pytest.mark.parametrize("output_format", ["char_jsonl", "doccano", "label_studio", "prodigy"])
def test_annotation_tools_get_what_was_found(output_format: str, tmp_path: Path) -> None:
    written = rendered(output_format, ("a", handmade()), ("b", handmade()))
    if output_format == "label_studio":
        # Pre-annotations count as annotations once an annotator submits them.
        tasks = json.loads(written)
        assert [task["predictions"][0]["model_version"] for task in tasks] == ["hmtl", "hmtl"]
        tasks = [{"data": task["data"], "annotations": task["predictions"]} for task in tasks]
        written = json.dumps(tasks)
    first, second = documents_of(output_format, written.encode())
    expected = to_document("a", handmade())
    assert (first.name, second.name, first.text) == ("a", "b", TEXT)
    assert (first.mentions, first.names) == (expected.mentions, expected.names)
    assert (first.relations, first.clusters) == (expected.relations, expected.clusters)


def test_doccano_of_sequence_labelling_gets_spans_alone() -> None:
    assert json.loads(rendered("doccano_spans", ("a", handmade(tasks=TASKS[1:3])))) == {
        "text": TEXT,
        "document": "a",
        "label": [[0, 7, "PER"], [11, 15, "GPE"]],
    }


@settings(max_examples=50)
@given(st.text(alphabet="ab \n\r\u2028😀", min_size=1, max_size=20).filter(str.strip))
def test_entities_of_brat_stand_on_one_line_where_they_stand_in_the_text(text: str) -> None:
    read = read_doc(PIPELINE(text))
    decoded: dict[str, list[Any]] = {task.name: [] for task in TASKS}
    decoded["emd"] = [("PER", (0, read.num_words - 1))]
    written, annotations = FILES_EACH["brat"].contents("a", to_prediction(read, decoded, TASKS, {}))
    assert written == text
    (line,) = annotations.splitlines()
    _, place, covered = line.split("\t")
    begin, end = map(int, place.removeprefix("PER ").split())
    assert text[begin:end].split() == covered.split() == text.split()


def test_scores_are_notes_in_brat_which_reads_back_without_them() -> None:
    _, annotations = FILES_EACH["brat"].contents("a", handmade(scores=SCORES))
    notes = [line for line in annotations.splitlines() if line.startswith("#")]
    assert notes[0] == "#1\tAnnotatorNotes T1\tscore 0.8000"
    assert notes[-1] == "#6\tAnnotatorNotes R2\tscore 0.5556"
    without = annotations.replace("\n".join(notes) + "\n", "")
    assert without == FILES_EACH["brat"].contents("a", handmade())[1]
