"""The twelve configs of 2018 in their own form (SPEC 2), for tests."""

from typing import Any

Config = dict[str, Any]

# GloVe, ELMo, character filters; an encoding of two directions.
BASE_DIM, ENCODED_DIM, COREF_DIM = 100 + 1024 + 64, 128, 400
FEATURE_DIM = 20

# By the config's name: the model's type, its levels, and what reads coreference.
MODELS: dict[str, tuple[str, list[str], str]] = {
    "ner": ("ner", ["ner"], ""),
    # Over the data of mentions.
    "emd": ("ner", ["ner"], ""),
    "relation": ("relation", ["relation"], ""),
    "coref_ace": ("coref_custom", ["coref"], "coref_ace"),
    "coref_conll": ("coref_custom", ["coref"], "coref"),
    "ner_emd": ("ner_emd", ["ner", "emd"], ""),
    "emd_relation": ("emd_relation", ["emd", "relation"], ""),
    "emd_coref_ace": ("emd_coref", ["emd", "coref"], "coref_ace"),
    "ner_emd_relation": ("ner_emd_relation", ["ner", "emd", "relation"], ""),
    "ner_emd_coref_ace": ("ner_emd_coref", ["ner", "emd", "coref"], "coref_ace"),
    "hmtl_coref_ace": ("hmtl", ["ner", "emd", "relation", "coref"], "coref_ace"),
    "hmtl_coref_conll": ("hmtl", ["ner", "emd", "relation", "coref"], "coref"),
}
SPLITS = {"train": "train", "validation": "dev", "test": "test"}

XAVIER = {"type": "xavier_normal"}
COREF_INITIALIZER = [
    [".*linear_layers.*weight", XAVIER],
    [".*scorer._module.weight", XAVIER],
    ["_distance_embedding.weight", XAVIER],
    ["_span_width_embedding.weight", XAVIER],
    ["_context_layer._module.weight_ih.*", XAVIER],
    ["_context_layer._module.weight_hh.*", {"type": "orthogonal"}],
]


def config_of_2018(name: str) -> Config:
    """One of the twelve, by its file's name."""
    kind, levels, coref_reader = MODELS[name]
    readers: dict[str, Config] = {
        "ner": {
            **{"type": "ner_ontonotes", "coding_scheme": "BIOUL", "lazy": False},
            "label_namespace": "ontonotes_ner_labels",
        },
        "emd": {"type": "mention_ace", "label_namespace": "ace_mention_labels"},
        "relation": {"type": "relation_ace"},
        "coref": {"type": coref_reader, "max_span_width": 8},
    }
    if name == "emd":
        readers["ner"] = {**readers["emd"], "lazy": False}
    tasks = {f"task_{level}": _task(level, readers[level]) for level in levels}
    model: Config = {
        "type": kind,
        "text_field_embedder": {"token_embedders": _embedders()},
    }
    for level in levels:
        model[level] = _level(level, BASE_DIM + ENCODED_DIM * (level != levels[0]), readers[level])
    iterators: Config = {"iterator": {"type": "basic", "batch_size": 32}}
    if "relation" in levels:
        iterators["iterator_relation"] = {"type": "basic", "batch_size": 4}
    if "coref" in levels:
        iterators["iterator_coref"] = {
            **{"type": "bucket", "padding_noise": 0.0, "batch_size": 1},
            "sorting_keys": [["text", "num_tokens"]],
        }
    return {**tasks, "model": model, "iterators": iterators, "multi_task_trainer": _trainer()}


def _task(level: str, reader: Config) -> Config:
    indexers = {
        "tokens": {"type": "single_id", "lowercase_tokens": True},
        "token_characters": {"type": "characters"},
        "elmo": {"type": "elmo_characters"},
    }
    single_file = ".gold_conll" if level == "coref" else "/"
    return {
        "task_description": {
            "task_name": level,
            "validation_metric_name": "coref_f1" if level == "coref" else "f1-measure-overall",
            "validation_metric_decreases": False,
            "evaluate_on_test": True,
        },
        "data_params": {
            "dataset_reader": {**reader, "token_indexers": indexers},
            **{
                f"{split}_data_path": f"./data/{reader['type']}/{folder}{single_file}"
                for split, folder in SPLITS.items()
            },
            "datasets_for_vocab_creation": ["train"],
        },
    }


def _embedders() -> Config:
    return {
        "tokens": {
            **{"type": "embedding", "embedding_dim": 100, "trainable": True},
            "pretrained_file": "./data/glove/glove.6B.100d.txt.gz",
        },
        "elmo": {
            **{"type": "elmo_token_embedder", "options_file": "./data/elmo/options.json"},
            **{"weight_file": "./data/elmo/weights.hdf5", "requires_grad": False},
            **{"do_layer_norm": False, "dropout": 0},
        },
        "token_characters": {
            "type": "character_encoding",
            "embedding": {"embedding_dim": 16},
            "encoder": {
                **{"type": "cnn", "embedding_dim": 16},
                **{"num_filters": 64, "ngram_filter_sizes": [3]},
            },
            "dropout": 0.1,
        },
    }


def _level(level: str, input_size: int, reader: Config) -> Config:
    hidden_size, num_layers = {"relation": (64, 3), "coref": (200, 1)}.get(level, (64, 2))
    encoder = {
        **{"type": "lstm", "bidirectional": True, "input_size": input_size},
        **{"hidden_size": hidden_size, "num_layers": num_layers, "dropout": 0.2},
    }
    tagger: Config = {
        **{"label_namespace": reader.get("label_namespace")},
        **{"constraint_type": "BIOUL", "dropout": 0.2},
    }
    if level == "relation":
        tagger = {"d": 64, "l": 64, "n_classes": 6, "activation": "relu"}
    if level == "coref":
        tagger = _coref_tagger(2 * COREF_DIM + FEATURE_DIM + input_size)
    return {"encoder": encoder, "tagger": tagger}


def _coref_tagger(span_dim: int) -> Config:
    feedforward = {"num_layers": 2, "hidden_dims": 150, "activations": "relu", "dropout": 0.3}
    return {
        "mention_feedforward": {"input_dim": span_dim, **feedforward},
        "antecedent_feedforward": {"input_dim": 3 * span_dim + FEATURE_DIM, **feedforward},
        "initializer": COREF_INITIALIZER,
        **{"lexical_dropout": 0.5, "feature_size": FEATURE_DIM, "max_span_width": 8},
        **{"spans_per_word": 0.4, "max_antecedents": 70, "eval_on_gold_mentions": False},
    }


def _trainer() -> Config:
    return {
        **{"type": "sampler_multi_task_trainer", "sampling_method": "proportional"},
        **{"patience": 10, "num_epochs": 100, "min_lr": "1e-7", "cuda_device": 0},
        **{"grad_norm": 5.0, "grad_clipping": 10.0, "optimizer": {"type": "adam", "lr": 0.001}},
        "scheduler": {
            **{"type": "reduce_on_plateau", "mode": "min", "factor": 0.5, "patience": 5},
            **{"threshold": 0.0001, "threshold_mode": "abs", "verbose": True},
        },
    }
