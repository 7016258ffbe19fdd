"""Transformers that a config names, and what a run keeps of them."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.modules.token_embedders import TokenEmbedder

from hmtl.config.transformers import (
    FOLDER,
    check_transformers,
    keep_transformers,
    with_kept_transformers,
)
from hmtl.errors import DataError
from tests.fixtures import Config, completed, tiny_config
from tests.transformer_files import with_transformer, write_transformer

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
    assert any(name in text for text in kept)
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
