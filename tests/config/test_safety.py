"""Configs, vocabularies and weights of strangers run no code and write nothing outside the run."""

import json
from pathlib import Path
from typing import Any

import pytest
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary

from hmtl.common.files import write_json
from hmtl.config.checking import check_config
from hmtl.config.safety import check_is_data, check_plain_names, within_the_run
from hmtl.config.transformers import with_kept_transformers
from hmtl.errors import DataError
from hmtl.fine_tuning.pretrained import Pretrained
from hmtl.runs.directory import load_vocabulary, save_vocabulary
from hmtl.runs.evaluation import config_of_run, evaluate
from hmtl.runs.training import train
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


OWN = Path("run") / "transformers"


def test_what_training_began_with_is_left_out_wherever_it_stands() -> None:
    config = {
        "vocabulary": {"type": "from_files", "directory": "http://x.org"},
        "regularizer": {"regexes": [["(a+)+", "l2"]]},
        "multi_task_trainer": {"trackers": [{"type": "mlflow", "tracking_uri": "http://x.org"}]},
        "model": {
            "initializer": {"regexes": [["a", {"type": "pretrained", "weights_file_path": "/x"}]]},
            "characters": {"embedding": {"pretrained_file": "http://x.org", "embedding_dim": 3}},
            "list": [[{"override_weights_file": "http://x.org", "pretrained_file": "/x"}]],
        },
    }
    assert within_the_run(config, OWN) == {
        "multi_task_trainer": {},
        "model": {"characters": {"embedding": {"embedding_dim": 3}}, "list": [[{}]]},
    }


@pytest.mark.parametrize(
    "block",
    [
        {"vocabulary": {"min_count": {"tokens": 2}}},
        {"options_file": "elmo/options.json", "weight_file": "elmo/weights.hdf5"},
        {"data_root": "/data", "train_data_path": "train.conll"},
        {"model_name": "run/transformers/bert", "tokenizer_kwargs": {"eos_token": "</s>"}},
        {"initializer": {"type": "embedding", "embedding_dim": 3}},
    ],
    ids=str,
)
def test_what_a_run_needs_is_kept(block: dict[str, Any]) -> None:
    assert within_the_run(block, OWN) == block


@pytest.mark.parametrize(
    "block, message",
    [
        ({"weight_file": "https://x.org/elmo.hdf5"}, r"a\.0\.weight_file is the address"),
        ({"train_data_path": "s3://x/y"}, r"a\.0\.train_data_path is the address"),
        ({"model_name": "somebody/bert"}, r"model_name is 'somebody/bert'.*Put back"),
        ({"model_name": "run/transformers/../../x"}, "Put back the run's folder transformers"),
        ({"tokenizer": {"type": "spacy"}}, r"tokenizer\.type is 'spacy'"),
        ({"tokenizer": "spacy"}, "tokenizer is 'spacy'"),
        ({"type": "text_classification_json"}, "would download a tokenizer"),
        ({"reader": "text_classification_json"}, "would download a tokenizer"),
        ({"_pretrained": {"archive_file": "x"}}, "_pretrained is"),
        ({"weights_file_path": "x.th"}, "weights_file_path is 'x.th'"),
        ({"tokenizer_kwargs": {"vocab_file": "/x"}}, r"tokenizer_kwargs\.vocab_file"),
        ({"transformer_kwargs": {"subfolder": "../x"}}, r"transformer_kwargs\.subfolder"),
    ],
    ids=str,
)
def test_what_leads_out_of_a_run_is_refused(block: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        within_the_run({"a": [block]}, OWN)


@pytest.mark.parametrize("path", ["config.json", "pretrained"])
def test_no_file_outside_is_opened_by_a_run_that_is_read(tmp_path: Path, path: str) -> None:
    """Both doors to another's run; a file that is not there would be an error if it were opened."""
    config = small_config()
    config["model"]["text_field_embedder"]["token_embedders"]["tokens"]["pretrained_file"] = "/no"
    config["model"]["ner"]["tagger"]["initializer"] = {"regexes": [["(a+)+$", "zero"]]}
    config["vocabulary"] = {"type": "from_files", "directory": "http://localhost:1/"}
    write_json(tmp_path / "config.json", config)
    save_vocabulary(Vocabulary(), tmp_path / "vocabulary")
    (tmp_path / "best_ner.th").touch()
    if path == "config.json":
        read = config_of_run(tmp_path).source
    else:
        read = Pretrained.open(tmp_path, "best_ner.th").own_config().source
    assert "vocabulary" not in read
    assert "initializer" not in read["model"]["ner"]["tagger"]
    assert "/no" not in json.dumps(read)


def test_recovery_does_not_evaluate_the_config_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{a: importstr 'x'}")
    with pytest.raises(ConfigurationError, match="never evaluated as Jsonnet"):
        train(small_config(), tmp_path, recover=True, force=False)


def test_missing_vocabulary_of_a_run_is_told(tmp_path: Path) -> None:
    write_json(tmp_path / "config.json", small_config())
    (tmp_path / "best_ner.th").touch()
    with pytest.raises(DataError, match="vocabulary: is not there: put back"):
        evaluate(tmp_path, gold_mentions=False)


def test_name_out_of_a_file_is_told_with_the_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"x\.json: the file '../a' cannot be part of"):
        check_plain_names(["a", "../a"], "the file", tmp_path / "x.json")


@pytest.mark.parametrize("name", ["../evil", "/evil"])
def test_embedder_cannot_take_a_folder_elsewhere_for_that_of_a_run(name: str) -> None:
    config = small_config()
    block = {"type": "pretrained_transformer_mismatched", "model_name": "x"}
    config["model"]["text_field_embedder"]["token_embedders"] = {name: block}
    with pytest.raises(ConfigurationError, match=f"the token embedder '{name}'"):
        with_kept_transformers(config, Path("run"))


def test_reading_a_vocabulary_leaves_its_directory_as_it_was(tmp_path: Path) -> None:
    vocab = Vocabulary(non_padded_namespaces=["*labels"])
    vocab.add_token_to_namespace("word", "tokens")
    vocab.add_token_to_namespace("B-PER", "ner_labels")
    save_vocabulary(vocab, tmp_path / "vocabulary")
    before = sorted((tmp_path / "vocabulary").iterdir())
    read = load_vocabulary(tmp_path / "vocabulary")
    assert sorted((tmp_path / "vocabulary").iterdir()) == before
    assert [path.name for path in before] == [
        "ner_labels.txt",
        "non_padded_namespaces.txt",
        "tokens.txt",
    ]
    for namespace in ("tokens", "ner_labels"):
        indexed = read.get_index_to_token_vocabulary(namespace)
        assert indexed == vocab.get_index_to_token_vocabulary(namespace)
