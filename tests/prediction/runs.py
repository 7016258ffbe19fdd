"""Runs that were never trained, but whose random weights find something everywhere."""

import json
from pathlib import Path

import torch

from hmtl.common.files import write_json
from hmtl.common.tensors import load_tensors
from hmtl.runs.directory import CONFIG_FILE, VOCABULARY_DIR
from hmtl.training.checkpoints import best_weights_name, save_tensors
from tests.fixtures import (
    TASKS,
    Config,
    assembled,
    completed,
    config_with_characters,
    write_corpus,
)


def make_run(directory: Path, config: Config) -> Path:
    """The directory of a run with a config: its vocabulary, and random weights as each task's best."""
    config = json.loads(json.dumps(config))
    directory.mkdir(parents=True)
    experiment = assembled(config, directory)
    torch.manual_seed(7)
    for parameter in experiment.model.parameters():
        # Large enough that something is predicted.
        torch.nn.init.normal_(parameter)
    for task in experiment.model.levels:
        save_tensors(directory / best_weights_name(task), experiment.model.state_dict())
    write_json(directory / CONFIG_FILE, completed(config))
    assert (directory / VOCABULARY_DIR).is_dir()
    return directory


def change_weights(
    run: Path, task: str, seed: int = 1, kept: str = "token_embedder_tokens"
) -> None:
    """Gives the best weights of a task other values, but for a part: the embedding of words."""
    path = run / best_weights_name(task)
    weights = load_tensors(path)
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in weights.items():
        if tensor.is_floating_point() and kept not in name:
            tensor += torch.randn(tensor.shape, generator=generator)
    path.unlink()
    save_tensors(path, weights)


def make_tiny_run(directory: Path, tasks: tuple[str, ...] = TASKS) -> Path:
    """Such a run on the tiny corpora."""
    config = config_with_characters(write_corpus(directory / "corpus"), tasks)
    return make_run(directory / "run", config)
