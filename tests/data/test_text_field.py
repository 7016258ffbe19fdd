from typing import Any

import pytest
from allennlp.common.checks import ConfigurationError
from allennlp.data import Field, Instance, Token
from allennlp.data.fields import LabelField, ListField, TextField

from hmtl.data.text_field import with_text


def text(*words: str) -> TextField:
    return TextField([Token(word) for word in words])


def named(text_field: str | None, **fields: Field) -> dict[str, Any]:
    (instance,) = with_text([Instance(fields)], text_field, "task_x.data_params")
    return dict(instance.fields)


def test_the_one_text_field_is_found_by_its_type() -> None:
    words, label = text("a"), LabelField("b")
    assert named(None, label=label, tokens=words) == {"text": words, "label": label}


def test_of_several_text_fields_the_config_names_one() -> None:
    one, other = text("a"), text("b")
    assert named("hypothesis", premise=one, hypothesis=other) == {"text": other, "premise": one}


def test_a_text_field_by_the_usual_name_needs_no_word() -> None:
    one, other = text("a"), text("b")
    assert named(None, text=one, other=other) == {"text": one, "other": other}


@pytest.mark.parametrize(
    "text_field, fields, said",
    [
        (
            None,
            {"premise": text("a"), "hypothesis": text("b")},
            r"hypothesis \(TextField\), premise",
        ),
        (None, {"tokens": ListField([text("a")])}, r"tokens \(ListField\)"),
        ("words", {"tokens": text("a")}, r"text_field is 'words'.* tokens \(TextField\)"),
        ("tokens", {"tokens": text("a"), "text": text("b")}, "may be no other"),
    ],
)
def test_where_it_is_not_known_the_fields_are_told(
    text_field: str | None, fields: dict[str, Field], said: str
) -> None:
    with pytest.raises(ConfigurationError, match=said):
        named(text_field, **fields)
