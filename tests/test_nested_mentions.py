"""Mentions that lie in one another, from the corpus to the answers, and relations beside them."""

import json
from pathlib import Path

import pytest
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader

from hmtl.prediction.predictor import Predictor
from hmtl.runs.training import train
from tests.fixtures import Config, completed, tiny_config, write_corpus

# "Lee of Oslo" is a person, with a place in it.
PLAIN = "2 of * * * -\n3 Oslo (GPE) (ARG2_PHYS) (ARG2_ART) (1)\n"
NESTED = "2 of * * * -\n3 Oslo (GPE)) (ARG2_PHYS) (ARG2_ART) (1)\n"


def config(root: Path) -> Config:
    tiny = tiny_config(root, ("emd", "relation"))
    tiny["task_emd"]["data_params"]["dataset_reader"]["coding_scheme"] = "spans"
    tagger = {"type": "span_classifier", "label_namespace": "ace_mention_labels"}
    tiny["model"]["emd"] = {
        "encoder": {"type": "lstm", "hidden_size": 12, "bidirectional": True},
        "tagger": tagger,
    }
    tiny["model"]["relation"]["tagger"] = {"type": "mention_pair_classifier"}
    tiny["multi_task_trainer"].update(num_epochs=25, optimizer={"type": "adam", "lr": 0.02})
    return tiny


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = write_corpus(tmp_path_factory.mktemp("nested"))
    for file in (root / "ace").rglob("*.like_conll"):
        text = file.read_text().replace("1 Lee *)", "1 Lee *").replace(PLAIN, NESTED)
        file.write_text(text)
    return root


def test_nested_mentions_are_learned_scored_and_answered(root: Path) -> None:
    train(completed(config(root)), root / "run", recover=False, force=False)
    test = json.loads((root / "run" / "metrics.json").read_text())["emd"]["test"]
    assert test["emd"]["f1-measure-overall"] == 1.0
    # The head relates mentions: ART holds between two, PHYS with a word that is within one.
    assert test["relation"]["f1-measure-ART"] == test["relation"]["strict-precision"] == 1.0
    assert test["relation"]["recall-PHYS"] == 0.0
    predictor = Predictor.from_serialization_dir(root / "run")
    (prediction,) = predictor.predict_tokens([["Ann Lee of Oslo met Bob".split()]])
    spans = [(each.type, each.text) for each in prediction.mentions["emd"]]
    assert spans == [("PER", "Ann Lee of Oslo"), ("GPE", "Oslo"), ("PER", "Bob")]
    # "Oslo" is the shorter of two mentions that end alike.
    assert {each.arg2.text for each in prediction.relations["relation"]} == {"Ann Lee of Oslo"}


def test_reader_and_head_that_do_not_go_together_are_named(root: Path) -> None:
    mixed = config(root)
    mixed["task_emd"]["data_params"]["dataset_reader"]["coding_scheme"] = "BIOUL"
    mixed["data_root"] = str(write_corpus(root / "flat"))
    with pytest.raises(
        ConfigurationError, match="task_emd: its reader gives the fields metadata, tags, but"
    ):
        train(completed(mixed), root / "mixed", recover=False, force=False)


def test_tags_keep_the_outermost_of_nested_mentions(root: Path) -> None:
    reader = DatasetReader.from_params(Params({"type": "mention_ace"}))
    (first, *_) = reader.read(str(root / "ace" / "dev"))
    tags = first["metadata"]["tags"]  # type: ignore[index]
    assert tags[:4] == ["B-PER", "I-PER", "I-PER", "L-PER"]
