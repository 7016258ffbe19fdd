"""fine_tune.py as a user runs it, on the sample corpora."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.running import REPOSITORY, Finished, Scripts
from tests.training.small_runs import OVERRIDES

CONFIG = REPOSITORY / "configs" / "hmtl_sample.json"


def overrides(**changed: Any) -> str:
    """By dotted path with `__` for the dots."""
    return json.dumps(
        {**OVERRIDES, **{name.replace("__", "."): value for name, value in changed.items()}}
    )


@pytest.fixture
def pretrained(run_script: Scripts, tmp_path: Path) -> Path:
    directory = tmp_path / "pretrained"
    assert run_script("train.py", "-c", CONFIG, "-s", directory, "-o", overrides()).code == 0
    return directory


# More words and labels, a task more, one dropped; the names are kept.
CHANGED: dict[str, Any] = {
    "tasks": ["ner", "emd"],
    "task_ner__data_params__dataset_reader__max_instances": 40,
    "task_emd__data_params__dataset_reader__max_instances": 8,
    "model__emd__encoder__hidden_size": 4,
}


def fine_tuned(run_script: Scripts, directory: Path, pretrained: Path, *more: str) -> Finished:
    return run_script(
        "fine_tune.py",
        *("-c", CONFIG, "-s", directory, "-p", pretrained, "-m", "best_ner.th"),
        *("-o", overrides(**CHANGED), *more),
    )


def test_fine_tuning_leaves_what_a_training_leaves(
    run_script: Scripts, pretrained: Path, tmp_path: Path
) -> None:
    done = fine_tuned(run_script, tmp_path / "run", pretrained)
    assert done.code == 0, done.err
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert {"config.json", "vocabulary", "best_ner.th", "best_emd.th", "metrics.json"} <= names
    assert list((tmp_path / "run" / "log" / "train").glob("events.*"))
    scores, *by_label, forgotten, where = done.out.strip().split("\n\n")
    assert [line.split()[0] for line in scores.splitlines()[2:]] == ["ner", "emd"]
    assert [line.split()[0] for line in forgotten.splitlines()[2:]] == ["ner", "relation"]
    assert forgotten.splitlines()[0].split() == "test metric before best of ner best of emd".split()
    assert str(tmp_path / "run") in where
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    evaluated = run_script("evaluate.py", "-s", tmp_path / "run")
    assert evaluated.code == 0, evaluated.err
    again = json.loads((tmp_path / "run" / "evaluate_metrics.json").read_text())
    for task in ("ner", "emd"):
        assert again[task]["test"] == metrics[task]["test"]


def test_run_that_is_there_is_neither_replaced_nor_taken_for_another(
    run_script: Scripts, pretrained: Path, tmp_path: Path
) -> None:
    assert fine_tuned(run_script, tmp_path / "run", pretrained).code == 0
    assert "--recover" in fine_tuned(run_script, tmp_path / "run", pretrained).error
    arguments = ("-c", CONFIG, "-s", tmp_path / "run", "-o", overrides(**CHANGED), "-r")
    assert "was started by hmtl fine-tune" in run_script("train.py", *arguments).error
    plain = ("-c", CONFIG, "-s", pretrained, "-p", tmp_path / "run", "-m", "best_ner.th", "-r")
    done = run_script("fine_tune.py", *plain, "-o", overrides())
    assert "was not started by hmtl fine-tune" in done.error
    assert fine_tuned(run_script, tmp_path / "run", pretrained, "-r").code == 0
    assert fine_tuned(run_script, tmp_path / "run", pretrained, "-f").code == 0
