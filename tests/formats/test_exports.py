"""What other tools read: exact text, to the character."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from hmtl.formats import char_jsonl, doccano, label_studio, prodigy
from hmtl.formats.annotated import Document, Mention, Relation, Sentence, with_text
from hmtl.formats.brat import annotation_lines
from hmtl.formats.conll2003 import conll2003_lines
from hmtl.formats.conll2012 import conll2012_lines
from hmtl.formats.dygie import json_line
from hmtl.formats.like_conll import like_conll_lines

DOCUMENT = Document(
    "news/one",
    [Sentence(["Ada", "Wren", "met", "Bo", "."]), Sentence(["She", "left", "."])],
    mentions=[Mention(0, 1, "PER"), Mention(3, 3, "PER"), Mention(5, 5, "PER")],
    relations=[Relation("PER-SOC", (0, 1), (3, 3))],
    clusters=[[(0, 1), (5, 5)]],
)
NAMED = Document("one", DOCUMENT.sentences, names=DOCUMENT.mentions[:2], clusters=DOCUMENT.clusters)


def test_like_conll() -> None:
    assert list(like_conll_lines(DOCUMENT)) == [
        "#begin document (news/one); part 000",
        "0 Ada (PER* (ARG1_PER-SOC* (0",
        "1 Wren *) *) 0)",
        "2 met * * -",
        "3 Bo (PER) (ARG2_PER-SOC) -",
        "4 . * * -",
        "",
        "0 She (PER) (0)",
        "1 left * -",
        "2 . * -",
        "",
        "#end document",
    ]


def test_conll2012() -> None:
    assert list(conll2012_lines(NAMED))[:5] == [
        "#begin document (one); part 000",
        "one 0 0 Ada XX * - - - - (PER* (0",
        "one 0 1 Wren XX * - - - - *) 0)",
        "one 0 2 met XX * - - - - * -",
        "one 0 3 Bo XX * - - - - (PER) -",
    ]


@pytest.mark.parametrize(
    ("scheme", "tags"),
    [
        ("BIO", "B-PER I-PER O B-PER O"),
        ("IOB1", "I-PER I-PER O I-PER O"),
        ("BIOUL", "B-PER L-PER O U-PER O"),
    ],
)
def test_conll2003(scheme: str, tags: str) -> None:
    lines = list(conll2003_lines(NAMED, scheme))
    assert lines[:2] == ["-DOCSTART- -X- O O", ""]
    words = ["Ada", "Wren", "met", "Bo", "."]
    assert lines[2:8] == [*(f"{word} XX O {tag}" for word, tag in zip(words, tags.split())), ""]


def test_dygie() -> None:
    assert json.loads(json_line(DOCUMENT)) == {
        "doc_key": "news/one",
        "sentences": [["Ada", "Wren", "met", "Bo", "."], ["She", "left", "."]],
        "ner": [[[0, 1, "PER"], [3, 3, "PER"]], [[5, 5, "PER"]]],
        "relations": [[[0, 1, 3, 3, "PER-SOC"]], []],
        "clusters": [[[0, 1], [5, 5]]],
    }


def test_label_studio() -> None:
    task = json.loads(label_studio.annotated_task(with_text(DOCUMENT)))
    assert task["data"] == {"text": "Ada Wren met Bo .\nShe left .\n", "id": "news/one"}
    (annotation,) = task["annotations"]
    assert annotation["result"][0] == {
        "id": "T1",
        "from_name": "label",
        "to_name": "text",
        "type": "labels",
        "value": {"start": 0, "end": 8, "text": "Ada Wren", "labels": ["PER"]},
    }
    ends = {"type": "relation", "from_id": "T1", "direction": "right"}
    assert annotation["result"][3:] == [
        {**ends, "to_id": "T2", "labels": ["PER-SOC"]},
        {**ends, "to_id": "T3", "labels": ["Coref"]},
    ]


def test_prodigy() -> None:
    task = json.loads(prodigy.json_line(with_text(DOCUMENT)))
    ada = {"start": 0, "end": 8, "token_start": 0, "token_end": 1, "label": "PER"}
    bo = {"start": 13, "end": 15, "token_start": 3, "token_end": 3, "label": "PER"}
    assert task["tokens"][1] == {"text": "Wren", "start": 4, "end": 8, "id": 1, "ws": True}
    assert task["spans"][:2] == [ada, bo]
    assert task["relations"][0] == {
        "head": 1,
        "child": 3,
        "head_span": ada,
        "child_span": bo,
        "label": "PER-SOC",
    }
    assert task["relations"][1]["label"] == "COREF"


@pytest.mark.parametrize(
    "line", [char_jsonl.json_line, label_studio.predicted_task, prodigy.json_line]
)
def test_probabilities_go_where_the_tool_has_a_place_for_them(
    line: Callable[[Document], str],
) -> None:
    mention = Mention(0, 1, "PER", score=0.98765)
    relation = Relation("PER-SOC", (0, 1), (0, 1), score=0.5)
    document = replace(DOCUMENT, mentions=[mention], relations=[relation], clusters=[])
    written = line(with_text(document))
    assert written.count('"score": 0.9877') >= 1 and written.count('"score": 0.5') == 1
    assert "score" not in line(with_text(DOCUMENT))


def test_doccano() -> None:
    record = json.loads(doccano.relation_line(with_text(DOCUMENT)))
    assert record["entities"][0] == {"id": 0, "label": "PER", "start_offset": 0, "end_offset": 8}
    assert record["relations"] == [
        {"id": 0, "from_id": 0, "to_id": 1, "type": "PER-SOC"},
        {"id": 1, "from_id": 0, "to_id": 2, "type": "Coref"},
    ]


def test_brat_of_words_has_a_sentence_a_line() -> None:
    document = with_text(DOCUMENT)
    assert document.text == "Ada Wren met Bo .\nShe left .\n"
    assert list(annotation_lines(document)) == [
        "T1\tPER 0 8\tAda Wren",
        "T2\tPER 13 15\tBo",
        "T3\tPER 18 21\tShe",
        "R1\tPER-SOC Arg1:T1 Arg2:T2",
        "*\tEquiv T1 T3",
    ]


def test_brat_keeps_the_text_that_a_document_has() -> None:
    text = "Ada\nWren, again."
    sentence = Sentence(
        ["Ada", "Wren", ",", "again", "."], [(0, 3), (4, 8), (8, 9), (10, 15), (15, 16)]
    )
    document = Document("one", [sentence], mentions=[Mention(0, 1, "PER")], text=text)
    assert with_text(document) is document
    assert list(annotation_lines(document)) == ["T1\tPER 0 8\tAda Wren"]


def test_brat_writes_spans_that_are_no_mentions_as_spans() -> None:
    lines = list(annotation_lines(with_text(NAMED)))
    assert lines == [
        "T1\tPER 0 8\tAda Wren",
        "T2\tPER 13 15\tBo",
        "T3\tSpan 18 21\tShe",
        "*\tEquiv T1 T3",
    ]


def test_brat_without_text_is_refused() -> None:
    with pytest.raises(ValueError, match="'news/one' has no text"):
        list(annotation_lines(DOCUMENT))
