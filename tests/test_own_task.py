"""
The proof of "one file and one config": the page docs/own_task.md, block by block, and beside its task another
one, of tokens, that nothing here knows of either. They go from training to spaCy in one model.
"""

import contextlib
import io
import json
import logging
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import spacy
from spacy.tokens import Doc

from hmtl.commands.main import main
from hmtl.config.loading import load_config
from hmtl.fine_tuning.fine_tune import fine_tune
from hmtl.prediction import spacy_component  # noqa: F401  (registers the component)
from hmtl.prediction.predictor import Predictor
from hmtl.prediction.renderings import RENDERINGS
from hmtl.runs.evaluation import evaluate
from hmtl.runs.model_card import MODEL_CARD_FILE
from hmtl.serving.raw import raw_fields
from tests.fixtures import Config
from tests.running import REPOSITORY, Finished, Scripts

PAGE = (REPOSITORY / "docs" / "own_task.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
# A block that begins with the name of a file is that file.
FILE_NAME = re.compile(r"(?:#|//) (\S+)\n")
FILES = {found[1]: block for _, block in BLOCKS if (found := FILE_NAME.match(block))}
CHECKOUT = "~/hmtl"
MOST_LINES_OF_A_HEAD = 40

PACKAGE = "my_tasks"
RunOwn = Callable[..., Finished]

TAGGER = '''
"""The parts of speech of words."""

import torch
from allennlp.data import DatasetReader, Token
from allennlp.data.fields import SequenceLabelField, TextField
from allennlp.data.instance import Instance

from hmtl.common.answers import TOKENS, Answers
from hmtl.metrics.accuracy import Accuracy
from hmtl.models.heads.head import SUM, Head, labels_of
from my_tasks.wishes import WishReader


@DatasetReader.register("toy_tags", exist_ok=True)
class ToyReader(WishReader):
    def _read(self, file_path):
        with open(file_path) as lines:
            for line in lines:
                words, tags = zip(*(pair.split("/") for pair in line.split()))
                field = TextField([Token(word) for word in words], self.token_indexers)
                tags = SequenceLabelField(list(tags), field, "pos_labels")
                # AllenNLP's readers call it what they like.
                yield Instance({"sentence": field, "tags": tags})


@Head.register("toy_tagger", exist_ok=True)
class ToyTagger(Head):
    validation_metric = "accuracy"
    answers = Answers(TOKENS, "tags")
    loss_kind = SUM

    def __init__(self, vocab, encoded_dim) -> None:
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

TAGGED = "Ann/N eats/V bread/N ./.\nBob/N eats/V soup/N ./.\nAnn/N runs/V ./.\nBob/N swims/V fast/A ./.\n"
NEW_LABELS = {
    "tags": "Ann/N sings/V\nBob/N swims/V slowly/R\n",
    "wishes": "sing: Ann sings\nask: Who ?\n",
}
ENCODER = {"type": "gru", "hidden_size": 5, "bidirectional": True}
# What makes the page's training short, and adds the other task.
OVERRIDES: Config = {
    "tasks": ["ner", "pos", "wish"],
    "multi_task_trainer.num_epochs": 6,
    "multi_task_trainer.optimizer": {"type": "adam", "lr": 0.02},
    "multi_task_trainer.cuda_device": -1,
    "task_ner.data_params.dataset_reader.max_instances": 20,
    "unseen_labels": "miss",
    "task_pos": {
        "task_description": {"evaluate_on_test": True},
        "data_params": {
            "dataset_reader": {"type": "toy_tags"},
            **{f"{split}_data_path": "tags.txt" for split in ("train", "validation", "test")},
        },
    },
    "model.pos": {"encoder": ENCODER, "tagger": {"type": "toy_tagger"}},
    "iterators.iterator_pos": {"type": "basic", "batch_size": 1},
}
TEXT = "Ann eats soup. Bob runs."
PARTS_OF_SPEECH = ["N", "V", "N", ".", "N", "V", "."]
MESSAGE = "Reserve a room in Oslo for us, please. Where do I change?"
WISHES = [("book", "Reserve a room in Oslo for us, please."), ("ask", "Where do I change?")]


def commands_of_page() -> Iterator[list[str]]:
    """The page's commands of HMTL, as lists of arguments, in order."""
    for language, block in BLOCKS:
        for line in block.splitlines():
            if language == "sh" and line.startswith("hmtl "):
                yield shlex.split(line)[1:]


def run_other_commands(blocks: list[str]) -> None:
    """Run what else stands in the page's shell blocks."""
    lines = "".join(blocks).replace(CHECKOUT, str(REPOSITORY)).splitlines()
    script = "\n".join(line for line in lines if not line.startswith("hmtl "))
    subprocess.run(["bash", "-ec", script], check=True)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory as the page makes it, with the other task beside."""
    root = tmp_path_factory.mktemp("project")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.syspath_prepend(str(root))
        run_other_commands([block for language, block in BLOCKS if language == "sh"])
        for name, content in {**FILES, f"{PACKAGE}/toys.py": TAGGER}.items():
            (root / name).write_text(content)
        (root / "data" / "tags.txt").write_text(3 * TAGGED)
        yield root
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def run(project: Path) -> Path:
    """The page's training, shortened."""
    (training,) = (command for command in commands_of_page() if command[0] == "train")
    assert not main([*training, "-o", json.dumps(OVERRIDES)])
    return project / training[training.index("-s") + 1]


@pytest.fixture
def run_own(project: Path, run_script: Scripts) -> RunOwn:
    """Runs an entry point with the user's package."""
    return lambda script, *arguments: run_script(script, *arguments, "--include-package", PACKAGE)


def test_the_head_is_short_and_its_module_can_be_imported_first() -> None:
    code = FILES[f"{PACKAGE}/wishes.py"]
    assert code.index("import hmtl.compat") < code.index("from allennlp")
    assert len(code[code.index("@Head") :].splitlines()) <= MOST_LINES_OF_A_HEAD


def test_data_of_a_users_reader_are_checked(project: Path, run_script: Scripts) -> None:
    (check,) = (command for command in commands_of_page() if command[0] == "check")
    done = run_script("hmtl check", *check[1:], "-o", json.dumps({"tasks": ["ner", "wish"]}))
    assert done.code == 0, done
    assert "label cancel " in done.out


def test_answers_of_the_pages_command(run: Path, run_script: Scripts) -> None:
    (predict,) = (command for command in commands_of_page() if command[0] == "predict")
    answer = json.loads(run_script("hmtl predict", *predict[1:]).out)
    assert [(each["type"], each["text"]) for each in answer["wish"]] == WISHES


def test_answers_of_the_pages_program(run: Path) -> None:
    (program,) = (b for language, b in BLOCKS if language == "python" and b not in FILES.values())
    with contextlib.redirect_stdout(io.StringIO()) as said:
        exec(program, {})
    in_python, in_spacy, _ = said.getvalue().splitlines()
    assert in_python == "[('cancel', 'Please cancel my flight to Oslo.')]"
    assert in_spacy == str(WISHES)


def test_table_of_scores_shows_what_a_users_head_is_judged_by(run: Path, run_own: RunOwn) -> None:
    header, _, *rows = run_own("evaluate.py", "-s", run).out.splitlines()
    titles = ["test", "precision", "recall", "F1", "accuracy", "loss"]
    assert header.split() == [*titles, "best", "epoch", "(from", "1)"]
    assert ["wish", "100.00"] in [row.split()[:2] for row in rows]


def test_model_card_shows_what_a_users_head_is_judged_by(run: Path) -> None:
    cells = [line.split("|") for line in (run / MODEL_CARD_FILE).read_text().splitlines()]
    assert ["wish", "", "", "", "100.00"] in [[cell.strip() for cell in row[1:6]] for row in cells]


def test_evaluation_gives_what_training_gave(run: Path) -> None:
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["wish"]["test"]["wish"]["accuracy"] == 1.0
    evaluated = evaluate(run, gold_mentions=False)
    assert evaluated["wish"]["test"] == metrics["wish"]["test"]


@pytest.mark.parametrize("with_sentences", [True, False])
def test_answers_of_users_heads_in_spacy(run: Path, with_sentences: bool) -> None:
    nlp = spacy.blank("en")
    if with_sentences:
        nlp.add_pipe("sentencizer")
    nlp.add_pipe("hmtl", config={"serialization_dir": str(run)})
    tagged, doc = nlp(TEXT), nlp(MESSAGE)
    assert [token._.pos for token in tagged] == PARTS_OF_SPEECH
    assert [(span.label_, span.text) for span in doc.spans["wish"]] == WISHES
    sentences = doc.sents if with_sentences else doc.spans["wish"]
    assert [(sentence._.wish, sentence.text) for sentence in sentences] == WISHES
    assert Doc(nlp.vocab).from_bytes(tagged.to_bytes())[0]._.pos == "N"


def test_answers_of_users_heads_are_drawn(run: Path) -> None:
    (prediction,) = Predictor.from_serialization_dir(run).predict_texts([MESSAGE])
    assert "<li>ask: Where do I change?</li>" in RENDERINGS["html"].render("text", prediction)
    assert raw_fields(prediction)["wish"] == [["book", "ask"]]


def test_users_heads_keep_what_they_know_of_labels_by_name(
    run: Path, project: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name, content in NEW_LABELS.items():
        (project / "data" / f"new_{name}.txt").write_text(content)
    config = load_config(project / "five.jsonnet", json.dumps(OVERRIDES))
    config.update({"tasks": ["pos", "wish"], "data_root": str(project / "data")})
    config["multi_task_trainer"]["num_epochs"] = 1
    for task, name in (("task_pos", "tags"), ("task_wish", "wishes")):
        for split in ("train", "validation", "test"):
            config[task]["data_params"][f"{split}_data_path"] = f"new_{name}.txt"
    (project / "new.json").write_text(json.dumps(config))
    with caplog.at_level(logging.INFO):
        metrics = fine_tune(
            project / "new.json", "", project / "tuned", run, "best_wish.th", False, False
        )
    for name in ("pos", "wish"):
        assert f"heads.{name}.projection.weight extended" in re.sub(" +", " ", caplog.text)
    assert metrics["forgetting"]["ner"]["metric"] == "f1-measure-overall"


def test_misspelt_key_of_a_users_head_is_refused(run: Path, run_own: RunOwn) -> None:
    misspelt = json.dumps({"model.wish.tagger.lables": "wish_labels"})
    done = run_own("train.py", "-c", "five.jsonnet", "-s", "misspelt", "-o", misspelt)
    assert "unknown key model.wish.tagger.lables" in done.error
