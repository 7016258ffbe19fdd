"""A run's model card: what it was trained on, what it scores, and with what it was made."""

import json
from pathlib import Path
from typing import Any, Dict, List, Mapping, Sequence, Union

import torch

from hmtl.common.document import Heading, Paragraph, Part, Table, as_markdown
from hmtl.common.files import replacing
from hmtl.common.reporting import BEST_EPOCH, headline_columns
from hmtl.config.building import type_of
from hmtl.config.loading import token_embedders
from hmtl.config.schema import RunConfig
from hmtl.data.batch_stream import BatchStream, EvaluationBatches
from hmtl.data.streamed_instances import StreamedInstances
from hmtl.runs.directory import CONFIG_FILE, PRETRAINED_DIR
from hmtl.runs.environment import ENVIRONMENT_FILE
from hmtl.training.tasks import TaskData

# Keys of `multi_task_trainer` that say how it was trained.
TOLD = (
    *("sampling_method", "loss_weighting", "gradient_surgery", "gradient_accumulation_steps"),
    *("optimizer", "lr_factor_below", "scheduler", "patience", "grad_norm", "grad_clipping"),
)

Batches = Union[BatchStream, EvaluationBatches]

MODEL_CARD_FILE = "model_card.md"
# Versions worth a line; the others are in the environment's file.
MAIN_PACKAGES = ("torch", "allennlp", "transformers", "numpy", "spacy")


def write_model_card(
    directory: Path,
    config: RunConfig,
    metrics: Mapping[str, Any],
    model: torch.nn.Module,
    tasks: Sequence[TaskData],
) -> None:
    """
    # Parameters

    directory : `Path`
        Of the run; it holds the record of the environment.
    config : `RunConfig`
    metrics : `Mapping[str, Any]`
        What will be in `metrics.json`.
    model : `torch.nn.Module`
    tasks : `Sequence[TaskData]`
        With the splits that were read.

    # Raises

    DataError
        When it cannot be written.
    """
    environments = json.loads((directory / ENVIRONMENT_FILE).read_text(encoding="utf-8"))
    parts = [
        *_introduction(config, sum(each.numel() for each in model.parameters())),
        *_scores(config, metrics),
        *_data(config, tasks, is_fine_tuned=(directory / PRETRAINED_DIR).is_dir()),
        *_training(config, metrics),
        *_software(environments[-1]),
    ]
    with replacing(directory / MODEL_CARD_FILE) as file:
        file.write(as_markdown(parts, pictures="").encode())


def _introduction(config: RunConfig, parameters: int) -> List[Part]:
    levels = config.model.levels
    embedders = ", ".join(
        f"{name} ({block.get('type', 'embedding')})"
        for name, block in token_embedders(config.source).items()
    )
    rows = [
        [
            name,
            type_of(level["tagger"]),
            _below(level),
            _encoder(level.get("encoder")),
        ]
        for name, level in levels.items()
    ]
    return [
        Heading(f"Model card: {', '.join(levels)}", 1),
        Paragraph(
            f"A hierarchical multi-task model of English text, trained with HMTL: {parameters:,} parameters, "
            f"base embedding of {embedders}. `config.json` describes it completely."
        ),
        Table(["level", "head", "stacks on", "encoder"], rows, words=True),
    ]


def _below(level: Mapping[str, Any]) -> str:
    below = level["stacks_on"]
    if below is None:
        return "the base embedding"
    return f"{below} and its labels" if level.get("label_embedding_dim") else str(below)


def _encoder(block: Any) -> str:
    if not isinstance(block, dict):
        return "that of the level below" if block is None else str(block)
    sizes = (f"{key} {block[key]}" for key in ("num_layers", "hidden_size") if key in block)
    return ", ".join([str(block.get("type")), *sizes])


def _scores(config: RunConfig, metrics: Mapping[str, Any]) -> List[Part]:
    titles, cells = headline_columns(metrics)
    rows = [
        [
            name,
            *cells[name],
            "" if (best := metrics[name].get("best_epoch")) is None else str(best + 1),
        ]
        for name in config.model.levels
        if name in cells
    ]
    return [
        Heading("Test scores"),
        Paragraph(
            "In percent, each task with the weights of its own best epoch on the validation data. All others "
            "are in `metrics.json`. They hold for text like the test data, and say nothing of other text."
        ),
        Table(["task", *titles, BEST_EPOCH], rows),
    ]


def _data(config: RunConfig, tasks: Sequence[TaskData], is_fine_tuned: bool) -> List[Part]:
    rows = [
        _split_row(data, split, batches, config.path(data.task.name, split))
        for data in tasks
        for split, batches in data.splits()
    ]
    said = (
        "What the texts are, who may use them and what they leave out is for their own documentation to "
        "say; the model has learned from them whatever they hold."
    )
    if is_fine_tuned:
        said += (
            f" It started from the weights of a model that was trained before, on the data that "
            f"`{PRETRAINED_DIR}/{CONFIG_FILE}` names; those are not in the table."
        )
    return [
        Heading("Data"),
        Paragraph(said),
        Table(["task", "split", "path", "instances", "bytes", "SHA-256"], rows, words=True),
    ]


def _split_row(data: TaskData, split: str, batches: Batches, path: Path) -> List[str]:
    instances = batches.instances
    number = "streamed" if isinstance(instances, StreamedInstances) else f"{len(instances):,}"
    return [
        data.task.name,
        split,
        str(path),
        number,
        f"{_num_bytes(path):,}",
        data.digests[split],
    ]


def _num_bytes(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def _training(config: RunConfig, metrics: Mapping[str, Any]) -> List[Part]:
    said = {key: getattr(config.trainer, key) for key in TOLD}
    rows = [
        ["seed", str(config.seed)],
        ["epochs", f"{metrics['nb_epoch_trained']} of at most {config.trainer.num_epochs}"],
        ["duration (DD:HH:MM:SS)", str(metrics["training_duration"])],
        *([key, json.dumps(value)] for key, value in said.items() if value is not None),
    ]
    return [Heading("Training"), Table(["what", "value"], rows, words=True)]


def _software(environment: Dict[str, Any]) -> List[Part]:
    commit = environment["commit"] or "unknown: no checkout"
    if environment["uncommitted_changes"]:
        commit += ", with changes that were not committed"
    torch = environment["torch"]
    versions = environment["packages"]
    rows = [
        ["commit", commit],
        ["Python", f"{environment['python']} on {environment['platform']}"],
        ["CUDA", f"{torch['cuda'] or 'none'}; devices: {', '.join(torch['devices']) or 'no GPU'}"],
        *([name, versions[name]] for name in MAIN_PACKAGES if name in versions),
    ]
    return [
        Heading("Software"),
        Table(["what", "version"], rows, words=True),
        Paragraph(f"All packages are in `{ENVIRONMENT_FILE}`."),
    ]
