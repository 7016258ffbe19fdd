"""The hierarchy in a spaCy pipeline: what it sets, and that this can be saved, sent and drawn."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import spacy
from spacy import displacy
from spacy.language import Language
from spacy.tokens import Doc, DocBin

import hmtl.spacy_component  # noqa: F401  (registers the factory)
from hmtl.errors import DataError
from hmtl.prediction.predictor import Predictor
from tests.conftest import REPOSITORY
from tests.prediction.runs import make_tiny_run

TEXT = "\n Ann Lee  met Bob in Oslo.\n\nShe likes him there 😀."
TEXTS = [TEXT, "", " \n ", "It rained. Ann left."]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_run(tmp_path_factory.mktemp("spacy"))


@pytest.fixture(scope="module")
def nlp(run: Path) -> Language:
    return pipeline_with(serialization_dir=str(run))


def pipeline_with(**config: object) -> Language:
    pipeline = spacy.blank("en")
    pipeline.add_pipe("sentencizer")
    pipeline.add_pipe("hmtl", config=config)
    return pipeline


def annotation(doc: Doc) -> dict[str, object]:
    """All that the component sets, in places of characters."""

    def place(span) -> tuple[int, int]:
        return span.start_char, span.end_char

    return {
        "ents": [(ent.label_, place(ent)) for ent in doc.ents],
        "spans": {key: [(s.label_, place(s)) for s in doc.spans[key]] for key in doc.spans},
        "relations": [(r.type, place(r.arg1), place(r.arg2)) for r in doc._.relations],
        "clusters": [[place(span) for span in cluster] for cluster in doc._.coref_clusters],
    }


def test_a_document_holds_what_the_predictor_finds(nlp: Language, run: Path) -> None:
    (prediction,) = Predictor.from_serialization_dir(run).predict_texts([TEXT])

    def place(span) -> tuple[int, int]:
        return span.begin_char, span.end_char

    found = {
        task: [(mention.type, place(mention)) for mention in mentions]
        for task, mentions in prediction.mentions.items()
    }
    assert annotation(nlp(TEXT)) == {
        "ents": found["ner"],
        "spans": found,
        "relations": [
            (r.type, place(r.arg1), place(r.arg2)) for r in prediction.relations["relation"]
        ],
        "clusters": [[place(span) for span in cluster] for cluster in prediction.clusters["coref"]],
    }
    assert all(found.values()) and prediction.relations["relation"] and prediction.clusters["coref"]


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_a_pipe_sets_what_single_calls_set(nlp: Language, batch_size: int) -> None:
    texts = TEXTS * 3
    docs = list(nlp.pipe(texts, batch_size=batch_size))
    assert [doc.text for doc in docs] == texts
    assert [annotation(doc) for doc in docs] == [annotation(nlp(text)) for text in texts]


def test_a_document_that_it_has_not_seen_has_no_relations_or_clusters() -> None:
    doc = spacy.blank("en")("Ann")
    assert (doc._.relations, doc._.coref_clusters) == ([], [])


def test_without_a_sentencizer_the_answers_are_the_same(nlp: Language, run: Path) -> None:
    bare = spacy.blank("en")
    bare.add_pipe("hmtl", config={"serialization_dir": str(run)})
    assert annotation(bare(TEXT)) == annotation(nlp(TEXT))


def test_names_of_an_earlier_component_are_replaced(nlp: Language, run: Path) -> None:
    pipeline = spacy.blank("en")
    pipeline.add_pipe("entity_ruler").add_patterns(  # type: ignore[attr-defined]
        [{"label": "X", "pattern": "Ann Lee  met"}, {"label": "X", "pattern": "Lee"}]
    )
    pipeline.add_pipe("hmtl", config={"serialization_dir": str(run)})
    assert annotation(pipeline(TEXT)) == annotation(nlp(TEXT))


@pytest.mark.parametrize(("ents", "task"), [("emd", "emd"), (None, None), ("none", None)])
def test_another_task_or_none_may_give_the_ents(
    run: Path, ents: str | None, task: str | None
) -> None:
    doc = pipeline_with(serialization_dir=str(run), ents=ents)(TEXT)
    expected = [] if task is None else [(span.start, span.end) for span in doc.spans[task]]
    assert [(ent.start, ent.end) for ent in doc.ents] == expected


def test_a_run_of_one_task_sets_that_alone(tmp_path: Path) -> None:
    run = make_tiny_run(tmp_path, ("emd",))
    doc = pipeline_with(serialization_dir=str(run))(TEXT)
    assert list(doc.spans) == ["emd"]
    assert (list(doc.ents), doc._.relations, doc._.coref_clusters) == ([], [], [])


def test_a_saved_pipeline_holds_the_model(run: Path, nlp: Language, tmp_path: Path) -> None:
    moved = make_tiny_run(tmp_path / "elsewhere")
    pipeline = pipeline_with(serialization_dir=str(moved), weights="best_ner.th")
    pipeline.to_disk(tmp_path / "saved")
    moved.rename(tmp_path / "gone")
    loaded = spacy.load(tmp_path / "saved")
    assert annotation(loaded(TEXT)) == annotation(nlp(TEXT))
    # Where it came from, it may be saved again.
    loaded.to_disk(tmp_path / "saved")
    assert annotation(spacy.load(tmp_path / "saved")(TEXT)) == annotation(nlp(TEXT))


def test_a_pipeline_as_bytes_finds_the_run(nlp: Language, tmp_path: Path) -> None:
    copy = pipeline_with(serialization_dir=str(tmp_path)).from_bytes(nlp.to_bytes())
    assert annotation(copy(TEXT)) == annotation(nlp(TEXT))


def test_documents_keep_it_as_bytes(nlp: Language) -> None:
    doc = nlp(TEXT)
    assert annotation(Doc(nlp.vocab).from_bytes(doc.to_bytes())) == annotation(doc)
    kept = DocBin(store_user_data=True, docs=[doc]).to_bytes()
    (again,) = DocBin().from_bytes(kept).get_docs(nlp.vocab)
    assert annotation(again) == annotation(doc)


def test_displacy_draws_names_and_mentions(nlp: Language) -> None:
    doc = nlp(TEXT)
    names = displacy.render(doc, style="ent", jupyter=False)
    mentions = displacy.render(doc, style="span", options={"spans_key": "emd"}, jupyter=False)
    assert doc.ents[0].label_ in names
    assert doc.spans["emd"][0].label_ in mentions


def test_a_directory_without_a_run_is_an_error_with_the_first_text(tmp_path: Path) -> None:
    pipeline = pipeline_with(serialization_dir=str(tmp_path))
    with pytest.raises(DataError, match="this is no run of train.py"):
        pipeline(TEXT)


@pytest.mark.slow
def test_a_fresh_process_loads_a_saved_pipeline(nlp: Language, tmp_path: Path) -> None:
    nlp.to_disk(tmp_path / "saved")
    script = (
        "import sys, spacy, hmtl.spacy_component\n"
        "doc = spacy.load(sys.argv[1])(sys.argv[2])\n"
        "print([(ent.label_, ent.start, ent.end) for ent in doc.ents])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "saved"), TEXT],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )
    expected = [(ent.label_, ent.start, ent.end) for ent in nlp(TEXT).ents]
    assert done.stdout.splitlines()[-1] == str(expected)
