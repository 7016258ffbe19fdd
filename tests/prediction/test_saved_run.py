"""What is saved of a run is all that it needs elsewhere."""

from pathlib import Path

import pytest

from hmtl.prediction.predictor import Predictor
from hmtl.prediction.saved_run import save_for_prediction
from tests.elmo_files import write_elmo_files
from tests.fixtures import tiny_config, write_corpus
from tests.prediction.runs import change_weights, make_run, make_tiny_run

TEXT = "Ann Lee met Bob in Oslo."


def test_files_of_an_elmo_are_taken_along(tmp_path: Path) -> None:
    config = tiny_config(write_corpus(tmp_path / "corpus"), ("ner",))
    options, weights = write_elmo_files(tmp_path)
    indexers = {"elmo": {"type": "elmo_characters"}}
    config["task_ner"]["data_params"]["dataset_reader"]["token_indexers"] = indexers
    elmo = {"options_file": str(options), "weight_file": str(weights)}
    embedders = {"elmo": {"type": "elmo_token_embedder", "dropout": 0.0, **elmo}}
    config["model"]["text_field_embedder"] = {"token_embedders": embedders}
    run = make_run(tmp_path / "run", config)
    predictor = Predictor.from_serialization_dir(run)
    expected = predictor.predict_texts([TEXT])
    save_for_prediction(run, tmp_path / "saved", predictor.weights)
    for file in (options, weights):
        file.unlink()
    run.rename(tmp_path / "gone")
    assert Predictor.from_serialization_dir(tmp_path / "saved").predict_texts([TEXT]) == expected


@pytest.mark.parametrize("tasks", [("ner",), ("ner", "emd")])
def test_what_was_saved_before_is_replaced(tmp_path: Path, tasks: tuple[str, ...]) -> None:
    for number, names in enumerate((("ner", "emd", "relation"), tasks)):
        run = make_tiny_run(tmp_path / str(number), names)
        change_weights(run, "ner")
        predictor = Predictor.from_serialization_dir(run)
        save_for_prediction(run, tmp_path / "saved", predictor.weights)
    saved = Predictor.from_serialization_dir(tmp_path / "saved")
    assert saved.predict_texts([TEXT]) == predictor.predict_texts([TEXT])
    found = {path.name for path in (tmp_path / "saved").iterdir()}
    own = {f"model-best_{task}.safetensors" for task in tasks if len(tasks) > 1}
    assert found == {"config.json", "vocabulary", "model.safetensors", *own}
