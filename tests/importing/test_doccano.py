"""
doccano's exports.

The records are of the forms that doccano documents for its projects: sequence labelling ("label", and
"labels" of older versions), and sequence labelling with relations ("entities", "relations", "Comments").
"""

from typing import Any

import pytest

from hmtl.errors import DataError
from hmtl.formats.annotated import Relation
from tests.importing.importing import covered
from tests.importing.json_tools import documents_of, lines

TEXT = "EU rejects German call to boycott lamb . It insists ."
LABELS = [[0, 2, "ORG"], [11, 17, "MISC"], [41, 43, "ORG"]]
RELATIONS = {
    "id": 7,
    "text": TEXT,
    "Comments": [],
    "entities": [
        {"id": 31, "label": "ORG", "start_offset": 0, "end_offset": 2},
        {"id": 32, "label": "MISC", "start_offset": 11, "end_offset": 17},
        {"id": 39, "label": "ORG", "start_offset": 41, "end_offset": 43},
    ],
    "relations": [
        {"id": 1, "from_id": 31, "to_id": 32, "type": "rejects"},
        {"id": 2, "from_id": 39, "to_id": 31, "type": "Coref"},
    ],
}


@pytest.mark.parametrize("key", ["label", "labels"])
def test_sequence_labelling(key: str) -> None:
    (document,) = documents_of("doccano", lines({"id": 7, "text": TEXT, key: LABELS}))
    assert document.name == "7"
    assert covered(document) == [("ORG", "EU"), ("MISC", "German"), ("ORG", "It")]


def test_relations_name_entities_and_coreference_links_them() -> None:
    (document,) = documents_of("doccano", lines(RELATIONS))
    assert covered(document) == [("ORG", "EU"), ("MISC", "German"), ("ORG", "It")]
    assert document.relations == [Relation("rejects", (0, 0), (2, 2))]
    assert [sorted(cluster) for cluster in document.clusters] == [[(0, 0), (8, 8)]]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"text": None}, "text is null; expected a string"),
        ({"entities": [{"id": 1}]}, "expected a number as its id, and a string as its label"),
        ({"label": [[0, 1, "PER"]]}, "has both entities and label"),
        ({"entities": RELATIONS["entities"] * 2}, "entities has two of one id"),  # type: ignore
        ({"relations": [{"from_id": 31, "to_id": 4, "type": "x"}]}, "names 4, but no entity has"),
        ({"relations": [{"from_id": 31, "to_id": 31}]}, "expected a string as its type"),
    ],
)
def test_malformed_record_is_an_error_with_its_line(changes: Any, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        documents_of("doccano", lines(RELATIONS, {**RELATIONS, **changes}))
    assert caught.value.line == 2


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"text": TEXT}, "there is none of label, labels and entities"),
        ({"text": TEXT, "label": ["positive"]}, r'label holds "positive"; expected \[start, end'),
        ({"text": TEXT, "label": [[0, 99, "ORG"]]}, "begins at 0 and ends at 99"),
    ],
)
def test_other_projects_are_refused(record: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        documents_of("doccano", lines(record))
