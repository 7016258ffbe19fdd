"""
The proof of "one file and one config": tasks that nothing here knows of, their readers and their heads in a
user's package, go from training to spaCy beside another task.
"""

import importlib
import json
import logging
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import spacy
from spacy.tokens import Doc

from hmtl.fine_tuning.fine_tune import fine_tune
from hmtl.prediction import spacy_component  # noqa: F401  (registers the component)
from hmtl.prediction.predictor import Predictor
from hmtl.prediction.renderings import RENDERINGS
from hmtl.runs.evaluation import evaluate
from hmtl.runs.model_card import MODEL_CARD_FILE
from hmtl.runs.training import train
from hmtl.serving.raw import raw_fields
from tests.fixtures import Config, completed, tiny_config, write_corpus
from tests.running import Finished, Scripts

PACKAGE = "toy_project"
RunToys = Callable[..., Finished]

MODULE = '''
"""Which of a few topics a sentence is about, and the parts of speech of its words."""

from typing import Dict

import torch
from allennlp.data import DatasetReader, Token, TokenIndexer, Vocabulary
from allennlp.data.fields import LabelField, SequenceLabelField, TextField
from allennlp.data.instance import Instance
from allennlp.nn.util import masked_mean

from hmtl.common.answers import LABEL, TOKENS, Answers
from hmtl.metrics.accuracy import Accuracy
from hmtl.models.heads.head import MEAN, SUM, Head, labels_of


@DatasetReader.register("toy_reader", exist_ok=True)
class ToyReader(DatasetReader):
    def __init__(self, token_indexers: Dict[str, TokenIndexer]) -> None:
        super().__init__()
        self.token_indexers = token_indexers

    def _read(self, file_path):
        with open(file_path) as lines:
            for line in lines:
                label, text = line.rstrip("\\n").split("\\t")
                words, tags = zip(*(pair.split("/") for pair in text.split()))
                field = TextField([Token(word) for word in words], self.token_indexers)
                yield Instance({
                    "sentence": field,
                    "label": LabelField(label, "topic_labels"),
                    "tags": SequenceLabelField(list(tags), field, "pos_labels"),
                })


@Head.register("toy_classifier", exist_ok=True)
class TopicClassifier(Head):
    validation_metric = "accuracy"
    answers = Answers(LABEL, "topic")
    loss_kind = MEAN

    def __init__(self, vocab: Vocabulary, encoded_dim: int, label_namespace: str) -> None:
        super().__init__()
        self.labels = labels_of(vocab, label_namespace)
        self.projection = torch.nn.Linear(encoded_dim, len(self.labels))
        self.accuracy = Accuracy()

    def forward(self, inputs, encoded, mask, compute_metrics, label=None, **others):
        logits = self.projection(masked_mean(encoded, mask.unsqueeze(-1), dim=1))
        output = {"logits": logits}
        if label is not None:
            output["loss"] = torch.nn.functional.cross_entropy(logits, label)
            if compute_metrics:
                self.accuracy.update(logits.argmax(dim=-1).tolist(), label.tolist())
        return output

    def decode(self, output_dict):
        choices = output_dict["logits"].argmax(dim=-1).tolist()
        return {"topic": [self.labels[choice] for choice in choices]}


@Head.register("toy_tagger", exist_ok=True)
class ToyTagger(Head):
    validation_metric = "accuracy"
    answers = Answers(TOKENS, "tags")
    loss_kind = SUM

    def __init__(self, vocab: Vocabulary, encoded_dim: int) -> None:
        super().__init__()
        self.labels = labels_of(vocab, "pos_labels")
        self.projection = torch.nn.Linear(encoded_dim, len(self.labels))
        self.accuracy = Accuracy()

    def forward(self, inputs, encoded, mask, compute_metrics, tags=None, **others):
        logits = self.projection(encoded)
        output = {"logits": logits}
        if tags is not None:
            output["loss"] = torch.nn.functional.cross_entropy(
                logits[mask], tags[mask], reduction="sum"
            )
            if compute_metrics:
                self.accuracy.update(logits.argmax(-1)[mask].tolist(), tags[mask].tolist())
        return output

    def decode(self, output_dict):
        best = output_dict["logits"].argmax(dim=-1).tolist()
        return {"tags": [[self.labels[index] for index in sentence] for sentence in best]}
'''

SENTENCES = {
    "train": [
        "food\tAnn/N eats/V bread/N ./.",
        "food\tBob/N eats/V soup/N ./.",
        "sport\tAnn/N runs/V ./.",
        "sport\tBob/N swims/V fast/A ./.",
    ],
    "validation": ["food\tEve/N eats/V bread/N ./.", "sport\tEve/N runs/V ./."],
}
SENTENCES["test"] = SENTENCES["validation"]
NEW_SENTENCES = {
    split: ["music\tAnn/N sings/V", "sport\tBob/N swims/V slowly/R"] for split in SENTENCES
}

