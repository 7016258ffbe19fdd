"""The way of a new user, as the README tells it: from texts annotated in brat to a trained model."""

import json
from pathlib import Path

import pytest

from tests.running import REPOSITORY, Scripts

PREPARE = "hmtl import"
CONFIG = "configs/own_corpus.json"
TASKS = ("emd", "relation", "coref")
SMALL = {
    "multi_task_trainer.num_epochs": 1,
    "model.coref.tagger.max_antecedents": 5,
    **{f"task_{task}.data_params.dataset_reader.max_instances": 4 for task in TASKS},
}


@pytest.mark.slow
def test_brat_corpus_becomes_a_trained_model(
    run_script: Scripts, sample_dir: Path, tmp_path: Path
) -> None:
    corpus, run = tmp_path / "my_corpus", tmp_path / "mine"
    finished = run_script(PREPARE, "brat", sample_dir / "brat", corpus)
    assert finished.code == 0, finished.err
    overrides = json.dumps({**SMALL, "data_root": str(corpus)})
    finished = run_script("train.py", "-c", REPOSITORY / CONFIG, "-s", run, "-o", overrides)
    assert finished.code == 0, finished.err
    metrics = json.loads((run / "metrics.json").read_text())
    assert {task for task in metrics if task in TASKS} == set(TASKS)
    assert all("loss" in metrics[task]["test"][task] for task in TASKS)
