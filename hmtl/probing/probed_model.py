"""The model of a run, as it is probed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from allennlp.common.checks import ConfigurationError

from hmtl.common.files import sha256_of_tree
from hmtl.common.random_state import seed_everything
from hmtl.config.schema import Config, RunConfig
from hmtl.probing.layers import LayerEncoder, build_reader, choose_layers, layer_below, layer_names
from hmtl.runs.assembly import Experiment, build_model
from hmtl.runs.directory import VOCABULARY_DIR, load_vocabulary
from hmtl.runs.evaluation import config_of_run


@dataclass
class ProbedModel:
    """
    A model with the layers that are to be probed.

    `layers` are all that it has, from the bottom up: the width of each (`dim`) and the layer that it stacks
    on (`on`). `digest` is of everything that their vectors depend on.
    """

    encoder: LayerEncoder
    layers: dict[str, dict[str, Any]]
    digest: str


def load_model(
    serialization_dir: Path, task: str | None, layers: Sequence[str], device: torch.device
) -> ProbedModel:
    """
    The model of a run; its corpora need not be there.

    # Parameters

    serialization_dir : `Path`
    task : `str`, optional
        Whose best weights; `None` is what training would start from: fresh weights, drawn with the run's
        seed, and word vectors from a file if the config names one.
    layers : `Sequence[str]`
        Names of layers; `"all"` stands for every one.
    device : `torch.device`

    # Raises

    ConfigurationError
        When the run has no such task or layer.
    DataError
        When the directory holds no run, or no such weights.
    """
    config = config_of_run(serialization_dir, weights_follow=task is not None)
    names = config.task_names
    if task is not None and task not in names:
        raise ConfigurationError(
            f"--task {task}: the run has no such task. It has {', '.join(names)}."
        )
    experiment = _experiment(config, serialization_dir, device)
    if task is not None:
        experiment.load_best(task)
    block = config.task(task or names[0]).data_params.reader("train")
    model = experiment.model
    encoder = LayerEncoder(model, build_reader(block), choose_layers(model, layers), device)
    described = {
        layer: {"dim": encoder.dimension(layer), "on": layer_below(model, layer)}
        for layer in layer_names(model)
    }
    return ProbedModel(encoder, described, _digest(experiment, block))


def _experiment(config: RunConfig, serialization_dir: Path, device: torch.device) -> Experiment:
    vocab = load_vocabulary(serialization_dir / VOCABULARY_DIR)
    seed_everything(config.seed)
    model = build_model(config, vocab)
    return Experiment(
        config=config,
        serialization_dir=serialization_dir,
        vocab=vocab,
        tasks=[],
        model=model.to(device),
        device=device,
    )


def _digest(experiment: Experiment, reader: Config) -> str:
    """The SHA-256 of a model's weights, its part of the config, its vocabulary and its reader's block."""
    digest = hashlib.sha256()
    described = {"model": experiment.config.source["model"], "reader": reader}
    digest.update(json.dumps(described, sort_keys=True).encode())
    digest.update(sha256_of_tree(experiment.serialization_dir / VOCABULARY_DIR).encode())
    for name, tensor in sorted(experiment.model.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
