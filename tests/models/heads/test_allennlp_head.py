"""Readers and heads of AllenNLP, as they are."""

import json
from pathlib import Path

import pytest
import torch
from allennlp.common.util import is_distributed
from allennlp.training.metrics import (
    CategoricalAccuracy,
    FBetaMeasure,
    PearsonCorrelation,
)

from hmtl.compat import counting_alone
from hmtl.models.heads.allennlp_head import MetricCounts
from hmtl.prediction.predictor import Predictor
from hmtl.runs.training import train
from hmtl.training.distributed import DistributedProcessGroup
from tests.fixtures import completed, tiny_config
from tests.training.fake_collectives import FakeCollectives

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


def test_several_processes_can_train_it(run: Path) -> None:
    model = Predictor.from_serialization_dir(run).model
    DistributedProcessGroup(FakeCollectives(), local_rank=0).check_can_distribute(model)
    assert model.loss_divisor("topic", {"logits": torch.zeros(3, 2)}) == 3


def test_counts_of_metrics_are_added_up_and_their_settings_are_not() -> None:
    torch.manual_seed(0)
    predicted, gold = torch.randn(9, 4), torch.randint(4, (9,))
    whole, some, rest = (CategoricalAccuracy(top_k=2) for _ in range(3))
    whole(predicted, gold)
    some(predicted[:5], gold[:5])
    rest(predicted[5:], gold[5:])
    kept = json.loads(json.dumps(MetricCounts(rest).state_dict()))
    MetricCounts(some).merge(kept)
    assert some.get_metric() == whole.get_metric()
    MetricCounts(some).load_state_dict(kept)
    assert some.get_metric() == rest.get_metric()


@pytest.mark.parametrize("metric", [FBetaMeasure(), PearsonCorrelation()])
def test_metrics_that_do_not_count_in_numbers_are_no_counters(metric: object) -> None:
    assert not MetricCounts(metric).is_complete  # type: ignore[arg-type]


def test_metrics_do_not_wait_for_other_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    assert is_distributed()
    with counting_alone():
        assert not is_distributed()
    assert is_distributed()
