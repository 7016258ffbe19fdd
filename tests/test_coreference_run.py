"""Coreference with what its head takes beside the published form, from training to the answers."""

import json
from pathlib import Path

from hmtl.prediction.predictor import Predictor
from hmtl.runs.training import train
from tests.fixtures import completed, tiny_config, write_corpus


def test_antecedents_are_learned_and_answered(tmp_path: Path) -> None:
    config = tiny_config(write_corpus(tmp_path / "corpus"), ("coref",))
    config["model"]["coref"]["encoder"] = {
        "type": "lstm",
        "hidden_size": 12,
        "bidirectional": True,
    }
    # Of the 22 spans that are kept, more than four stand between a mention and its antecedent.
    config["model"]["coref"]["tagger"].update(
        coarse_to_fine=True,
        max_antecedents=4,
        spans_per_word=2.0,
        mention_loss=1.0,
        speakers=True,
    )
    config["task_coref"]["data_params"]["dataset_reader"]["speakers"] = True
    config["multi_task_trainer"].update(num_epochs=25, optimizer={"type": "adam", "lr": 0.02})
    train(completed(config), tmp_path / "run", recover=False, force=False)
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["coref"]["best_epoch_val_metrics"]["coref"]["coref_f1"] > 0.8
    predictor = Predictor.from_serialization_dir(tmp_path / "run")
    words = "Ann Lee met Bob in Oslo .".split(), "She likes him there .".split()
    (prediction,) = predictor.predict_tokens([list(words)])
    clusters = [{mention.text for mention in each} for each in prediction.clusters["coref"]]
    assert {"Ann Lee", "She"} in clusters and {"Oslo", "there"} in clusters
