"""Thresholds and temperatures: set with validation data, kept in the run, heeded by whatever opens it."""

import json
import logging
from pathlib import Path

import pytest

from hmtl.errors import DataError
from hmtl.models.heads.relation_extractor import RelationExtractor
from hmtl.prediction.predictor import Predictor
from hmtl.runs.calibration import (
    CALIBRATION_FILE,
    HeadCalibration,
    fingerprint,
    read_calibration,
    write_calibration,
)
from hmtl.runs.evaluation import evaluate
from hmtl.runs.tuning import ONE, PER_LABEL, calibrate
from tests.prediction.runs import change_weights, make_tiny_run

TEXT = "Ann Lee met Bob in Oslo. She likes him there."


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return make_tiny_run(tmp_path)


@pytest.mark.parametrize("thresholds", [ONE, PER_LABEL])
def test_thresholds_are_those_of_the_best_f1_and_stay_with_the_run(run: Path, thresholds) -> None:
    before = evaluate(run, gold_mentions=False)
    tuned = {each.task: each for each in calibrate(run, thresholds, True, False)}
    assert set(tuned) == {"ner", "emd", "relation", "coref"}
    for each in tuned.values():
        assert each.headline[2] >= each.headline[1]
    # Random weights find relations everywhere.
    assert tuned["relation"].headline[2] > 0.0
    kept = read_calibration(run)
    assert kept == {task: each.calibration for task, each in tuned.items()}
    after = evaluate(run, gold_mentions=False)
    figures = [each["relation"]["calibration"]["answers"] for each in (before, after)]
    assert figures[1] < figures[0]
    with pytest.raises(DataError, match="is there already. Replace it with --force"):
        calibrate(run, thresholds, True, False)
    assert calibrate(run, None, True, True)[0].calibration.thresholds == {}


def test_the_predictor_heeds_them_unless_they_are_of_other_weights(
    run: Path, caplog: pytest.LogCaptureFixture
) -> None:
    plain = Predictor.from_serialization_dir(run, device="cpu", scores=True)
    (before,) = plain.predict_texts([TEXT])
    found = sorted(each.score or 0.0 for each in before.relations["relation"])
    middle = found[len(found) // 2]
    assert found[0] < middle
    head = plain.model.heads["relation"]
    assert isinstance(head, RelationExtractor)
    of_head = HeadCalibration(fingerprint(head), 2.0, dict.fromkeys(head.labels, middle - 1e-6))
    write_calibration(run, {"relation": of_head})
    heeding = Predictor.from_serialization_dir(run, device="cpu", scores=True)
    (after,) = heeding.predict_texts([TEXT])
    kept = [each for each in before.relations["relation"] if (each.score or 0.0) >= middle]
    assert [each.arg1.text for each in after.relations["relation"]] == [r.arg1.text for r in kept]
    for cooled, own in zip(after.relations["relation"], kept, strict=True):
        assert cooled.score is not None and own.score is not None
        assert (cooled.score / (1 - cooled.score)) ** 2 == pytest.approx(
            own.score / (1 - own.score)
        )
    change_weights(run, "relation")
    with caplog.at_level(logging.WARNING):
        assert Predictor.from_serialization_dir(run).predict_texts([TEXT])
    assert "calibration.json is of other weights of relation" in caplog.text


@pytest.mark.parametrize(
    "content",
    ["{", "[]", '{"ner": 3}', '{"ner": {"head": "a", "temperature": "hot"}}']
    + [
        '{"ner": {"head": "a", "temperature": NaN}}',
        '{"ner": {"head": "a", "thresholds": {"X": 2}}}',
    ],
)
def test_a_file_that_says_something_else_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / CALIBRATION_FILE).write_text(content)
    with pytest.raises(DataError, match="is not as hmtl calibrate writes it"):
        read_calibration(tmp_path)


def test_it_is_plain_json(tmp_path: Path) -> None:
    write_calibration(tmp_path, {"ner": HeadCalibration("a", 1.5, {"PER": 0.4})})
    expected = {"head": "a", "temperature": 1.5, "thresholds": {"PER": 0.4}}
    assert json.loads((tmp_path / CALIBRATION_FILE).read_text()) == {"ner": expected}
