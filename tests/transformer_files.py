"""A BERT in miniature, with random weights, in the files that transformers reads."""

from pathlib import Path
from typing import Any

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def write_transformer(directory: Path, seed: int = 0) -> Path:
    """
    Every letter, and every letter inside a word, is a wordpiece.

    # Parameters

    directory : `Path`
        Made, with its parents.
    seed : `int`, optional (default = `0`)

    # Returns

    directory : `Path`
        What a config calls `model_name`.
    """
    import torch
    from transformers import BertConfig, BertModel, BertTokenizerFast

    directory.mkdir(parents=True)
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    pieces = [*special, *LETTERS, *(f"##{letter}" for letter in LETTERS), ".", "an", "##nn"]
    (directory / "vocab.txt").write_text("\n".join(pieces) + "\n")
    BertTokenizerFast(str(directory / "vocab.txt")).save_pretrained(directory)
    config = BertConfig(
        vocab_size=len(pieces),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        initializer_range=0.5,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        BertModel(config).save_pretrained(directory)
    return directory


def with_transformer(config: dict[str, Any], model: Path | str, **params: Any) -> dict[str, Any]:
    """
    The config with a transformer in the place of its token embedders.

    # Parameters

    config : `dict[str, Any]`
        Changed, and returned.
    model : `Path` or `str`
        What the config is to call `model_name`.
    params : `Any`
        Of the embedder.
    """
    block = {"type": "pretrained_transformer_mismatched", "model_name": str(model)}
    for key, section in config.items():
        if key.startswith("task_"):
            section["data_params"]["dataset_reader"]["token_indexers"] = {"bert": dict(block)}
    embedders = {"bert": {**block, **params}}
    config["model"]["text_field_embedder"] = {"token_embedders": embedders}
    config["model"].pop("initializer", None)
    config.pop("vocabulary", None)
    return config
