"""A small directory of the form that the 2018 code left, for tests to import."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

Weights = dict[str, torch.Tensor]

WORD_DIM, CHARACTER_DIM, FILTERS, FILTER_WIDTH = 4, 2, 3, 3
EMBEDDING_DIM = WORD_DIM + FILTERS
HIDDEN = 2
SHORTCUT_DIM = EMBEDDING_DIM + 2 * HIDDEN
RELATION_DIM = 5
FEATURE_SIZE, MAX_SPAN_WIDTH, NUM_BUCKETS = 2, 3, 10
FEEDFORWARD_DIM = 4

WORDS = ["@@UNKNOWN@@", "the", "a", "in"]
CHARACTERS = ["@@UNKNOWN@@", "t", "h", "e", "a"]
TAGS = ["O", "B-PER", "I-PER", "L-PER", "U-PER"]
ACE_TYPES = ("PHYS", "PART-WHOLE", "PER-SOC", "ORG-AFF", "ART", "GEN-AFF")

INDEXERS = {
    "tokens": {"type": "single_id", "lowercase_tokens": True},
    "token_characters": {"type": "characters"},
}
READERS: dict[str, dict[str, Any]] = {
    "ner": {"type": "ner_ontonotes", "coding_scheme": "BIOUL", "label_namespace": "ner_labels"},
    "emd": {"type": "mention_ace", "label_namespace": "emd_labels"},
    "relation": {"type": "relation_ace"},
    "coref": {"type": "coref", "max_span_width": MAX_SPAN_WIDTH},
}


def write_reference_dir(
    directory: Path, tasks: Sequence[str], relation_types: Sequence[str] = ACE_TYPES
) -> Weights:
    """
    Writes `config.json`, `vocabulary/` and, for each task, `best_<task>.th`, all of the same weights,
    which it returns.
    """
    directory.mkdir()
    config = json.dumps(reference_config(tasks, len(relation_types)))
    (directory / "config.json").write_text(config, encoding="utf-8")
    _write_vocabulary(directory / "vocabulary", relation_types)
    weights = reference_weights(tasks, len(relation_types))
    for task in tasks:
        torch.save(weights, directory / f"best_{task}.th")
    return weights


def reference_config(tasks: Sequence[str], num_relation_types: int = 6) -> dict[str, Any]:
    config: dict[str, Any] = {
        f"task_{task}": {
            "task_description": {"task_name": task, "evaluate_on_test": True},
            "data_params": {
                "dataset_reader": {**READERS[task], "token_indexers": INDEXERS},
                **{f"{split}_data_path": split for split in ("train", "validation", "test")},
            },
        }
        for task in tasks
    }
    model: dict[str, Any] = {
        "type": "hmtl" if len(tasks) == 4 else "_".join(tasks),
        "text_field_embedder": {
            "token_embedders": {
                "tokens": {"type": "embedding", "embedding_dim": WORD_DIM, "trainable": True},
                "token_characters": {
                    "type": "character_encoding",
                    "embedding": {"embedding_dim": CHARACTER_DIM},
                    "encoder": {
                        "type": "cnn",
                        "embedding_dim": CHARACTER_DIM,
                        "num_filters": FILTERS,
                        "ngram_filter_sizes": [FILTER_WIDTH],
                    },
                },
            }
        },
    }
    for task in tasks:
        model[task] = {
            "encoder": _encoder(task, tasks),
            "tagger": _tagger(task, num_relation_types),
        }
    config["model"] = model
    config["iterators"] = {"iterator": {"type": "basic", "batch_size": 2}}
    config["multi_task_trainer"] = {
        "type": "sampler_multi_task_trainer",
        "optimizer": {"type": "adam"},
        "cuda_device": -1,
    }
    return config


def input_dim(task: str, tasks: Sequence[str]) -> int:
    """What the encoder of a task reads: beside the embedding the encoder below, where there is one."""
    return SHORTCUT_DIM if tasks.index(task) else EMBEDDING_DIM


def num_layers(task: str) -> int:
    return 2 if task == "relation" else 1


def _encoder(task: str, tasks: Sequence[str]) -> dict[str, Any]:
    return {
        "type": "lstm",
        "bidirectional": True,
        "input_size": input_dim(task, tasks),
        "hidden_size": HIDDEN,
        "num_layers": num_layers(task),
        "dropout": 0.2,
    }


def _tagger(task: str, num_relation_types: int) -> dict[str, Any]:
    if task == "relation":
        return {"activation": "relu", "d": 2, "l": RELATION_DIM, "n_classes": num_relation_types}
    if task == "coref":
        feedforward = {"num_layers": 2, "hidden_dims": FEEDFORWARD_DIM, "activations": "relu"}
        return {
            "mention_feedforward": feedforward,
            "antecedent_feedforward": feedforward,
            "feature_size": FEATURE_SIZE,
            "max_span_width": MAX_SPAN_WIDTH,
            "spans_per_word": 0.4,
            "max_antecedents": 5,
            "lexical_dropout": 0.5,
        }
    return {"label_namespace": f"{task}_labels", "constraint_type": "BIOUL", "dropout": 0.2}


def _write_vocabulary(directory: Path, relation_types: Sequence[str]) -> None:
    arguments = [f"{argument}_{name}" for name in relation_types for argument in ("ARG1", "ARG2")]
    namespaces = {
        "tokens": WORDS,
        "token_characters": CHARACTERS,
        "ner_labels": TAGS,
        "emd_labels": TAGS,
        "relation_ace_labels": ["*", *arguments],
        "non_padded_namespaces": ["*labels", "*tags"],
    }
    directory.mkdir()
    for name, entries in namespaces.items():
        (directory / f"{name}.txt").write_text("\n".join(entries) + "\n", encoding="utf-8")


def reference_weights(tasks: Sequence[str], num_relation_types: int = 6) -> Weights:
    """The state dictionary of the 2018 code's model of these tasks, the last of which is the topmost."""
    torch.manual_seed(0)
    embedder = {
        "token_embedder_tokens.weight": torch.randn(len(WORDS) + 1, WORD_DIM),
        "token_embedder_token_characters._embedding._module.weight": torch.randn(
            len(CHARACTERS) + 1, CHARACTER_DIM
        ),
        **_prefixed(
            "token_embedder_token_characters._encoder._module.conv_layer_0",
            torch.nn.Conv1d(CHARACTER_DIM, FILTERS, FILTER_WIDTH).state_dict(),
        ),
    }
    weights = _prefixed("_text_field_embedder", embedder)
    for task in tasks:
        encoder = torch.nn.LSTM(
            input_dim(task, tasks), HIDDEN, num_layers(task), bidirectional=True
        ).state_dict()
        shortcut = "_base_text_field_embedder." if tasks.index(task) else ""
        # The tagging heads came with AllenNLP, the other two had underscores before these names.
        shared = ("encoder", "") if task in ("ner", "emd") else ("_context_layer", "_")
        if shortcut:
            suffix = "" if task == "emd" else f"_{task}"
            weights |= _prefixed(f"_shortcut_text_field_embedder{suffix}.{shortcut[:-1]}", embedder)
        weights |= _prefixed(f"_encoder_{task}._module", encoder)
        weights |= _prefixed(f"_tagger_{task}.{shared[0]}._module", encoder)
        weights |= _prefixed(
            f"_tagger_{task}.{shared[1]}text_field_embedder",
            {f"{shortcut}{name}": tensor for name, tensor in embedder.items()},
        )
        weights |= _prefixed(f"_tagger_{task}", _head(task, tasks, num_relation_types))
    return weights


