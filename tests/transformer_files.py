"""Transformers in miniature, of several kinds, with random weights, in the files that transformers reads."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

LETTERS = "abcdefghijklmnopqrstuvwxyz"
# What the tokenizers that are trained are trained on.
RUNNING_TEXT = (
    "anna met a man in rome with his cat . they saw the old house near the sea , and did n't go in . "
    "this is a long way from oslo to the city of rome by the way of the sea . a plan b , 1 or 2 ."
)


def write_transformer(directory: Path, seed: int = 0, kind: str = "bert") -> Path:
    """
    # Parameters

    directory : `Path`
        Made, with its parents.
    seed : `int`, optional (default = `0`)
        Of the weights.
    kind : `str`, optional (default = `"bert"`)
        One of `KINDS`. Of the BERT every letter, and every letter inside a word, is a wordpiece.

    # Returns

    directory : `Path`
        What a config calls `model_name`.
    """
    import torch
    from transformers import AutoConfig, AutoModel

    directory.mkdir(parents=True)
    model_type, write_tokenizer, extra = KINDS[kind]
    vocab_size, special = write_tokenizer(directory)
    config = AutoConfig.for_model(
        model_type,
        **{
            "vocab_size": vocab_size,
            "hidden_size": 16,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "intermediate_size": 32,
            "initializer_range": 0.5,
            **special,
            **extra,
        },
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        AutoModel.from_config(config).save_pretrained(directory)
    return directory


# The tokenizers' special pieces, in the order of their numbers.
WORDPIECE = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
BYTES = {"cls": "<s>", "pad": "<pad>", "sep": "</s>", "unk": "<unk>", "mask": "<mask>"}
XLM = {"pad": "<pad>", "cls": "<s>", "sep": "</s>", "unk": "<unk>", "mask": "<mask>"}
DEBERTA = {"pad": "[PAD]", "cls": "[CLS]", "sep": "[SEP]", "unk": "[UNK]", "mask": "[MASK]"}
T5 = {"pad": "<pad>", "eos": "</s>", "unk": "<unk>"}

# How many pieces there are, and what the model's config is told of them.
Written = tuple[int, dict[str, int]]


def _write_wordpieces(directory: Path, tokenizer_class: str) -> Written:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    special = list(WORDPIECE.values())
    pieces = [*special, *LETTERS, *(f"##{letter}" for letter in LETTERS), ".", "an", "##nn"]
    (directory / "vocab.txt").write_text("\n".join(pieces) + "\n")
    numbers = {piece: number for number, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.WordPiece(numbers, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.add_special_tokens(special)
    tokenizer.save(str(directory / "tokenizer.json"))
    return _described(directory, tokenizer_class, WORDPIECE, len(pieces))


def _write_bytes(directory: Path, tokenizer_class: str) -> Written:
    """A byte-level BPE that knows words of the running text with the space before them."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        min_frequency=2,
        show_progress=False,
        special_tokens=list(BYTES.values()),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator([RUNNING_TEXT] * 5, trainer)
    tokenizer.post_processor = processors.RobertaProcessing(
        ("</s>", 2), ("<s>", 0), add_prefix_space=False
    )
    tokenizer.model.save(str(directory))
    tokenizer.save(str(directory / "tokenizer.json"))
    return _described(directory, tokenizer_class, BYTES, tokenizer.get_vocab_size())


def _write_pieces(directory: Path, tokenizer_class: str, special: dict[str, str]) -> Written:
    """As XLM-R and T5 come: pieces of whole text, in which a space is a character."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    words, letters = sorted(set(RUNNING_TEXT.split())), [*LETTERS, *LETTERS.upper(), *"▁.,'12"]
    pieces = [
        *((piece, 0.0) for piece in special.values()),
        *((f"▁{word}", -2.0) for word in words),
        *((letter, -5.0) for letter in letters),
    ]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=list(special).index("unk")))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    start, end = special.get("cls", ""), special.get("sep") or special["eos"]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{start} $A {end}".strip(),
        pair=f"{start} $A {end} $B {end}".strip(),
        special_tokens=[(piece, number) for number, piece in enumerate(special.values())],
    )
    tokenizer.add_special_tokens(list(special.values()))
    tokenizer.save(str(directory / "tokenizer.json"))
    # T5's would have a hundred pieces more.
    size = tokenizer.get_vocab_size()
    return _described(directory, tokenizer_class, special, size, extra_ids=0)


def _write_sentencepiece(directory: Path, tokenizer_class: str) -> Written:
    """As DeBERTa-v3 comes: without tokenizer.json."""
    import io

    import sentencepiece

    model = io.BytesIO()
    places = zip(("pad", "bos", "eos", "unk"), DEBERTA.values())
    options: dict[str, Any] = {f"{name}_piece": piece for name, piece in places}
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(RUNNING_TEXT.split(" . ")),
        model_writer=model,
        vocab_size=60,
        hard_vocab_limit=False,
        user_defined_symbols=["▁a", "▁b"],
        minloglevel=2,
        **options | {"pad_id": 0, "bos_id": 1, "eos_id": 2, "unk_id": 3},
    )
    (directory / "spm.model").write_bytes(model.getvalue())
    size = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue()).get_piece_size()
    # And the mask, which is not among the pieces.
    return _described(directory, tokenizer_class, DEBERTA, size + 1)


def _described(
    directory: Path, tokenizer_class: str, special: dict[str, str], size: int, **settings: Any
) -> Written:
    settings |= {f"{name}_token": piece for name, piece in special.items()}
    settings |= {"tokenizer_class": tokenizer_class, "model_max_length": 512}
    (directory / "tokenizer_config.json").write_text(json.dumps(settings))
    return size, {"pad_token_id": list(special).index("pad")}


RELATIVE = {"position_buckets": 8, "relative_attention": True, "pos_att_type": ["p2c", "c2p"]}
KINDS: dict[str, tuple[str, Callable[[Path], Written], dict[str, Any]]] = {
    "bert": ("bert", lambda at: _write_wordpieces(at, "BertTokenizer"), {}),
    "electra": (
        "electra",
        lambda at: _write_wordpieces(at, "ElectraTokenizer"),
        {"embedding_size": 8},
    ),
    "roberta": (
        "roberta",
        lambda at: _write_bytes(at, "RobertaTokenizer"),
        {"max_position_embeddings": 514},
    ),
    "modernbert": (
        "modernbert",
        lambda at: _write_bytes(at, "PreTrainedTokenizerFast"),
        {
            f"{name}_token_id": number
            for name, number in zip(("bos", "eos", "cls", "sep"), (0, 2) * 2)
        },
    ),
    "xlm-roberta": (
        "xlm-roberta",
        lambda at: _write_pieces(at, "XLMRobertaTokenizer", XLM),
        {"max_position_embeddings": 514},
    ),
    "deberta": (
        "deberta-v2",
        lambda at: _write_pieces(at, "DebertaV2Tokenizer", DEBERTA),
        RELATIVE,
    ),
    "deberta-spm": (
        "deberta-v2",
        lambda at: _write_sentencepiece(at, "DebertaV2Tokenizer"),
        RELATIVE,
    ),
    "t5": (
        "t5",
        lambda at: _write_pieces(at, "T5Tokenizer", T5),
        {"d_kv": 8, "d_ff": 32},
    ),
}
"""By name: what transformers calls it, what writes the tokenizer, and what its config says of its own."""


def params_of(kind: str) -> dict[str, Any]:
    """What an embedder must be told of a kind."""
    return {"sub_module": "encoder"} if kind == "t5" else {}


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
