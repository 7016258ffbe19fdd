"""
Departures from the 2018 code that no other test holds, and the table of them all (docs/DEPARTURES.md).
"""

import json
import re
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import torch

from hmtl.common.tensors import load_tensors
from hmtl.config.loading import complete
from hmtl.config.schema import SPLITS
from hmtl.errors import DataError
from hmtl.runs import assembly
from hmtl.runs.assembly import assemble, parse_config
from hmtl.runs.evaluation import evaluate
from hmtl.runs.training import build_trainer, format_duration, train
from hmtl.training.callbacks import Callback, EpochReport
from hmtl.training.tasks import TaskProgress
from tests.fixtures import TASKS, tiny_config, write_corpus

REPOSITORY = Path(__file__).resolve().parent.parent.parent
DEPARTURES = REPOSITORY / "docs" / "DEPARTURES.md"
FAULTS_IN_SPEC = 17


@pytest.fixture
def config(tmp_path: Path) -> dict[str, Any]:
    return complete(tiny_config(write_corpus(tmp_path / "corpus")))


def with_label_in_dev(tmp_path: Path) -> None:
    """Gives a mention of the development data a type that training does not have."""
    path = tmp_path / "corpus" / "ace" / "dev" / "a.like_conll"
    lines = path.read_text().splitlines(keepends=True)
    position = next(index for index, line in enumerate(lines) if "Oslo" in line)
    lines[position] = lines[position].replace("(GPE)", "(LOC)")
    path.write_text("".join(lines))


def test_evaluate_scores_coreference_on_gold_mentions_if_told(tmp_path: Path, config) -> None:
    run = tmp_path / "run"
    train(config, run, recover=False, force=False)
    found = evaluate(run, gold_mentions=False)["coref"]["test"]["coref"]
    metrics = evaluate(run, gold_mentions=True)
    given = metrics["coref"]["test"]["coref"]
    assert found["mention_recall"] < given["mention_recall"] == 1.0
    assert list(metrics) == list(TASKS)
    assert all(entry["gold_mentions"] is True for entry in metrics.values())


def test_a_label_that_training_never_saw_is_found_before_training(tmp_path: Path, config) -> None:
    with_label_in_dev(tmp_path)
    with pytest.raises(
        DataError, match=r"a\.like_conll:2: the label 'U-LOC' in the validation data"
    ):
        train(config, tmp_path / "run", recover=False, force=False)


def test_a_label_that_training_never_saw_may_be_scored_as_a_miss(tmp_path: Path, config) -> None:
    with_label_in_dev(tmp_path)
    config["unseen_labels"] = "miss"
    metrics = train(config, tmp_path / "run", recover=False, force=False)
    assert metrics["emd"]["best_epoch_val_metrics"]["emd"]["recall-overall"] < 1.0


def test_each_tagger_has_the_dropout_of_its_own_config(tmp_path: Path, config) -> None:
    config["model"]["ner"]["tagger"]["dropout"] = 0.2
    config["model"]["emd"]["tagger"]["dropout"] = 0.4
    (tmp_path / "run").mkdir()
    heads: Any = assemble(parse_config(config), tmp_path / "run", SPLITS).model.heads
    assert [heads[name].dropout.p for name in ("ner", "emd")] == [0.2, 0.4]


@pytest.mark.parametrize(
    "seconds, expected",
    [(0, "00:00:00:00"), (59.6, "00:00:01:00"), (90061, "01:01:01:01"), (3e6, "34:17:20:00")],
)
def test_training_duration_counts_days_from_zero(seconds, expected) -> None:
    assert format_duration(seconds) == expected


def test_a_task_that_voted_to_stop_is_still_trained(tmp_path: Path, config, monkeypatch) -> None:
    config["multi_task_trainer"]["num_epochs"] = 2
    (tmp_path / "run").mkdir()
    trainer = build_trainer(assemble(parse_config(config), tmp_path / "run", SPLITS))
    reports: list[EpochReport] = []

    class Noting(Callback):
        def on_epoch(self, report: EpochReport) -> None:
            reports.append(report)

    trainer.callbacks = [Noting()]
    monkeypatch.setattr(
        TaskProgress, "votes_to_stop", property(lambda progress: progress.task.name == "ner")
    )
    trainer.train()
    assert [report.proportions["ner"] > 0 for report in reports] == [True, True]


def test_epochs_trained_of_a_task_are_passes_over_its_own_data(tmp_path: Path, config) -> None:
    config["multi_task_trainer"]["num_epochs"] = 4
    metrics = train(config, tmp_path / "run", recover=False, force=False)
    history = json.loads((tmp_path / "run" / "history.json").read_text())
    for task, num_batches in {"ner": 3, "emd": 4, "relation": 2, "coref": 3}.items():
        share = sum(epoch["proportions"][task] for epoch in history["epochs"])
        steps = round(share * history["steps_per_epoch"])
        assert metrics[task]["nb_epoch_trained"] == steps // num_batches
    assert metrics["nb_epoch_trained"] == 4


def test_training_stops_once_all_tasks_voted(tmp_path: Path, config, monkeypatch) -> None:
    config["multi_task_trainer"]["num_epochs"] = 9
    votes = property(lambda progress: len(progress.history) >= 2)
    monkeypatch.setattr(TaskProgress, "votes_to_stop", votes)
    metrics = train(config, tmp_path / "run", recover=False, force=False)
    assert metrics["nb_epoch_trained"] == 2


def test_a_run_needs_no_patience(tmp_path: Path, config) -> None:
    config["multi_task_trainer"]["patience"] = None
    assert train(config, tmp_path / "run", recover=False, force=False)["nb_epoch_trained"] == 1


def test_weights_written_on_a_gpu_are_read_without_one(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(torch.serialization, "location_tag", lambda storage: "cuda:0")
    torch.save({"weight": torch.arange(3.0)}, tmp_path / "best_ner.th")
    if not torch.cuda.is_available():
        with pytest.raises(RuntimeError, match="CUDA"):
            torch.load(tmp_path / "best_ner.th", weights_only=True)
    assert load_tensors(tmp_path / "best_ner.th")["weight"].tolist() == [0.0, 1.0, 2.0]


@pytest.mark.parametrize("entry", ["train", "evaluate"])
def test_equal_weights_are_scored_once(tmp_path: Path, config, monkeypatch, entry) -> None:
    # After one epoch the best weights of all tasks are those of that epoch.
    run = tmp_path / "run"
    score = Mock(wraps=assembly.evaluate_on_test)
    if entry == "evaluate":
        train(config, run, recover=False, force=False)
    monkeypatch.setattr(assembly, "evaluate_on_test", score)
    if entry == "train":
        metrics = train(config, run, recover=False, force=False)
    else:
        metrics = evaluate(run, gold_mentions=False)
    assert score.call_count == 1
    assert set(TASKS) <= metrics.keys()


def test_every_fault_of_the_reference_is_in_the_table() -> None:
    rows = re.findall(r"^\| (\d+) \|", DEPARTURES.read_text(encoding="utf-8"), re.MULTILINE)
    assert [int(row) for row in rows] == list(range(1, FAULTS_IN_SPEC + 1))


def test_every_test_that_the_table_names_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", DEPARTURES.read_text(encoding="utf-8"))
    assert len(named) > FAULTS_IN_SPEC
    missing = [
        f"{path}::{name}"
        for path, name in named
        if not (REPOSITORY / path).is_file()
        or f"def {name}(" not in (REPOSITORY / path).read_text(encoding="utf-8")
    ]
    assert missing == []
