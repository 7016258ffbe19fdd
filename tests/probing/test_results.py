import json
import math
from pathlib import Path
from typing import Any

import pytest

from hmtl.errors import DataError
from hmtl.probing.results import (
    RESULTS_FILE,
    Results,
    check_comparable,
    facts_of,
    standard_error,
)
from hmtl.probing.tasks import read_probing_data
from tests.probing.runs import write_probing_data

FACTS = {"sha256": "0", "ntest": 100, "majority": {"class": "A", "devacc": 50.0, "acc": 40.0}}


def content(**changes: Any) -> dict[str, Any]:
    return {
        "name": "run (ner)",
        "model": {"weights": "best_ner", "sha256": "1"},
        "protocol": {
            "engine": "own probe",
            "classifier": "torch",
            "hidden": 0,
            "standardized": False,
        },
        "baselines": ["bag of embeddings"],
        "layers": {
            "text_field_embedder": {"dim": 3, "on": None},
            "encoder_ner": {"dim": 4, "on": "text_field_embedder"},
        },
        "data": {"Length": FACTS, "Tense": FACTS},
        **changes,
    }


def filled(directory: Path, **changes: Any) -> Results:
    """Two seeds of a layer on one task, one seed of another layer on two."""
    directory.mkdir(exist_ok=True)
    results = Results.go_on(directory, content(**changes), force=False)
    results.add("Length", "encoder_ner", 1, {"devacc": 1.0, "acc": 70.0})
    results.add("Length", "encoder_ner", 2, {"devacc": 1.0, "acc": 74.0})
    results.add("Length", "text_field_embedder", 1, {"devacc": 1.0, "acc": 60.0})
    results.add("Tense", "text_field_embedder", 1, {"devacc": 1.0, "acc": 50.0})
    return results


def test_summary_is_mean_and_sample_deviation(tmp_path: Path) -> None:
    results = filled(tmp_path)
    summary = results.summary("Length", "encoder_ner")
    assert summary is not None
    assert (summary.mean, summary.count) == (72.0, 2)
    assert summary.deviation == pytest.approx(math.sqrt(8))
    single = results.summary("Tense", "text_field_embedder")
    assert single is not None and single.deviation is None
    assert results.summary("Tense", "encoder_ner") is None


def test_rows_and_tasks_are_those_with_results_in_the_order_of_model_and_data(
    tmp_path: Path,
) -> None:
    results = filled(tmp_path)
    assert results.layers == ["text_field_embedder", "encoder_ner"]
    assert results.baselines == []
    assert results.tasks == ["Length", "Tense"]


def test_results_are_on_disk_as_soon_as_they_are_there(tmp_path: Path) -> None:
    filled(tmp_path)
    there = Results.go_on(tmp_path, content(), force=False)
    assert there.has("Length", "encoder_ner", 2)
    assert not there.has("Length", "encoder_ner", 3)
    assert not there.has("Tense", "encoder_ner", 1)


def test_file_tells_the_summary_too(tmp_path: Path) -> None:
    filled(tmp_path)
    written = json.loads((tmp_path / RESULTS_FILE).read_text())
    assert written["summary"]["encoder_ner"]["Length"]["mean"] == 72.0
    assert list(written["summary"]["encoder_ner"]) == ["Length"]
    assert written["summary"]["text_field_embedder"]["Tense"]["deviation"] is None


@pytest.mark.parametrize(
    "changes, names",
    [
        ({"model": {"weights": "best_ner", "sha256": "2"}}, "model"),
        ({"protocol": {"engine": "own probe"}}, "protocol"),
        ({"data": {"Tense": {**FACTS, "sha256": "9"}}}, "data.Tense"),
    ],
)
def test_results_of_another_study_are_not_mixed_in(
    tmp_path: Path, changes: dict[str, Any], names: str
) -> None:
    filled(tmp_path)
    before = (tmp_path / RESULTS_FILE).read_bytes()
    with pytest.raises(DataError, match=f"differ .* in {names}. Choose another --output.*--force"):
        Results.go_on(tmp_path, content(**changes), force=False)
    assert (tmp_path / RESULTS_FILE).read_bytes() == before


def test_another_name_takes_the_place_of_the_first(tmp_path: Path) -> None:
    filled(tmp_path)
    assert Results.go_on(tmp_path, content(name="other"), force=False).name == "other"


def test_force_begins_anew(tmp_path: Path) -> None:
    filled(tmp_path)
    anew = Results.go_on(tmp_path, content(model={"sha256": "2"}), force=True)
    assert anew.tasks == []


def test_another_task_joins_those_that_are_there(tmp_path: Path) -> None:
    filled(tmp_path)
    results = Results.go_on(tmp_path, content(data={"Depth": FACTS}), force=False)
    results.add("Depth", "encoder_ner", 1, {"devacc": 1.0, "acc": 20.0})
    assert results.tasks == ["Length", "Tense", "Depth"]


@pytest.mark.parametrize("text, message", [("{", "cannot be read"), ("[1]", "is not what")])
def test_file_of_another_kind_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / RESULTS_FILE).write_text(text)
    with pytest.raises(DataError, match=message):
        Results.load(tmp_path)


def test_directory_without_results_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no senteval.json"):
        Results.load(tmp_path)


def test_other_data_or_protocol_cannot_stand_beside(tmp_path: Path) -> None:
    first = filled(tmp_path / "a")
    check_comparable([first, filled(tmp_path / "b", model={"sha256": "2"})])
    other = filled(tmp_path / "c", data={"Length": {**FACTS, "sha256": "9"}, "Tense": FACTS})
    with pytest.raises(DataError, match="its data of Length are not those of run"):
        check_comparable([first, other])
    with pytest.raises(DataError, match="its protocol is"):
        check_comparable([first, filled(tmp_path / "d", protocol={"engine": "other"})])


def test_facts_count_the_majority_of_the_training_partition(tmp_path: Path) -> None:
    write_probing_data(tmp_path)
    data = read_probing_data("Length", tmp_path)
    facts = facts_of(data)
    train = data.partitions["tr"].labels
    most = max(("long", "short"), key=train.count)
    assert facts["majority"]["class"] == most
    test = data.partitions["te"].labels
    assert facts["majority"]["acc"] == pytest.approx(100 * test.count(most) / len(test))
    assert [facts[key] for key in ("ntrain", "ndev", "ntest")] == [41, 13, 14]


@pytest.mark.parametrize("accuracy, count, error", [(50.0, 100, 5.0), (100.0, 7, 0.0)])
def test_standard_error_is_that_of_a_share(accuracy: float, count: int, error: float) -> None:
    assert standard_error(accuracy, count) == pytest.approx(error)
