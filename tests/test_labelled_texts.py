"""A classifier of texts beside names, from the sample messages to spaCy."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import spacy

from hmtl.prediction import spacy_component  # noqa: F401  (registers the component)
from hmtl.prediction.predictor import Predictor
from hmtl.runs.evaluation import evaluate
from hmtl.runs.training import train
from tests.fixtures import completed, tiny_config, write_corpus
from tests.running import REPOSITORY, Scripts

MESSAGES = REPOSITORY / "data" / "sample" / "messages"
TEXT = "Please cancel my seat. We stay at home, the trip is off."


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = write_corpus(tmp_path_factory.mktemp("messages"))
    config = tiny_config(root, tasks=("ner",))
    config["task_kind"] = {
        "data_params": {
            "dataset_reader": {
                "type": "text_table",
                "token_indexers": {"tokens": {"type": "single_id", "lowercase_tokens": True}},
            },
            "data_path": f"{MESSAGES}/{{split}}.tsv",
        }
    }
    config["model"]["kind"] = {
        "stacks_on": "ner",
        "encoder": {"type": "lstm", "hidden_size": 8, "bidirectional": True},
        "tagger": {"type": "classifier", "of_documents": True, "class_weights": "balanced"},
    }
    config["multi_task_trainer"].update(num_epochs=8, optimizer={"type": "adam", "lr": 0.02})
    train(completed(config), root / "run", recover=False, force=False)
    yield root / "run"


def test_it_learns_and_is_scored_by_its_headline(run: Path, run_script: Scripts) -> None:
    metrics = json.loads((run / "metrics.json").read_text())["kind"]
    scores = metrics["test"]["kind"]
    assert scores["f1-measure-overall"] == scores["accuracy"] >= 0.75
    assert evaluate(run, gold_mentions=False)["kind"]["test"] == metrics["test"]
    header = run_script("evaluate.py", "-s", run).out.splitlines()[0]
    assert "F1" in header and "accuracy" in header and "macro F1" in header


def test_it_answers_in_json(run: Path) -> None:
    (prediction,) = Predictor.from_serialization_dir(run).predict_texts([TEXT])
    (answer,) = prediction.to_json()["kind"]
    assert (answer["type"], answer["text"]) == ("cancel", TEXT)


def test_it_answers_in_spacy(run: Path) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("hmtl", config={"serialization_dir": str(run)})
    doc = nlp(TEXT)
    assert doc._.kind == "cancel"
    assert doc.cats == {"ask": 0.0, "book": 0.0, "cancel": 1.0, "thank": 0.0}
