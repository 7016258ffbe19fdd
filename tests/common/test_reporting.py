import pytest

from hmtl.common.reporting import counted, table
from hmtl.common.reporting import test_score_table as score_table

TAGGER = {
    "precision-overall": 0.5,
    "recall-overall": 0.25,
    "f1-measure-overall": 1 / 3,
    "loss": 12.34567,
}
COREF = {"coref_precision": 0.9, "coref_recall": 0.8, "coref_f1": 0.847, "loss": 0.001}


@pytest.mark.parametrize(
    "number, things, expected",
    [
        (2, "texts", "2 texts"),
        (0, "texts", "0 texts"),
        (1, "texts", "1 text"),
        (1, "entries", "1 entry"),
        (1, "batches", "1 batch"),
        (1, "processes", "1 process"),
        (1, "doubled relations left out of documents", "1 doubled relation left out of documents"),
    ],
)
def test_one_of_something_is_told_in_the_singular(number: int, things: str, expected: str) -> None:
    assert counted(number, things) == expected


def test_table_aligns_columns() -> None:
    assert table(["a", "bc"], [["def", ""], ["", "g"]]).splitlines() == [
        "a    bc",
        "---  --",
        "def",
        "     g",
    ]


def test_table_of_nothing_is_its_header() -> None:
    assert table(["a", "bc"], []).splitlines() == ["a  bc", "-  --"]


def test_score_table_shows_each_task_with_its_own_best_weights() -> None:
    metrics = {
        "ner": {"best_epoch": 2, "test": {"ner": TAGGER, "coref": {**COREF, "coref_f1": 0.1}}},
        "coref": {"best_epoch": 0, "test": {"ner": {}, "coref": COREF}},
        "training_duration": "00:00:01:00",
        "nb_epoch_trained": 3,
    }
    header, _, ner, coref = score_table(metrics).splitlines()
    # metrics.json counts from 0.
    assert header.split("  ")[-1].strip() == "best epoch (from 1)"
    assert ner.split() == ["ner", "50.00", "25.00", "33.33", "12.35", "3"]
    assert coref.split() == ["coref", "90.00", "80.00", "84.70", "0.001", "1"]


def test_score_table_has_a_column_for_all_that_heads_are_judged_by() -> None:
    scores = {"accuracy": 0.75, "las_error": 12.0, "loss": 2.0}
    said = {"error": "las_error", "accuracy": "accuracy"}
    metrics = {
        "ner": {"test": {"ner": TAGGER}},
        "pos": {"headline": said, "test": {"pos": scores}},
    }
    header, _, ner, pos = score_table(metrics).splitlines()
    assert header.split()[:7] == ["test", "precision", "recall", "F1", "error", "accuracy", "loss"]
    assert ner.split() == ["ner", "50.00", "25.00", "33.33", "12.35"]
    # An error is no fraction.
    assert pos.split() == ["pos", "12", "75.00", "2"]


def test_score_table_does_without_best_epoch_and_known_metrics() -> None:
    metrics = {"toy": {"test": {"toy": {"accuracy": 1.0, "loss": 2.0}}, "gold_mentions": False}}
    (*_, row) = score_table(metrics).splitlines()
    assert row.split() == ["toy", "2"]


def test_score_table_says_when_there_is_no_test() -> None:
    assert score_table({"ner": {"test": {}}}) == "no task has evaluate_on_test"
