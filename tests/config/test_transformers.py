"""Transformers that a config names, and what a run keeps of them."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import Token, Vocabulary
from allennlp.modules.token_embedders import TokenEmbedder
from transformers import AutoTokenizer

from hmtl.config.transformers import (
    FOLDER,
    check_transformers,
    keep_transformers,
    read_with_transformers_of_embedders,
    warn_of_lost_case,
    with_kept_transformers,
    with_word_starts,
)
from hmtl.data.readers.wordpiece_indexer import WordpieceIndexer
from hmtl.errors import DataError
from hmtl.modules.transformer import TransformerEmbedder
from tests.fixtures import Config, completed, tiny_config
from tests.transformer_files import RUNNING_TEXT, with_transformer, write_transformer

EMBEDDER = "model.text_field_embedder.token_embedders.bert"
INDEXERS = "task_ner.data_params.dataset_reader.token_indexers"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_transformer(tmp_path_factory.mktemp("transformer") / "model")


@pytest.fixture
def config(model: Path) -> Config:
    return with_transformer(tiny_config(tasks=("ner", "emd")), model, max_length=20)


def block_at(config: Config, path: str) -> Config:
    block = config
    for key in path.split("."):
        block = block[key]
    return block


def test_embedder_and_indexers_of_one_model_pass(config: Config) -> None:
    completed(config)


def test_config_without_a_transformer_passes() -> None:
    check_transformers(tiny_config())


@pytest.mark.parametrize("path", [EMBEDDER, f"{INDEXERS}.bert"])
def test_missing_model_is_told_with_its_path(config: Config, path: str) -> None:
    block_at(config, path)["model_name"] = "./not/there"
    with pytest.raises(ConfigurationError) as told:
        completed(config)
    assert str(told.value).startswith(f"{path}.model_name './not/there' cannot be loaded: ")


@pytest.mark.parametrize("path", [EMBEDDER, f"{INDEXERS}.bert"])
def test_model_must_be_named(config: Config, path: str) -> None:
    del block_at(config, path)["model_name"]
    with pytest.raises(ConfigurationError, match=f"{path}.model_name is missing"):
        completed(config)


def test_missing_package_is_told_with_its_path(config: Config) -> None:
    block_at(config, EMBEDDER)["model_name"] = "package:not_there/model"
    with pytest.raises(ConfigurationError, match=f"{EMBEDDER}.model_name.*not_there is not inst"):
        completed(config)


def test_wordpieces_of_another_model_are_refused(config: Config, tmp_path: Path) -> None:
    other = write_transformer(tmp_path / "other")
    tokenizer = json.loads((other / "tokenizer.json").read_text())
    pieces = tokenizer["model"]["vocab"]
    pieces["a"], pieces["b"] = pieces["b"], pieces["a"]
    (other / "tokenizer.json").write_text(json.dumps(tokenizer))
    block_at(config, INDEXERS)["bert"]["model_name"] = str(other)
    with pytest.raises(ConfigurationError, match=f"{INDEXERS}.bert.model_name is .*other.*others"):
        completed(config)


def test_copy_of_the_model_has_the_same_wordpieces(config: Config, tmp_path: Path) -> None:
    copy = write_transformer(tmp_path / "copy", seed=1)
    block_at(config, INDEXERS)["bert"]["model_name"] = str(copy)
    completed(config)


def test_indexer_of_another_type_is_refused(config: Config) -> None:
    block_at(config, INDEXERS)["bert"] = {"type": "single_id"}
    with pytest.raises(ConfigurationError, match=f"{INDEXERS}.bert is of type 'single_id'"):
        completed(config)


def test_embedder_of_another_type_is_refused(config: Config) -> None:
    embedders = block_at(config, "model.text_field_embedder.token_embedders")
    embedders["bert"] = {"type": "embedding", "embedding_dim": 3}
    with pytest.raises(ConfigurationError, match="goes with itself only"):
        completed(config)


@pytest.mark.parametrize("max_length, passes", [(20, True), (10, False)])
def test_length_that_allennlp_wants_at_the_indexer_must_agree(
    config: Config, max_length: int, passes: bool
) -> None:
    block_at(config, INDEXERS)["bert"]["max_length"] = max_length
    if passes:
        completed(config)
    else:
        with pytest.raises(ConfigurationError, match="max_length is 10, but .*max_length is 20"):
            completed(config)


def test_code_that_comes_with_a_model_is_refused(config: Config) -> None:
    block_at(config, EMBEDDER)["transformer_kwargs"] = {"trust_remote_code": True}
    with pytest.raises(ConfigurationError, match="trust_remote_code is True: a config runs no"):
        completed(config)


def test_run_takes_the_files_that_it_kept(config: Config, model: Path, tmp_path: Path) -> None:
    keep_transformers(config, tmp_path)
    kept = tmp_path / FOLDER / "bert"
    assert not list(kept.glob("*.safetensors"))
    changed = with_kept_transformers(config, tmp_path)
    assert block_at(changed, EMBEDDER) == {
        "type": "pretrained_transformer_mismatched",
        "model_name": str(kept),
        "load_weights": False,
        "max_length": 20,
    }
    assert block_at(changed, INDEXERS)["bert"]["model_name"] == str(kept)
    assert block_at(config, EMBEDDER)["model_name"] == str(model)


def test_kept_files_do_not_tell_where_the_model_lay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_transformer(tmp_path / "site" / "models_of_mine" / "bert")
    (tmp_path / "site" / "models_of_mine" / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    name = "package:models_of_mine/bert"
    keep_transformers(with_transformer(tiny_config(), name), tmp_path / "run")
    kept = [path.read_text() for path in (tmp_path / "run" / FOLDER / "bert").iterdir()]
    assert kept
    assert not any(str(tmp_path) in text for text in kept)


def test_run_without_files_of_its_own_takes_the_model(config: Config, tmp_path: Path) -> None:
    assert with_kept_transformers(config, tmp_path) == config


@pytest.mark.parametrize("path", [EMBEDDER, f"{INDEXERS}.bert"])
def test_code_in_the_folder_of_a_model_is_refused_without_a_question(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr("builtins.input", pytest.fail)
    (tmp_path / "evil.py").write_text(f"open({str(tmp_path / 'proof')!r}, 'w')")
    names = {"AutoConfig": "evil.Config", "AutoTokenizer": ["evil.Tokenizer", None]}
    for name, content in (("config", {"model_type": "evil"}), ("tokenizer_config", {})):
        (tmp_path / f"{name}.json").write_text(json.dumps({**content, "auto_map": names}))
    block_at(config, path)["model_name"] = str(tmp_path)
    with pytest.raises(ConfigurationError, match=f"{path}.model_name .* cannot be loaded"):
        completed(config)
    assert not (tmp_path / "proof").exists()


def test_code_in_other_weights_is_refused(config: Config, model: Path, tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "proof",))

    torch.save({"weight": Evil()}, tmp_path / "evil.bin")
    block = {**block_at(config, EMBEDDER), "override_weights_file": str(tmp_path / "evil.bin")}
    with pytest.raises(DataError, match="evil.bin: cannot be read as a file of tensors"):
        TokenEmbedder.from_params(Params(block))
    assert not (tmp_path / "proof").exists()


def test_files_that_an_older_run_has_kept_are_read() -> None:
    """By transformers 4.43.4 and tokenizers 0.19.1, of a byte-level BPE: the pieces are those of then."""
    kept = str(Path(__file__).parents[1] / "kept_by_transformers_4")
    indexer, embedder = WordpieceIndexer(kept), TransformerEmbedder(kept, load_weights=False)
    pieces = indexer.tokens_to_indices([Token("anna"), Token("met")], Vocabulary())
    tokens = AutoTokenizer.from_pretrained(kept).convert_ids_to_tokens(pieces["token_ids"])
    assert tokens == ["<s>", "an", "n", "a", "me", "t", "</s>"]
    assert embedder.get_output_dim() == 16


# Where words begin, and capital letters


def kwargs_of(config: Config) -> list[Config | None]:
    blocks = [block_at(config, EMBEDDER)]
    for task in ("ner", "emd"):
        blocks.append(block_at(config, INDEXERS.replace("ner", task))["bert"])
    return [block.get("tokenizer_kwargs") for block in blocks]


@pytest.fixture(scope="module", params=["roberta", "modernbert", "split"])
def byte_level(tmp_path_factory: pytest.TempPathFactory, request) -> Config:
    """The third one, like many of today, splits words by a pattern of its own."""
    kind = "modernbert" if request.param == "split" else request.param
    model = write_transformer(tmp_path_factory.mktemp("model") / kind, kind=kind)
    if request.param == "split":
        path = model / "tokenizer.json"
        tokenizer = json.loads(path.read_text())
        pattern = {"Regex": r"'t|[^\r\n\p{L}\p{N}]?\p{L}+| ?[^\s\p{L}\p{N}]+"}
        split = {"type": "Split", "pattern": pattern, "behavior": "Isolated", "invert": False}
        whole = {**tokenizer["pre_tokenizer"], "use_regex": False}
        tokenizer["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": [split, whole]}
        path.write_text(json.dumps(tokenizer))
    return with_transformer(tiny_config(tasks=("ner", "emd")), model)


def test_byte_level_tokenizer_puts_the_space_before_each_word(
    byte_level: Config, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", "hmtl"):
        config = completed(with_word_starts(byte_level))
    assert kwargs_of(config) == [{"add_prefix_space": True}] * 3
    assert f"{EMBEDDER}: the tokenizer of" in caplog.text
    block = block_at(config, EMBEDDER)
    indexer = WordpieceIndexer(block["model_name"], tokenizer_kwargs=block["tokenizer_kwargs"])
    words = [Token(word) for word in RUNNING_TEXT.split()]
    pieces = indexer.tokens_to_indices(words, Vocabulary())["token_ids"]
    running = AutoTokenizer.from_pretrained(block["model_name"])
    after_first = len(running.tokenize(words[0].text)) + 1
    expected = running(RUNNING_TEXT)["input_ids"][after_first:]
    assert pieces[-len(expected) :] == expected


def test_kept_byte_level_tokenizer_puts_it_there_too(byte_level: Config, tmp_path: Path) -> None:
    keep_transformers(with_word_starts(byte_level), tmp_path)
    kept = AutoTokenizer.from_pretrained(tmp_path / FOLDER / "bert", add_prefix_space=True)
    assert kept.tokenize("anna met") == kept.tokenize("anna") + kept.tokenize("met")
    assert kept.tokenize("anna")[0].startswith("Ġ")


@pytest.mark.parametrize("earlier, expected", [(None, False), (True, True)])
def test_earlier_run_decides_about_the_space(
    byte_level: Config, earlier: bool | None, expected: bool
) -> None:
    before = copy.deepcopy(byte_level)
    if earlier is not None:
        block_at(before, EMBEDDER)["tokenizer_kwargs"] = {"add_prefix_space": earlier}
    config = with_word_starts(byte_level, before)
    assert kwargs_of(config) == ([{"add_prefix_space": True}] * 3 if expected else [None] * 3)


def test_space_that_the_config_decides_about_is_left(byte_level: Config) -> None:
    config = copy.deepcopy(byte_level)
    block_at(config, EMBEDDER)["tokenizer_kwargs"] = {"add_prefix_space": False}
    assert with_word_starts(config) == config


def test_wordpieces_need_no_space(config: Config) -> None:
    assert with_word_starts(config) == config


@pytest.mark.parametrize("embedders", [None, {"add_prefix_space": True}])
def test_reader_from_another_config_makes_the_pieces_of_the_embedder(
    byte_level: Config, embedders: Config | None
) -> None:
    config = copy.deepcopy(byte_level)
    block_at(config, INDEXERS)["bert"]["tokenizer_kwargs"] = {"add_prefix_space": False}
    if embedders is not None:
        block_at(config, EMBEDDER)["tokenizer_kwargs"] = embedders
    read_with_transformers_of_embedders(config, "ner")
    assert kwargs_of(config) == [embedders, embedders, None]


@pytest.mark.parametrize("beside, told", [(None, True), ("character_encoding", False)])
def test_uncased_transformer_alone_is_told_to_lose_capital_letters(
    config: Config, caplog: pytest.LogCaptureFixture, beside: str | None, told: bool
) -> None:
    config = completed(config)
    if beside is not None:
        embedders = block_at(config, "model.text_field_embedder.token_embedders")
        embedders["characters"] = {"type": beside}
    warn_of_lost_case(config)
    assert ("are lost to the tasks ner, emd" in caplog.text) == told
