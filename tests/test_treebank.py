"""Parts of speech, trees and names in one hierarchy, from the sample's treebank to spaCy and to CoNLL-U."""

import json
from pathlib import Path

import pytest
import spacy

from hmtl.config.loading import load_config
from hmtl.fine_tuning.axes import parameter_axes
from hmtl.formats.conllu import FORM, XPOS, read_sentences
from hmtl.models.heads.dependency_parser import DependencyParser
from hmtl.prediction import spacy_component  # noqa: F401  (registers the component)
from hmtl.prediction.predictor import Predictor
from hmtl.prediction.renderings import RENDERINGS
from hmtl.runs.training import train
from hmtl.serving.raw import raw_fields
from tests.running import REPOSITORY, Scripts

CONFIG = REPOSITORY / "configs" / "many_tasks.json"
OVERRIDES = {
    "data_root": str(REPOSITORY / "data" / "sample"),
    "tasks": ["pos", "dep", "ner"],
    "task_ner.data_params.train_fraction": 0.1,
    "multi_task_trainer.num_epochs": 12,
    "multi_task_trainer.optimizer.lr": 0.01,
    "multi_task_trainer.no_tqdm": True,
    "multi_task_trainer.cuda_device": -1,
    "cache.directory": "off",
}
# With white space that is no token of ours.
TEXT = "Ada saw the  boat.\n The teacher fell."
HEADS = ["saw", "saw", "boat", "the", "saw", "saw", ".", "teacher", "fell", "fell", "fell"]
RELATIONS = "nsubj root det dep obj punct dep det nsubj root punct".split()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("treebank") / "run"
    train(load_config(CONFIG, json.dumps(OVERRIDES)), directory, recover=False, force=False)
    return directory


@pytest.fixture(scope="module")
def predictor(run: Path) -> Predictor:
    return Predictor.from_serialization_dir(run)


def test_heads_learn_the_sample(run: Path) -> None:
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["pos"]["test"]["pos"]["accuracy"] > 0.95
    of_trees = metrics["dep"]["test"]["dep"]
    assert of_trees["uas"] >= of_trees["las"] > 0.9
    assert of_trees["las-no-punctuation"] > 0.9


def test_trees_in_json(predictor: Predictor) -> None:
    (prediction,) = predictor.predict_texts([TEXT])
    fields = json.loads(json.dumps(prediction.to_json()))
    assert fields["pos"][:4] == ["NNP", "VBD", "DT", "NN"]
    assert fields["dep"][:3] == [
        {"type": "nsubj", "head": 1},
        {"type": "root", "head": None},
        {"type": "det", "head": 3},
    ]
    # Of the second sentence, counted over the text.
    assert fields["dep"][5] == {"type": "det", "head": 6}
    assert raw_fields(prediction)["dep"][0][5] == [6, "det"]
    assert "nsubj" in RENDERINGS["html"].render("a", prediction)


@pytest.mark.parametrize("own_sentences", [True, False])
def test_trees_are_the_parse_of_a_spacy_document(run: Path, own_sentences: bool) -> None:
    nlp = spacy.blank("en")
    if own_sentences:
        nlp.add_pipe("sentencizer")
    nlp.add_pipe("hmtl", config={"serialization_dir": str(run)})
    doc = nlp(TEXT)
    assert [token.head.text for token in doc] == HEADS
    assert [token.dep_ for token in doc] == RELATIONS
    assert [sentence.root.text for sentence in doc.sents] == ["saw", "fell"]
    assert doc[0]._.dep == "nsubj" and doc[0]._.pos == "NNP"


def test_spacy_keeps_its_own_parse_if_told_so(run: Path) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("hmtl", config={"serialization_dir": str(run), "parse": None})
    doc = nlp(TEXT)
    assert not doc.has_annotation("DEP")
    assert doc[0]._.dep == "nsubj"
    assert len(nlp("")) == 0


def test_trees_are_written_as_conllu(run: Path, run_script: Scripts, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT)
    out = tmp_path / "a.conllu"
    done = run_script(
        "predict.py", "-s", run, tmp_path / "a.txt", "-o", out, "--output-format", "conllu"
    )
    assert done.code == 0, done
    first, second = read_sentences(out)
    assert first.comments == {"newdoc id": "a", "text": "Ada saw the boat."}
    assert first.column(FORM) == ["Ada", "saw", "the", "boat", "."]
    assert first.labels(XPOS) == ["NNP", "VBD", "DT", "NN", "."]
    assert first.tree() == ([2, 0, 4, 2, 2], ["nsubj", "root", "det", "obj", "punct"])
    assert second.tree()[0] == [2, 3, 0, 3]


def test_entries_of_the_parsers_parameters_are_known_by_relation(predictor: Predictor) -> None:
    model = predictor.model
    axes = parameter_axes(model, load_config(CONFIG, json.dumps(OVERRIDES)))
    parser = model.heads["dep"]
    assert isinstance(parser, DependencyParser)
    assert axes["heads.dep.label_weight"] == (parser.labels, None, None)
    for name, parameter in parser.named_parameters():
        known = axes.get(f"heads.dep.{name}", (None,) * parameter.dim())
        assert len(known) == parameter.dim(), name
    encoded = axes["heads.dep.arc_head.weight"][1]
    assert encoded is not None and axes["heads.dep.root"] == (encoded,)
