"""A BERT in miniature, with random weights, in the files that transformers reads."""

from pathlib import Path

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
