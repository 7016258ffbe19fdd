"""A document in one task's training data and another's test data is warned of (SPEC section 8, item 16)."""

import logging

import pytest
from allennlp.data import Instance
from allennlp.data.fields import MetadataField

from hmtl.config.task import Task
from hmtl.data.corpora import TaskCorpora
from hmtl.data.shared_documents import warn_of_shared_documents


def corpora(task: str, **splits: list[str | None]) -> TaskCorpora:
    return TaskCorpora(
        Task(task),
        {
            split: [Instance({"metadata": MetadataField({"document": name})}) for name in names]
            for split, names in splits.items()
        },
        {},
    )


def warnings(caplog: pytest.LogCaptureFixture, *tasks: TaskCorpora) -> list[str]:
    with caplog.at_level(logging.WARNING, logger="hmtl"):
        warn_of_shared_documents({each.task.name: each for each in tasks})
    return [record.getMessage() for record in caplog.records]


def test_shared_documents_of_two_tasks_are_named(caplog: pytest.LogCaptureFixture) -> None:
    messages = warnings(
        caplog, corpora("emd", train=["a", "b"], test=["c"]), corpora("coref", train=[], test=["b"])
    )
    assert len(messages) == 1
    assert (
        "1 document(s) in the training data of emd are in the test data of coref: b." in messages[0]
    )


def test_shared_documents_within_a_task_are_named(caplog: pytest.LogCaptureFixture) -> None:
    messages = warnings(caplog, corpora("ner", train=["a"], validation=["a"]))
    assert "training data of ner are in the validation data of ner" in messages[0]


def test_shared_documents_beyond_a_few_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    names: list[str | None] = [f"d{number}" for number in range(9)]
    messages = warnings(caplog, corpora("ner", train=names, test=names))
    assert "9 document(s)" in messages[0] and "d0, d1, d2, ..." in messages[0]


def test_disjoint_and_nameless_documents_are_not_warned_of(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert warnings(caplog, corpora("ner", train=["a", None], test=["b", None])) == []
