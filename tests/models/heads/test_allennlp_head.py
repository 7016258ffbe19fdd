"""Readers and heads of AllenNLP, as they are."""

import json
from pathlib import Path

import pytest

from hmtl.prediction.predictor import Predictor
from hmtl.runs.training import train
from tests.fixtures import completed, tiny_config

DATA = [{"text": "Ann eats soup", "label": "food"}, {"text": "Bob runs", "label": "sport"}]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("allennlp")
    (root / "data.jsonl").write_text("\n".join(map(json.dumps, DATA)))
    config = tiny_config(root, tasks=())
    config["task_topic"] = {
        "task_description": {"evaluate_on_test": True},
        "data_params": {
            "dataset_reader": {"type": "text_classification_json", "tokenizer": "just_spaces"},
            **{f"{split}_data_path": "data.jsonl" for split in ("train", "validation", "test")},
        },
    }
    vector = {"type": "bag_of_embeddings", "embedding_dim": 8}
    config["model"]["topic"] = {
        "encoder": {"type": "lstm", "hidden_size": 4, "bidirectional": True},
        "tagger": {
            "type": "allennlp",
            "head": {"type": "classifier", "seq2vec_encoder": vector},
            "of_documents": True,
        },
    }
    config["multi_task_trainer"].update(num_epochs=8, optimizer={"type": "adam", "lr": 0.1})
    train(completed(config), root / "run", recover=False, force=False)
    return root / "run"


def test_a_head_of_allennlp_is_trained_on_data_of_its_reader(run: Path) -> None:
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["topic"]["test"]["topic"]["accuracy"] == 1.0


def test_a_head_of_allennlp_answers_raw_text(run: Path) -> None:
    predictor = Predictor.from_serialization_dir(run)
    assert predictor.labels == {"topic": ["food", "sport"]}
    food, sport = predictor.predict_texts([DATA[0]["text"], DATA[1]["text"]])
    assert [(each.type, each.text) for each in food.text_labels["topic"]] == [
        ("food", "Ann eats soup")
    ]
    assert [each.type for each in sport.text_labels["topic"]] == ["sport"]
