"""Whatever a file of an annotation tool holds, it is read, or named with its line."""

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hmtl.errors import DataError
from tests.importing import test_char_jsonl, test_doccano, test_label_studio, test_prodigy
from tests.importing.json_tools import FORMATS, documents_of, lines

RECORDS: dict[str, list[Any]] = {
    "char_jsonl": [test_char_jsonl.SHORT],
    "doccano": [test_doccano.RELATIONS],
    "label_studio": [
        test_label_studio.task(
            test_label_studio.annotation(test_label_studio.RESULT),
            test_label_studio.annotation(test_label_studio.RESULT[:2], who={"id": 1}),
        )
    ],
    "prodigy": [test_prodigy.TASK],
}
ODD: st.SearchStrategy[Any] = st.sampled_from(
    [
        None,
        True,
        -1,
        0,
        1,
        2,
        99,
        1.5,
        10**30,
        "",
        "x",
        "\ud800",
        "Coref",
        [],
        [[]],
        [0, 1],
        {},
        {"a": 0},
    ]
).map(
    copy.deepcopy
)  # a record may be changed within what was drawn: no other example must see that


def places(value: Any) -> list[tuple[Any, Any]]:
    """Everything in a value of JSON, as what holds it and its key or index."""
    found: list[tuple[Any, Any]] = []
    keys = value if isinstance(value, dict) else range(len(value))
    for key in keys:
        found.append((value, key))
        if isinstance(value[key], (dict, list)):
            found += places(value[key])
    return found


@pytest.mark.parametrize("format_name", FORMATS)
@settings(max_examples=100)
@given(st.data())
def test_any_record_is_read_or_named_with_its_line(format_name: str, data: st.DataObject) -> None:
    records = copy.deepcopy(RECORDS[format_name])
    for _ in range(data.draw(st.integers(1, 2))):
        holder, key = data.draw(st.sampled_from(places(records) or [([0], 0)]))
        if data.draw(st.booleans()):
            holder[key] = data.draw(ODD)
        else:
            del holder[key]
    try:
        documents_of(format_name, lines(*records))
    except DataError as error:
        assert error.line == 1
