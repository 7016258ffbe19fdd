"""
The proof of "one file and one config": a task that nothing here knows of, its reader and its head in a
user's package, is trained beside another and above it.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures import Config, tiny_config, write_corpus
from tests.running import Scripts

PACKAGE = "toy_project"

MODULE = '''
"""Which of a few topics a sentence is about."""

from typing import Any, Dict, List, Optional

import torch
from allennlp.data import DatasetReader, Token, TokenIndexer, Vocabulary
from allennlp.data.fields import LabelField, TextField
from allennlp.data.instance import Instance
from allennlp.nn.util import masked_mean

from hmtl.models.heads.head import Head


@DatasetReader.register("toy_topics", exist_ok=True)
class TopicReader(DatasetReader):
    def __init__(self, token_indexers: Dict[str, TokenIndexer]) -> None:
        super().__init__()
        self.token_indexers = token_indexers

    def _read(self, file_path):
        with open(file_path) as lines:
            for line in lines:
                label, text = line.rstrip("\\n").split("\\t")
                tokens = [Token(word) for word in text.split()]
                field = TextField(tokens, self.token_indexers)
                yield Instance({"text": field, "label": LabelField(label, "topic_labels")})


@Head.register("toy_classifier", exist_ok=True)
class TopicClassifier(Head):
    def __init__(self, vocab: Vocabulary, encoded_dim: int, label_namespace: str) -> None:
        super().__init__()
        self.vocab = vocab
        self.namespace = label_namespace
        self.projection = torch.nn.Linear(encoded_dim, vocab.get_vocab_size(label_namespace))
        self.right = self.all = 0

    def forward(
        self,
        inputs: torch.Tensor,
        encoded: torch.Tensor,
        mask: torch.BoolTensor,
        compute_metrics: bool,
        label: Optional[torch.Tensor] = None,
    ) -> Dict[str, torch.Tensor]:
        logits = self.projection(masked_mean(encoded, mask.unsqueeze(-1), dim=1))
        output = {"logits": logits}
        if label is not None:
            output["loss"] = torch.nn.functional.cross_entropy(logits, label)
            if compute_metrics:
                self.right += int((logits.argmax(dim=-1) == label).sum())
                self.all += len(label)
        return output

    def decode(self, output_dict: Dict[str, torch.Tensor]) -> Dict[str, List[str]]:
        choices = output_dict["logits"].argmax(dim=-1).tolist()
        return {"topic": [self.vocab.get_token_from_index(i, self.namespace) for i in choices]}

    def get_metrics(self, reset: bool = False, full: bool = False) -> Dict[str, Any]:
        metrics = {"accuracy": self.right / max(self.all, 1)}
        if reset:
            self.right = self.all = 0
        return metrics
'''

SENTENCES = {
    "train": [
        "food\tAnn eats bread",
        "food\tBob eats soup",
        "sport\tAnn runs",
        "sport\tBob swims fast",
    ],
    "dev": ["food\tEve eats bread", "sport\tEve runs"],
}
SENTENCES["test"] = SENTENCES["dev"]

NUM_EPOCHS = 8


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working directory with the user's package and data in it."""
    package = tmp_path / PACKAGE
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "topics.py").write_text(MODULE)
    write_corpus(tmp_path)
    for split, lines in SENTENCES.items():
        (tmp_path / f"topics.{split}").write_text("\n".join(lines) + "\n")
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


def config_with_topics() -> Config:
    config = tiny_config(tasks=("ner",))
    indexers = config["task_ner"]["data_params"]["dataset_reader"]["token_indexers"]
    config["task_topic"] = {
        "task_description": {
            "task_name": "topic",
            "validation_metric_name": "accuracy",
            "evaluate_on_test": True,
        },
        "data_params": {
            "dataset_reader": {"type": "toy_topics", "token_indexers": indexers},
            "train_data_path": "topics.train",
            "validation_data_path": "topics.dev",
            "test_data_path": "topics.test",
        },
    }
    config["model"]["topic"] = {
        "stacks_on": "ner",
        "encoder": {"type": "gru", "hidden_size": 5, "bidirectional": True},
        "tagger": {"type": "toy_classifier", "label_namespace": "topic_labels"},
    }
    config["multi_task_trainer"]["num_epochs"] = NUM_EPOCHS
    return config


def test_task_of_a_users_package_trains_beside_another(project: Path, run_script: Scripts) -> None:
    (project / "config.json").write_text(json.dumps(config_with_topics()))
    done = run_script("train.py", "-c", "config.json", "-s", "run", "--include-package", PACKAGE)
    assert done.code == 0, done.err
    metrics = json.loads((project / "run" / "metrics.json").read_text())
    assert metrics["topic"]["test"]["topic"]["accuracy"] == 1.0
    assert metrics["topic"]["nb_epoch_trained"] == NUM_EPOCHS
    assert (project / "run" / "best_topic.th").exists()
    # Its best weights are a whole model, which evaluation loads.
    done = run_script("evaluate.py", "-s", "run", "--include-package", PACKAGE)
    evaluated = json.loads((project / "run" / "evaluate_metrics.json").read_text())
    assert evaluated["topic"]["test"] == metrics["topic"]["test"]


def test_misspelt_key_of_a_users_head_is_refused(project: Path, run_script: Scripts) -> None:
    config = config_with_topics()
    config["model"]["topic"]["tagger"]["label_namspace"] = "topic_labels"
    (project / "config.json").write_text(json.dumps(config))
    done = run_script("train.py", "-c", "config.json", "-s", "run", "--include-package", PACKAGE)
    assert (
        "unknown key model.topic.tagger.label_namspace: did you mean 'label_namespace'"
        in done.error
    )