def _head(task: str, tasks: Sequence[str], num_relation_types: int) -> Weights:
    if task == "relation":
        return {
            "_U": torch.randn(2 * HIDDEN, RELATION_DIM),
            "_W": torch.randn(2 * HIDDEN, RELATION_DIM),
            "_V": torch.randn(RELATION_DIM, num_relation_types),
            "_b": torch.randn(RELATION_DIM),
        }
    if task == "coref":
        return _coref_head(input_dim(task, tasks))
    size = len(TAGS)
    return {
        **_prefixed("tag_projection_layer._module", torch.nn.Linear(2 * HIDDEN, size).state_dict()),
        "crf.transitions": torch.randn(size, size),
        "crf._constraint_mask": torch.ones(size + 2, size + 2),
        "crf.start_transitions": torch.randn(size),
        "crf.end_transitions": torch.randn(size),
    }


def _coref_head(lexical_dim: int) -> Weights:
    span_dim = 2 * 2 * HIDDEN + FEATURE_SIZE + lexical_dim
    layers = {
        "_mention_pruner._scorer.0._module._linear_layers.0": (span_dim, FEEDFORWARD_DIM),
        "_mention_pruner._scorer.0._module._linear_layers.1": (FEEDFORWARD_DIM, FEEDFORWARD_DIM),
        "_mention_pruner._scorer.1._module": (FEEDFORWARD_DIM, 1),
        "_antecedent_feedforward._module._linear_layers.0": (
            3 * span_dim + FEATURE_SIZE,
            FEEDFORWARD_DIM,
        ),
        "_antecedent_feedforward._module._linear_layers.1": (FEEDFORWARD_DIM, FEEDFORWARD_DIM),
        "_antecedent_scorer._module": (FEEDFORWARD_DIM, 1),
        "_attentive_span_extractor._global_attention._module": (lexical_dim, 1),
    }
    weights: Weights = {}
    for name, sizes in layers.items():
        weights |= _prefixed(name, torch.nn.Linear(*sizes).state_dict())
    width = torch.randn(MAX_SPAN_WIDTH, FEATURE_SIZE)
    weights["_endpoint_span_extractor._span_width_embedding.weight"] = width
    weights["_distance_embedding.weight"] = torch.randn(NUM_BUCKETS, FEATURE_SIZE)
    return weights


def _prefixed(prefix: str, weights: Weights) -> Weights:
    return {f"{prefix}.{name}": tensor for name, tensor in weights.items()}
