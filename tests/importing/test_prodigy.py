"""
Prodigy's exports.

The records are of the forms that Prodigy documents for `ner.manual` (text, tokens, spans with token_start and
token_end, answer) and for `rel.manual` and `coref.manual` (relations between tokens, with head_span and
child_span, whose label is null where a token stands alone).
"""

from pathlib import Path
from typing import Any

import pytest

from hmtl.errors import DataError
from hmtl.formats.annotated import Relation
from tests.importing.importing import covered, run_import, written
from tests.importing.json_tools import documents_of, lines

TEXT = "My mother's name is Sasha Smith. She likes dogs."
WORDS = ["My", "mother", "'s", "name", "is", "Sasha", "Smith", ".", "She", "likes", "dogs", "."]


def tokens() -> list[dict[str, Any]]:
    found, begin = [], 0
    for number, word in enumerate(WORDS):
        begin = TEXT.index(word, begin)
        end = begin + len(word)
        blank = TEXT[end : end + 1] == " "
        found.append({"text": word, "start": begin, "end": end, "id": number, "ws": blank})
        begin = end
    return found


def span(first: int, last: int, label: str | None) -> dict[str, Any]:
    start, end = tokens()[first]["start"], tokens()[last]["end"]
    place = {"start": start, "end": end, "token_start": first, "token_end": last}
    return {"text": TEXT[start:end], **place, "label": label}


TASK = {
    "text": TEXT,
    "tokens": tokens(),
    "spans": [span(0, 1, "PERSON"), span(5, 6, "PERSON"), span(8, 8, "PERSON")],
    "relations": [
        {
            "head": 9,
            "child": 8,
            "head_span": span(9, 9, None),
            "child_span": span(8, 8, "PERSON"),
            "color": "#c5bdf4",
            "label": "SUBJECT",
        },
        {
            "head": 8,
            "child": 6,
            "head_span": span(8, 8, "PERSON"),
            "child_span": span(5, 6, "PERSON"),
            "label": "COREF",
        },
    ],
    "_input_hash": -1886856362,
    "_task_hash": 1123,
    "_session_id": "news-ada",
    "_view_id": "relations",
    "answer": "accept",
}


def test_tokens_spans_and_relations_are_read() -> None:
    (document,) = documents_of("prodigy", lines(TASK))
    assert (document.name, document.words) == ("-1886856362", WORDS)
    assert covered(document) == [("PERSON", each) for each in ("My mother", "Sasha Smith", "She")]
    assert document.relations == [Relation("SUBJECT", (9, 9), (8, 8))]
    assert document.clusters == [[(8, 8), (5, 6)]]


def test_relations_of_tokens_alone_name_the_spans_that_end_there() -> None:
    relations = [{"head": 9, "child": 6, "label": "OBJECT"}]
    (document,) = documents_of("prodigy", lines({**TASK, "relations": relations}))
    assert document.relations == [Relation("OBJECT", (9, 9), (5, 6))]


def test_text_without_tokens_is_cut() -> None:
    task = {"text": "Ada left .", "spans": [{"start": 0, "end": 3, "label": "PER"}]}
    (document,) = documents_of("prodigy", lines(task))
    assert covered(document) == [("PER", "Ada")]


def test_what_was_not_accepted_is_left_out_and_counted(tmp_path: Path) -> None:
    answers = ["accept", "reject", "ignore", "accept"]
    tasks = [{**TASK, "answer": each, "text": f"{TEXT}{n}"} for n, each in enumerate(answers)]
    # Another session's answer to the first text.
    tasks.append({**tasks[0], "_session_id": "news-bo", "spans": [], "relations": []})
    tasks.append({"image": "cat.jpg", "answer": "accept"})
    (tmp_path / "out.jsonl").write_bytes(lines(*tasks))
    tally = run_import("prodigy", tmp_path / "out.jsonl", tmp_path / "all", "--split", "train")
    assert tally.num_left_out == {
        ("documents", "answered with 'reject'"): 1,
        ("documents", "answered with 'ignore'"): 1,
        ("documents", "has the id and the text of one that came before"): 1,
        ("documents", "has no text"): 1,
    }
    assert [len(document.mentions) for document in written(tmp_path / "all")] == [3, 3]
    options = "--split", "train", "--session", "news-bo"
    run_import("prodigy", tmp_path / "out.jsonl", tmp_path / "one", *options)
    assert [len(document.mentions) for document in written(tmp_path / "one")] == [0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"answer": "maybe"}, 'answer is "maybe"; expected one of accept, reject, ignore'),
        ({"spans": [{"start": 0, "end": 99, "label": "A"}]}, "begins at 0 and ends at 99"),
        ({"spans": [{"start": 0, "end": 9, "label": 3}]}, "has the label 3; expected a string"),
        ({"spans": ["A"]}, 'spans holds "A"; expected objects'),
        ({"relations": [{"head": 99, "child": 0, "label": "A"}]}, "has the head 99; expected one"),
        ({"relations": [{"head": 1, "child": 0}]}, "has the label null; expected a string"),
        ({"tokens": [tokens()[1], tokens()[0]]}, "tokens has one from 0 to 2; expected tokens in"),
    ],
)
def test_malformed_record_is_an_error_with_its_line(changes: Any, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        documents_of("prodigy", lines(TASK, {**TASK, **changes}))
    assert caught.value.line == 2
