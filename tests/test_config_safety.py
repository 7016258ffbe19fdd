"""Configs, vocabularies and weights of strangers run no code and write nothing outside the run."""

import json
from pathlib import Path
from typing import Any

import pytest
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary

from hmtl.config_safety import check_is_data, check_plain_names
from hmtl.errors import DataError
from hmtl.experiment import check_config, evaluate, train
from hmtl.run_directory import load_vocabulary, save_vocabulary
from tests.training.small_runs import small_config

PLACES = [
    "task_ner.data_params.dataset_reader",
    "model.text_field_embedder",
    "model.ner.encoder",
    "model.ner.tagger",
    "iterators.iterator",
    "vocabulary",
    "multi_task_trainer.optimizer",
    "multi_task_trainer.scheduler",
]


def with_code(place: str, proof: Path) -> dict[str, Any]:
    """A config that starts a program, if it is allowed to."""
    config = small_config()
    block = config
    *parents, last = place.split(".")
    for key in parents:
        block = block[key]
    block[last] = {"type": "subprocess.Popen", "args": ["touch", str(proof)]}
    return config


@pytest.mark.parametrize("place", PLACES)
def test_config_cannot_name_any_class_of_any_package(tmp_path: Path, place: str) -> None:
    config = with_code(place, tmp_path / "proof")
    with pytest.raises(ConfigurationError, match=f"{place}.type is 'subprocess.Popen'.*--include"):
        train(config, tmp_path / "run", recover=False, force=False)
    assert not (tmp_path / "proof").exists()
    assert not (tmp_path / "run").exists()


def test_config_of_a_run_to_evaluate_cannot_either(tmp_path: Path) -> None:
    config = with_code("model.ner.encoder", tmp_path / "proof")
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ConfigurationError, match="subprocess.Popen"):
        evaluate(tmp_path, gold_mentions=False)
    assert not (tmp_path / "proof").exists()


def test_dotted_type_in_a_list_is_found() -> None:
    with pytest.raises(ConfigurationError, match=r"a\.regexes\.0\.1\.type is 'os\.system'"):
        check_is_data({"a": {"regexes": [["x", {"type": "os.system"}]]}})


def test_task_cannot_name_a_file_elsewhere() -> None:
    config = small_config()
    config["task_../../evil"] = config["task_ner"]
    with pytest.raises(ConfigurationError, match="the task name '../../evil' cannot be part of"):
        check_config(config)


@pytest.mark.parametrize("name", ["../x", "a/b", "a\\b", "/x", ".x", "..", "", "a\0b"])
def test_name_that_leads_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot be part of a file's name"):
        check_plain_names([name], "the name")


@pytest.mark.parametrize("name", ["ner", "ontonotes_ner_labels", "a.b", "名前", "coref-2"])
def test_plain_name_is_let_through(name: str) -> None:
    check_plain_names([name], "the name")


def test_vocabulary_cannot_be_written_elsewhere(tmp_path: Path) -> None:
    vocab = Vocabulary()
    vocab.add_token_to_namespace("token", "../../evil")
    (tmp_path / "a" / "b").mkdir(parents=True)
    with pytest.raises(ConfigurationError, match="the vocabulary namespace '../../evil'"):
        save_vocabulary(vocab, tmp_path / "a" / "b" / "vocabulary")
    assert [path.name for path in tmp_path.rglob("*")] == ["a", "b"]


@pytest.mark.parametrize("damage", ["no list of namespaces", "no UTF-8", "no unknown word"])
def test_damaged_vocabulary_is_an_error_of_data(tmp_path: Path, damage: str) -> None:
    vocab = Vocabulary()
    vocab.add_token_to_namespace("token", "tokens")
    save_vocabulary(vocab, tmp_path / "vocabulary")
    assert load_vocabulary(tmp_path / "vocabulary").get_token_index("token", "tokens") == 2
    if damage == "no list of namespaces":
        (tmp_path / "vocabulary" / "non_padded_namespaces.txt").unlink()
    else:
        content = b"\xff\xfe" if damage == "no UTF-8" else b"token\n"
        (tmp_path / "vocabulary" / "tokens.txt").write_bytes(content)
    with pytest.raises(DataError, match="vocabulary: cannot be read as a vocabulary"):
        load_vocabulary(tmp_path / "vocabulary")
