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


Written = tuple[int, dict[str, int]]


def _write_wordpieces(directory: Path, tokenizer_class: str) -> Written:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    pieces = [*special, *LETTERS, *(f"##{letter}" for letter in LETTERS), ".", "an", "##nn"]
    (directory / "vocab.txt").write_text("\n".join(pieces) + "\n")
    numbers = {piece: number for number, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.WordPiece(numbers, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.add_special_tokens(special)
    names = dict(zip(("pad", "unk", "cls", "sep", "mask"), special))
    return _save(tokenizer, directory, tokenizer_class, names, do_lower_case=True)


def train_bytes() -> Any:
    """A byte-level BPE that knows the words of the running text with the space before them."""
    from tokenizers import ByteLevelBPETokenizer

    tokenizer = ByteLevelBPETokenizer(add_prefix_space=False)
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokenizer.train_from_iterator(
        [RUNNING_TEXT] * 5, vocab_size=400, show_progress=False, special_tokens=special
    )
    return tokenizer


def _write_bytes(directory: Path, tokenizer_class: str) -> Written:
    from tokenizers import processors

    tokenizer = train_bytes()
    tokenizer.save_model(str(directory))
    tokenizer._tokenizer.post_processor = processors.RobertaProcessing(
        ("</s>", 2), ("<s>", 0), add_prefix_space=False
    )
    names = {"cls": "<s>", "pad": "<pad>", "sep": "</s>", "unk": "<unk>", "mask": "<mask>"}
    return _save(tokenizer._tokenizer, directory, tokenizer_class, names)


def _write_sentencepiece(directory: Path, tokenizer_class: str, has_json: bool) -> Written:
    """As XLM-R, T5 and DeBERTa come: pieces of whole text, in which a space is a character."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    special = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"]
    if tokenizer_class.startswith("XLM"):
        special = ["<pad>", "<s>", "</s>", "<unk>", "<mask>"]
    pad, start, end, unknown, mask = special
    is_t5 = tokenizer_class.startswith("T5")
    names = {"pad": pad, "unk": unknown}
    if is_t5:
        end, names = "</s>", {"pad": "<pad>", "unk": "<unk>", "eos": "</s>"}
        special = ["<pad>", "</s>", "<unk>"]
    else:
        names |= {"cls": start, "sep": end, "mask": mask, "bos": start, "eos": end}
    if not has_json:
        return _train_sentencepiece(directory, tokenizer_class, names)
    pieces = [
        *((piece, 0.0) for piece in special),
        *((f"▁{word}", -2.0) for word in sorted(set(RUNNING_TEXT.split()))),
        *((letter, -5.0) for letter in [*LETTERS, *LETTERS.upper(), *"▁.,'12"]),
        ("▁b", -5.0),
    ]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=special.index(names["unk"])))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    single, both = ("$A </s>", "$A </s> $B </s>") if is_t5 else ("", "")
    if not is_t5:
        single, both = f"{start} $A {end}", f"{start} $A {end} $B {end}"
    tokenizer.post_processor = processors.TemplateProcessing(
        single=single,
        pair=both,
        special_tokens=[(piece, number) for number, piece in enumerate(special)],
    )
    tokenizer.add_special_tokens(special)
    return _save(tokenizer, directory, tokenizer_class, names, extra_ids=0)


def _train_sentencepiece(directory: Path, tokenizer_class: str, names: dict[str, str]) -> Written:
    import io

    import sentencepiece

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(RUNNING_TEXT.split(" . ")),
        model_writer=model,
        vocab_size=60,
        hard_vocab_limit=False,
        user_defined_symbols=["▁a", "▁b"],
        minloglevel=2,
        **{"pad_id": 0, "bos_id": 1, "eos_id": 2, "unk_id": 3},
        **{f"{each}_piece": names[each] for each in ("pad", "bos", "eos", "unk")},
    )
    (directory / "spm.model").write_bytes(model.getvalue())
    size = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue()).get_piece_size()
    # And the mask, which is not among the pieces.
    return _save(None, directory, tokenizer_class, names, size=size + 1)


def _save(
    tokenizer: Any,
    directory: Path,
    tokenizer_class: str,
    names: dict[str, str],
    size: int = 0,
    **settings: Any,
) -> Written:
    if tokenizer is not None:
        tokenizer.save(str(directory / "tokenizer.json"))
        size = tokenizer.get_vocab_size()
    settings = {"tokenizer_class": tokenizer_class, "model_max_length": 512, **settings}
    settings |= {f"{name}_token": piece for name, piece in names.items()}
    (directory / "tokenizer_config.json").write_text(json.dumps(settings))
    ids = (
        {}
        if tokenizer is None
        else {f"{n}_token_id": tokenizer.token_to_id(p) for n, p in names.items()}
    )
    return size, {name: number for name, number in ids.items() if name in ("pad_token_id",)}


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
            "max_position_embeddings": 512,
            "bos_token_id": 0,
            "eos_token_id": 2,
            "cls_token_id": 0,
            "sep_token_id": 2,
        },
    ),
    "xlm-roberta": (
        "xlm-roberta",
        lambda at: _write_sentencepiece(at, "XLMRobertaTokenizer", has_json=True),
        {"max_position_embeddings": 514},
    ),
    "deberta": (
        "deberta-v2",
        lambda at: _write_sentencepiece(at, "DebertaV2Tokenizer", has_json=True),
        {"position_buckets": 8, "relative_attention": True, "pos_att_type": ["p2c", "c2p"]},
    ),
    "deberta-spm": (
        "deberta-v2",
        lambda at: _write_sentencepiece(at, "DebertaV2Tokenizer", has_json=False),
        {"position_buckets": 8, "relative_attention": True, "pos_att_type": ["p2c", "c2p"]},
    ),
    "t5": (
        "t5",
        lambda at: _write_sentencepiece(at, "T5Tokenizer", has_json=True),
        {"d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 2, "num_heads": 2},
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