NUM_EPOCHS = 10
TEXT = "Ann eats soup. Bob runs."
PARTS_OF_SPEECH = ["N", "V", "N", ".", "N", "V", "."]
LABELLED = [("food", "Ann eats soup."), ("sport", "Bob runs.")]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A working directory with the user's package and data in it."""
    root = write_corpus(tmp_path_factory.mktemp("project"))
    package = root / PACKAGE
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "toys.py").write_text(MODULE)
    for folder, sentences in (("old", SENTENCES), ("new", NEW_SENTENCES)):
        (root / folder).mkdir()
        for split, lines in sentences.items():
            (root / folder / split).write_text("\n".join(lines) + "\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.syspath_prepend(str(root))
        importlib.import_module(f"{PACKAGE}.toys")
        yield root
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


@pytest.fixture
def run_toys(project: Path, run_script: Scripts) -> RunToys:
    """Runs an entry point with the user's package."""
    return lambda script, *arguments: run_script(script, *arguments, "--include-package", PACKAGE)


def toy_config(folder: str = "old", tasks: tuple[str, ...] = ("ner", "pos", "topic")) -> Config:
    config = tiny_config(tasks=tuple({"ner"} & set(tasks)))
    encoder = {"type": "gru", "hidden_size": 5, "bidirectional": True}
    topic = {"type": "toy_classifier", "label_namespace": "topic_labels"}
    levels = {
        "pos": {"encoder": encoder, "tagger": "toy_tagger"},
        "topic": {"stacks_on": "pos", "encoder": encoder, "tagger": topic},
    }
    indexers = {"tokens": {"type": "single_id", "lowercase_tokens": True}}
    for name in (name for name in levels if name in tasks):
        config["model"][name] = levels[name]
        config[f"task_{name}"] = {
            "task_description": {"evaluate_on_test": True},
            "data_params": {
                "dataset_reader": {"type": "toy_reader", "token_indexers": indexers},
                **{f"{split}_data_path": f"{folder}/{split}" for split in SENTENCES},
            },
        }
    config["iterators"]["iterator"]["batch_size"] = 1
    config["multi_task_trainer"].update(
        num_epochs=NUM_EPOCHS, optimizer={"type": "adam", "lr": 0.1}
    )
    return config


@pytest.fixture(scope="module")
def run(project: Path) -> Path:
    train(completed(toy_config()), project / "run", recover=False, force=False)
    return project / "run"


def test_table_of_scores_shows_what_a_users_head_is_judged_by(run: Path, run_toys: RunToys) -> None:
    header, _, *rows = run_toys("evaluate.py", "-s", run).out.splitlines()
    titles = ["test", "precision", "recall", "F1", "accuracy", "loss"]
    assert header.split() == [*titles, "best", "epoch", "(from", "1)"]
    assert ["topic", "100.00"] in [row.split()[:2] for row in rows]


def test_model_card_shows_what_a_users_head_is_judged_by(run: Path) -> None:
    cells = [line.split("|") for line in (run / MODEL_CARD_FILE).read_text().splitlines()]
    assert ["topic", "", "", "", "100.00"] in [[cell.strip() for cell in row[1:6]] for row in cells]


def test_evaluation_gives_what_training_gave(run: Path) -> None:
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["topic"]["test"]["topic"]["accuracy"] == 1.0
    evaluated = evaluate(run, gold_mentions=False)
    assert evaluated["topic"]["test"] == metrics["topic"]["test"]


def test_data_of_a_users_reader_are_checked(project: Path, run_toys: RunToys) -> None:
    (project / "config.json").write_text(json.dumps(toy_config()))
    done = run_toys("hmtl check", "config.json")
    assert done.code == 0, done
    assert "label N " in done.out


def test_answers_of_users_heads_as_json(run: Path, run_toys: RunToys, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT)
    answer = json.loads(run_toys("predict.py", "-s", run, tmp_path / "a.txt").out)
    assert answer["pos"] == PARTS_OF_SPEECH
    assert [(each["type"], each["text"]) for each in answer["topic"]] == LABELLED


@pytest.mark.parametrize("with_sentences", [True, False])
def test_answers_of_users_heads_in_spacy(run: Path, with_sentences: bool) -> None:
    nlp = spacy.blank("en")
    if with_sentences:
        nlp.add_pipe("sentencizer")
    nlp.add_pipe("hmtl", config={"serialization_dir": str(run)})
    doc = nlp(TEXT)
    assert [token._.pos for token in doc] == PARTS_OF_SPEECH
    assert [(span.label_, span.text) for span in doc.spans["topic"]] == LABELLED
    sentences = doc.sents if with_sentences else doc.spans["topic"]
    assert [(sentence._.topic, sentence.text) for sentence in sentences] == LABELLED
    assert Doc(nlp.vocab).from_bytes(doc.to_bytes())[0]._.pos == "N"


def test_answers_of_users_heads_are_drawn(run: Path) -> None:
    (prediction,) = Predictor.from_serialization_dir(run).predict_texts([TEXT])
    page = RENDERINGS["html"].render("text", prediction)
    assert "<li>sport: Bob runs.</li>" in page
    assert raw_fields(prediction)["topic"] == [["food", "sport"]]


def test_users_heads_keep_what_they_know_of_labels_by_name(
    run: Path, project: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = toy_config("new", ("pos", "topic"))
    config["multi_task_trainer"]["num_epochs"] = 1
    (project / "new.json").write_text(json.dumps(config))
    with caplog.at_level(logging.INFO):
        metrics = fine_tune(
            project / "new.json", "", project / "tuned", run, "best_topic.th", False, False
        )
    for name in ("pos", "topic"):
        assert f"heads.{name}.projection.weight extended" in re.sub(" +", " ", caplog.text)
    assert metrics["forgetting"]["ner"]["metric"] == "f1-measure-overall"


def test_misspelt_key_of_a_users_head_is_refused(project: Path, run_toys: RunToys) -> None:
    config = toy_config()
    config["model"]["topic"]["tagger"]["label_namspace"] = "topic_labels"
    (project / "misspelt.json").write_text(json.dumps(config))
    done = run_toys("train.py", "-c", "misspelt.json", "-s", "misspelt")
    assert (
        "unknown key model.topic.tagger.label_namspace: did you mean 'label_namespace'"
        in done.error
    )
