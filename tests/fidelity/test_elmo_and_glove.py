"""The embedders of the published models, in files of their formats, under the whole hierarchy."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from hmtl.config.loading import load_config
from hmtl.config.schema import SPLITS
from hmtl.runs.assembly import assemble, parse_config
from hmtl.runs.directory import METRICS_FILE
from hmtl.runs.evaluation import evaluate, load
from hmtl.runs.training import train
from tests.elmo_files import write_elmo_files
from tests.fixtures import TASKS, tiny_config, write_corpus

GLOVE_DIM, ELMO_DIM, CHARACTER_FILTERS = 5, 8, 4
GLOVE = {"she": [1.0, 2, 3, 4, 5], "oslo": [-1.0, 0, 1, 0, 1], "likes": [0.5, 0, 0, 0, 0]}
INDEXERS = {
    "tokens": {"type": "single_id", "lowercase_tokens": True},
    "elmo": {"type": "elmo_characters"},
    "token_characters": {"type": "characters"},
}


def write_glove(path: Path) -> Path:
    lines = [f"{word} {' '.join(map(str, vector))}\n" for word, vector in GLOVE.items()]
    content = "".join(lines).encode("utf-8")
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


@pytest.fixture(params=["glove.txt", "glove.txt.gz"])
def config_file(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A config in the form of 2018, with its sizes written out."""
    config = tiny_config(write_corpus(tmp_path / "corpus"))
    for task in TASKS:
        config[f"task_{task}"]["data_params"]["dataset_reader"]["token_indexers"] = INDEXERS
    options_file, weight_file = write_elmo_files(tmp_path)
    embedders: dict[str, Any] = {
        "tokens": {
            "type": "embedding",
            "pretrained_file": str(write_glove(tmp_path / request.param)),
            "embedding_dim": GLOVE_DIM,
            "trainable": True,
        },
        "elmo": {
            "type": "elmo_token_embedder",
            "options_file": str(options_file),
            "weight_file": str(weight_file),
            "do_layer_norm": False,
            "dropout": 0.0,
        },
        "token_characters": {
            "type": "character_encoding",
            "embedding": {"embedding_dim": 3},
            "encoder": {
                "type": "cnn",
                "embedding_dim": 3,
                "num_filters": CHARACTER_FILTERS,
                "ngram_filter_sizes": [3],
            },
            "dropout": 0.1,
        },
    }
    config["model"]["text_field_embedder"] = {"token_embedders": embedders}
    width = GLOVE_DIM + ELMO_DIM + CHARACTER_FILTERS
    config["model"]["ner"]["encoder"]["input_size"] = width
    config["model"]["emd"]["encoder"]["input_size"] = width + 2 * 4
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    return path


def test_every_task_trains_a_step_on_glove_elmo_and_characters(config_file: Path) -> None:
    run = config_file.parent / "run"
    run.mkdir()
    experiment = assemble(parse_config(load_config(config_file)), run, SPLITS)
    model = experiment.model
    embedder = model.encoders.text_field_embedder
    words = embedder.get_parameter("token_embedder_tokens.weight")
    for word, vector in GLOVE.items():
        found = words[experiment.vocab.get_token_index(word)]
        torch.testing.assert_close(found.detach(), torch.tensor(vector))
    before = {name: weight.clone() for name, weight in embedder.named_parameters()}
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
    for data in experiment.tasks:
        assert data.training is not None
        optimizer.zero_grad()
        model(data.task.name, data.training.next_batch(), compute_metrics=False)["loss"].backward()
        optimizer.step()
    changed = {
        name
        for name, weight in embedder.named_parameters()
        if not torch.equal(weight, before[name])
    }
    assert "token_embedder_tokens.weight" in changed
    # Of ELMo nothing but how its layers are mixed.
    assert {name for name in changed if "elmo" in name} == {
        name for name in before if "scalar_mix" in name
    }


def test_a_run_with_elmo_and_glove_is_trained_and_scored(config_file: Path) -> None:
    run = config_file.parent / "run"
    trained = train(load_config(config_file), run, recover=False, force=False)
    assert (run / METRICS_FILE).exists()
    # What the vectors began as is of no more use.
    for path in config_file.parent.glob("glove*"):
        path.unlink()
    scored = evaluate(run, gold_mentions=False)
    for task in TASKS:
        assert scored[task]["test"] == trained[task]["test"]


def test_predictions_do_not_depend_on_what_was_predicted_before(config_file: Path) -> None:
    run = config_file.parent / "run"
    train(load_config(config_file), run, recover=False, force=False)
    experiment = load(run)
    experiment.load_best("ner")
    experiment.model.eval()
    (test,) = (data.test for data in experiment.tasks if data.task.name == "ner")
    assert test is not None
    with torch.inference_mode():
        losses = [
            [experiment.model("ner", batch)["loss"].item() for batch in test] for _ in range(2)
        ]
    assert losses[0] == losses[1]
