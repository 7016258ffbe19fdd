"""Every config that the project ships describes a model that can be built, and trained for a step."""

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch

from hmtl.config.checking import check_config
from hmtl.config.loading import Config, differences, load_config, task_names
from hmtl.config.schema import SPLITS
from hmtl.runs.assembly import Experiment, assemble, parse_config
from hmtl.runs.training import build_trainer
from tests.configs_of_2018 import BASE_DIM, COREF_DIM, ENCODED_DIM, MODELS, config_of_2018
from tests.elmo_files import write_elmo_files
from tests.fixtures import write_corpus
from tests.running import REPOSITORY
from tests.transformer_files import with_transformer, write_transformer

CONFIGS = {path.stem: path for path in sorted((REPOSITORY / "configs").glob("*.json"))}

# GloVe, and each direction of ELMo.
GLOVE_DIM, ELMO_DIM = 100, 512

TRANSFORMER = "encoders.text_field_embedder.token_embedder_bert._matched_embedder.transformer_model"

# Where the corpus of the tests has what a reader reads.
SOURCES = {
    "ner_ontonotes": "ontonotes/{}.gold_conll",
    "coref": "ontonotes/{}.gold_conll",
    "mention_ace": "ace/{}/a.like_conll",
    "relation_ace": "ace/{}/a.like_conll",
    "coref_ace": "ace/{}/a.like_conll",
    "conllu": "ontonotes/{}.conllu",
    "docred": "docred/{}.json",
}
EMBEDDERS = "model.text_field_embedder.token_embedders"
INDEXERS = "task_{}.data_params.dataset_reader.token_indexers"
NAMES_OF_SPLITS = {"train": "train", "validation": "dev", "test": "test"}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def embeddings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Small files in the formats of GloVe, ELMo and BERT, by the key that names such a file."""
    directory = tmp_path_factory.mktemp("embeddings")
    glove = directory / "glove.txt.gz"
    with gzip.open(glove, "wt", encoding="utf-8") as file:
        for number, word in enumerate(("ann", "oslo", "the")):
            file.write(" ".join([word, *[f"0.{number}5"] * GLOVE_DIM]) + "\n")
    options, weights = write_elmo_files(directory, projection_dim=ELMO_DIM)
    bert = write_transformer(directory / "bert")
    files = {
        **{"pretrained_file": glove, "options_file": options, "weight_file": weights},
        **{"model_name": bert},
    }
    return {key: str(path) for key, path in files.items()}


def place_corpus(config: Config, corpus: Path, data_root: Path) -> None:
    """Puts the corpus of the tests where the config looks for its own."""
    for task in task_names(config):
        data = config[f"task_{task}"]["data_params"]
        for split, name in NAMES_OF_SPLITS.items():
            source = corpus / SOURCES[data["dataset_reader"]["type"]].format(name)
            target = data_root / data[f"{split}_data_path"]
            if not target.suffix:
                target = target / f"a.{source.suffix.removeprefix('.')}"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())


def experiment_of(
    path: Path, corpus: Path, embeddings: dict[str, str], directory: Path
) -> Experiment:
    overrides: dict[str, Any] = {
        "data_root": str(directory / "data"),
        "multi_task_trainer.cuda_device": -1,
        "multi_task_trainer.no_tqdm": True,
    }
    config = json.loads(path.read_text())
    places = {EMBEDDERS: config["model"]["text_field_embedder"]["token_embedders"]}
    if "token_indexers" in config:
        places["token_indexers"] = config["token_indexers"]
    for task in task_names(config):
        reader = config[f"task_{task}"]["data_params"]["dataset_reader"]
        places[INDEXERS.format(task)] = reader.get("token_indexers", {})
    for place, blocks in places.items():
        for entry, block in blocks.items():
            for key in embeddings.keys() & block.keys():
                overrides[f"{place}.{entry}.{key}"] = embeddings[key]
    config = load_config(path, json.dumps(overrides))
    return experiment_on(config, corpus, directory)


def experiment_on(config: Config, corpus: Path, directory: Path) -> Experiment:
    check_config(config)
    place_corpus(config, corpus, directory / "data")
    return assemble(parse_config(config), directory, SPLITS)


def test_all_configs_of_the_reference_are_here() -> None:
    assert {*MODELS, "hmtl_sample", "hmtl_open", "hmtl_published"} <= set(CONFIGS)


@pytest.mark.parametrize("name", CONFIGS)
def test_config_builds_and_trains_a_step_of_each_task(
    name: str, corpus: Path, embeddings: dict[str, str], tmp_path: Path
) -> None:
    train_a_step_of_each_task(experiment_of(CONFIGS[name], corpus, embeddings, tmp_path))


def train_a_step_of_each_task(experiment: Experiment) -> None:
    trainer = build_trainer(experiment)
    for task, training in trainer.tasks.items():
        loss = experiment.model(task, training.stream.next_batch())["loss"]
        loss.backward()
        assert torch.isfinite(loss), task
        training.optimizer.step()


@pytest.mark.parametrize("name", ["hmtl_open", "hmtl_minilm"])
def test_recipe_learns_each_task(
    name: str, corpus: Path, embeddings: dict[str, str], tmp_path: Path
) -> None:
    trainer = build_trainer(experiment_of(CONFIGS[name], corpus, embeddings, tmp_path))
    for task, training in trainer.tasks.items():
        batch = training.stream.next_batch()
        before: list[float] = []
        after: list[float] = []
        for losses in (before, after):
            trainer.model.eval()
            with torch.no_grad():
                losses.append(float(trainer.model(task, batch)["loss"]))
            trainer.model.train()
            for _ in range(10):
                trainer.train_step(task)
        assert after < before, task


# The others' tasks and readers are among these.
@pytest.mark.parametrize("name", ["hmtl_coref_conll", "ner_emd_coref_ace", "hmtl_open"])
def test_transformer_takes_the_place_of_any_embedding(
    name: str, corpus: Path, embeddings: dict[str, str], tmp_path: Path
) -> None:
    surroundings = {"data_root": str(tmp_path / "data"), "multi_task_trainer.cuda_device": -1}
    config = load_config(CONFIGS[name], json.dumps(surroundings))
    config = with_transformer(config, embeddings["model_name"], max_length=64, overlap=16)
    experiment = experiment_on(config, corpus, tmp_path)
    for data in experiment.tasks:
        assert data.training is not None
        experiment.model(data.task.name, data.training.next_batch())["loss"].backward()
    gradients = {name: each.grad is not None for name, each in experiment.model.named_parameters()}
    assert gradients[f"{TRANSFORMER}.encoder.layer.0.output.dense.weight"]


def encoder(hidden_size: int, num_layers: int) -> Config:
    return {
        "type": "lstm",
        "hidden_size": hidden_size,
        "num_layers": num_layers,
        "bidirectional": True,
        "dropout": 0.2,
    }


FEEDFORWARD = {"num_layers": 2, "hidden_dims": 150, "activations": "relu", "dropout": 0.3}
# SPEC 2, "Hyper-parameters of the full model".
PUBLISHED: dict[str, Any] = {
    "model.ner.encoder": encoder(64, 2),
    "model.emd.encoder": encoder(64, 2),
    "model.relation.encoder": encoder(64, 3),
    "model.coref.encoder": encoder(200, 1),
    "model.ner.tagger.constraint_type": "BIOUL",
    "model.emd.tagger.constraint_type": "BIOUL",
    "model.relation.tagger.hidden_dim": 64,
    "model.relation.tagger.activation": "relu",
    "model.coref.input_dropout": 0.5,
    "model.coref.tagger.mention_feedforward": FEEDFORWARD,
    "model.coref.tagger.antecedent_feedforward": FEEDFORWARD,
    "model.coref.tagger.feature_size": 20,
    "model.coref.tagger.max_span_width": 8,
    "model.coref.tagger.spans_per_word": 0.4,
    "model.coref.tagger.max_antecedents": 70,
    "iterators.iterator.batch_size": 32,
    "iterators.iterator_relation.batch_size": 4,
    "iterators.iterator_coref.batch_size": 1,
    "multi_task_trainer.optimizer": {"type": "adam", "lr": 0.001},
    "multi_task_trainer.scheduler.factor": 0.5,
    "multi_task_trainer.scheduler.patience": 5,
    "multi_task_trainer.patience": 10,
    "multi_task_trainer.num_epochs": 100,
    "multi_task_trainer.grad_norm": 5.0,
    "multi_task_trainer.grad_clipping": 10.0,
    "multi_task_trainer.min_lr": 1e-7,
}


@pytest.mark.parametrize("path, value", PUBLISHED.items())
def test_full_model_has_its_published_hyper_parameters(path: str, value: Any) -> None:
    found: Any = load_config(CONFIGS["hmtl_coref_conll"])
    for key in path.split("."):
        found = found[key]
    assert found == value


@pytest.mark.parametrize("name", ["hmtl_sample", "hmtl_open"])
def test_configs_that_need_no_download_name_no_embeddings(name: str) -> None:
    assert not any(key in CONFIGS[name].read_text() for key in ("pretrained_file", "elmo"))


# As they were written in 2018


@pytest.mark.parametrize("name", MODELS)
def test_config_of_2018_builds_and_trains_a_step_of_each_task(
    name: str, corpus: Path, embeddings: dict[str, str], tmp_path: Path
) -> None:
    experiment = experiment_of(file_of_2018(name, tmp_path), corpus, embeddings, tmp_path)
    train_a_step_of_each_task(experiment)
    _, levels, _ = MODELS[name]
    assert [data.task.name for data in experiment.tasks] == levels
    sizes = experiment.model.encoders.input_dims
    assert sizes == {level: BASE_DIM + ENCODED_DIM * (level != levels[0]) for level in levels}
    widths = {level: COREF_DIM if level == "coref" else ENCODED_DIM for level in levels}
    assert experiment.model.encoders.encoded_dims == widths


def file_of_2018(name: str, directory: Path) -> Path:
    path = directory / "of_2018.json"
    path.write_text(json.dumps(config_of_2018(name)))
    return path


# Where the data are, what 2018 did by default, and sizes and patterns that say the same in other words.
OTHERWISE = re.compile(
    r"seed|data_root|vocabulary|task_\w+\.data_params\.\w+_data_path"
    r"|(task_relation\.data_params\.dataset_reader|model\.relation\.tagger)\.label_namespace"
    r"|model\.type|model\.text_field_embedder\..*(_file|requires_grad|num_embeddings)"
    r"|model\.\w+\.(encoder\.input_size|tagger\.\w+_feedforward\.input_dim)"
    r"|model\.(coref\.tagger\.)?initializer(\..*)?"
    r"|model\.(ner|emd)\.input_dropout(_in_own_batches_only)?"
    r"|multi_task_trainer\.(cuda_device|log_gradient_statistics|summary_interval)"
)


# emd.json is over the data of mentions by another name.
@pytest.mark.parametrize("name", [name for name in MODELS if name != "emd"])
def test_our_config_says_what_that_of_2018_says(name: str, tmp_path: Path) -> None:
    of_2018 = load_config(file_of_2018(name, tmp_path))
    found = differences(of_2018, load_config(CONFIGS[name]))
    assert [path for path in found if not OTHERWISE.fullmatch(path)] == []
