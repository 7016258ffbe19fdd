"""Predictions as JSON in the field names and types of the 2018 demo."""

import dataclasses
import json

import pytest

from hmtl.common.answers import COREFERENCE, MENTIONS, RELATIONS
from hmtl.prediction.results import TaskInfo
from tests.prediction.predictions import SCORES, TASKS, TEXT, handmade

ZOE = {
    "type": "PER",
    "begin_token": 0,
    "end_token": 1,
    "begin_char": 0,
    "end_char": 7,
    "tokenized_text": ["Zoë", "Lee"],
    "text": "Zoë Lee",
}


def test_a_prediction_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        handmade().text = ""  # type: ignore[misc]


def test_fields_are_those_of_the_reference_and_what_draws_a_page() -> None:
    assert set(handmade().to_json()) == {
        *("text", "tokenized_text", "tokens", "sentences", "tasks", "ner", "emd", "emd_expanded"),
        *("relation_arcs", "relation_arcs_expanded", "coref_arcs", "coref_clusters"),
    }


def test_the_fields_are_plain_json() -> None:
    fields = handmade().to_json()
    assert json.loads(json.dumps(fields)) == fields


def test_the_text_is_there_whole_and_tokenized() -> None:
    fields = handmade().to_json()
    assert fields["text"] == TEXT
    assert fields["tokenized_text"][:6] == ["Zoë", "Lee", "of", "Oslo", "slept", "."]
    assert fields["tokens"][1] == {"text": "Lee", "begin_char": 4, "end_char": 7}
    assert fields["sentences"][0] == {"begin_token": 0, "end_token": 5}
    assert fields["tasks"][2] == {"name": "relation", "kind": "relations", "labels": ["PHYS"]}


def test_mentions_have_the_fields_of_the_reference() -> None:
    fields = handmade().to_json()
    assert fields["emd"][0] == ZOE
    assert [mention["type"] for mention in fields["ner"]] == ["PERSON", "GPE"]


def test_relations_stand_between_last_tokens_and_expanded_between_mentions() -> None:
    fields = handmade().to_json()
    arc = fields["relation_arcs"][0]
    assert arc == {
        "type": "PHYS",
        "arg1_index": 1,
        "arg1_text": "Lee",
        "arg1_begin_char": 4,
        "arg1_end_char": 7,
        "arg2_index": 3,
        "arg2_text": "Oslo",
        "arg2_begin_char": 11,
        "arg2_end_char": 15,
    }
    assert fields["relation_arcs_expanded"][0] == {
        "type": "PHYS",
        "arg1_begin_token": 0,
        "arg1_end_token": 1,
        "arg1_text": "Zoë Lee",
        "arg1_begin_char": 0,
        "arg1_end_char": 7,
        "arg2_begin_token": 3,
        "arg2_end_token": 3,
        "arg2_text": "Oslo",
        "arg2_begin_char": 11,
        "arg2_end_char": 15,
    }
    # No mention ends there: the token stands for itself.
    assert fields["relation_arcs_expanded"][1]["arg2_text"] == "slept"


def test_clusters_have_the_fields_of_the_reference() -> None:
    fields = handmade().to_json()
    first, second = fields["coref_clusters"][0]
    assert first == {
        "begin": 0,
        "end": 3,
        "begin_char": 0,
        "end_char": 15,
        "tokenized_text": ["Zoë", "Lee", "of", "Oslo"],
        "text": "Zoë Lee of Oslo",
    }
    assert (second["begin"], second["text"]) == (6, "She")


def test_coreference_arcs_lead_from_a_mention_to_the_next() -> None:
    assert handmade().to_json()["coref_arcs"] == [
        {
            "mention1_begin": 0,
            "mention1_end": 3,
            "mention1_begin_char": 0,
            "mention1_end_char": 15,
            "tokenized_text1": ["Zoë", "Lee", "of", "Oslo"],
            "text1": "Zoë Lee of Oslo",
            "mention2_begin": 6,
            "mention2_end": 6,
            "mention2_begin_char": 23,
            "mention2_end_char": 26,
            "tokenized_text2": ["She"],
            "text2": "She",
        }
    ]


def test_without_a_parser_expanded_mentions_are_the_mentions() -> None:
    fields = handmade().to_json()
    assert fields["emd_expanded"] == fields["emd"]


def test_with_a_parser_mentions_and_arguments_are_widened_to_noun_chunks() -> None:
    fields = handmade(noun_chunks=[(1, 1), (2, 3)]).to_json()
    assert [mention["text"] for mention in fields["emd_expanded"]] == ["Zoë Lee", "of Oslo"]
    assert fields["emd_expanded"][1]["begin_token"] == 2
    assert fields["relation_arcs_expanded"][0]["arg2_text"] == "of Oslo"
    assert fields["relation_arcs_expanded"][0]["arg2_begin_token"] == 2
    assert fields["emd"][1]["text"] == "Oslo"


def test_arguments_that_would_overlap_when_widened_are_not() -> None:
    arc = handmade(noun_chunks=[(0, 3)]).to_json()["relation_arcs_expanded"][0]
    assert (arc["arg1_text"], arc["arg2_text"]) == ("Zoë Lee", "Oslo")


def test_tasks_by_other_names_stand_under_these() -> None:
    tasks = [
        TaskInfo("ner_news", MENTIONS, ["PERSON"]),
        TaskInfo("links", RELATIONS, ["PHYS"]),
        TaskInfo("who", COREFERENCE, []),
    ]
    fields = handmade(tasks=tasks).to_json()
    usual = handmade().to_json()
    assert [mention["text"] for mention in fields["ner_news"]]
    assert [arc["type"] for arc in fields["links"]] == ["PHYS", "PHYS"]
    assert fields["who"] == usual["coref_clusters"]
    assert not {"emd", "relation_arcs", "coref_clusters"} & set(fields)


def test_a_run_without_a_task_has_none_of_its_fields() -> None:
    fields = handmade(tasks=TASKS[:1]).to_json()
    assert "ner" in fields
    assert not {"emd", "emd_expanded", "relation_arcs", "coref_arcs", "coref_clusters"} & set(
        fields
    )


def test_scores_stand_beside_what_they_are_of_in_json() -> None:
    fields = handmade(scores=SCORES).to_json()
    assert [each["score"] for each in fields["ner"]] == [0.9, 0.4]
    assert [each["score"] for each in fields["relation_arcs"]] == [0.6, 0.5556]
    assert [each["score"] for each in fields["relation_arcs_expanded"]] == [0.6, 0.5556]
    assert [each["score"] for each in fields["coref_clusters"][0]] == [0.3, 0.3]
    assert [each["score"] for each in fields["coref_arcs"]] == [0.3]


def test_less_probable_answers_are_left_out_where_that_is_asked() -> None:
    prediction = handmade(scores=SCORES)
    probable = prediction.at_least(0.6)
    assert [each.type for each in probable.mentions["ner"]] == ["PERSON"]
    assert probable.relations["relation"] == prediction.relations["relation"][:1]
    assert probable.clusters["coref"] == []
    assert handmade().at_least(0.6) == handmade()
    with pytest.raises(ValueError, match="the score is 80; give a probability"):
        prediction.at_least(80)
