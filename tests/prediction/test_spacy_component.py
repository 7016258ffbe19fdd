"""The hierarchy in a spaCy pipeline: what it sets, and that this can be saved, sent and drawn."""

import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import spacy
import torch
from spacy import displacy
from spacy.language import Language
from spacy.tokens import Doc, DocBin, Span

from hmtl.errors import DataError
from hmtl.prediction.predictor import Predictor
from hmtl.prediction.spacy_component import (  # it registers the factory
    get_coref_clusters,
    get_relations,
)
from tests.conftest import REPOSITORY
from tests.prediction.runs import make_tiny_run

TEXT = "\n Ann Lee  met Bob in Oslo.\n\nShe likes him there 😀."
LONG_TEXT = "Ann Lee met Bob in Oslo. She likes him there. " * 20
SECONDS_TO_ANSWER = 120
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


def annotation(doc: Doc) -> dict[str, Any]:
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
    names = {path.name for path in (tmp_path / "saved" / "hmtl").iterdir()}
    assert names == {"model.safetensors", "config.json", "vocabulary"}
    loaded = spacy.load(tmp_path / "saved")
    assert annotation(loaded(TEXT)) == annotation(nlp(TEXT))
    # Where it came from, it may be saved again.
    loaded.to_disk(tmp_path / "saved")
    assert annotation(spacy.load(tmp_path / "saved")(TEXT)) == annotation(nlp(TEXT))


def test_a_pipeline_as_bytes_is_refused_with_the_way_out(nlp: Language) -> None:
    with pytest.raises(DataError, match=r"nlp.to_disk\(path\).*exclude=\['hmtl'\]"):
        nlp.to_bytes()
    assert nlp.to_bytes(exclude=["hmtl"])


def test_a_pipeline_that_has_answered_can_be_pickled(nlp: Language) -> None:
    expected = annotation(nlp(TEXT))
    again = pickle.loads(pickle.dumps(nlp))
    assert annotation(again(TEXT)) == expected


def test_forked_processes_answer_after_the_first_text(nlp: Language) -> None:
    threads = torch.get_num_threads()

    def end_them(*_: Any) -> None:
        for child in multiprocessing.active_children():
            child.kill()

    before = signal.signal(signal.SIGALRM, end_them)
    signal.alarm(SECONDS_TO_ANSWER)
    try:
        torch.set_num_threads(2)
        expected = annotation(nlp(LONG_TEXT))
        docs = list(nlp.pipe([LONG_TEXT] * 4, n_process=2, batch_size=1))
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
        torch.set_num_threads(threads)
    assert [annotation(doc) for doc in docs] == [expected] * 4


def words_of(doc: Doc) -> dict[str, Any]:
    """What was found, as texts."""
    return {
        "mentions": {
            task: [(span.label_, span.text) for span in spans]
            for task, spans in doc._.mentions.items()
        },
        "relations": [(r.type, r.arg1.text, r.arg2.text) for r in doc._.relations],
        "clusters": [[span.text for span in cluster] for cluster in doc._.coref_clusters],
    }


def test_mentions_by_characters_are_the_groups_of_spans(nlp: Language) -> None:
    doc = nlp(TEXT)
    assert list(doc._.mentions) == list(doc.spans)
    assert all(list(doc.spans[task]) == spans for task, spans in doc._.mentions.items())


def test_spans_stay_right_when_tokens_are_split(nlp: Language) -> None:
    doc = nlp(TEXT)
    expected = words_of(doc)
    with doc.retokenize() as retokenizer:
        # An orphan of what was before: all tokens after it move by one.
        retokenizer.split(doc[1], ["A", "nn"], heads=[(doc[1], 1), doc[2]])
    assert words_of(doc) == expected


def test_spans_grow_to_the_tokens_that_they_were_merged_into(nlp: Language) -> None:
    doc = nlp(TEXT)
    found = annotation(doc)
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[1:3])

    def merged(place: tuple[int, int]) -> tuple[int, int]:
        token = doc[1]
        first, last = token.idx, token.idx + len(token)
        begin, end = place
        return (first if first < begin < last else begin, last if first < end < last else end)

    def places(span: Span) -> tuple[int, int]:
        return span.start_char, span.end_char

    assert [(r.type, places(r.arg1), places(r.arg2)) for r in doc._.relations] == [
        (kind, merged(arg1), merged(arg2)) for kind, arg1, arg2 in found["relations"]
    ]
    assert [[places(span) for span in c] for c in doc._.coref_clusters] == [
        [merged(place) for place in cluster] for cluster in found["clusters"]
    ]


def test_a_part_of_a_document_holds_what_is_in_it(nlp: Language) -> None:
    doc = nlp(TEXT)
    begin = next(sentence for sentence in doc.sents if "She" in sentence.text).start
    part = doc[begin:].as_doc(copy_user_data=True)
    inside = [
        (relation.type, relation.arg1.text, relation.arg2.text)
        for relation in doc._.relations
        if min(relation.arg1.start, relation.arg2.start) >= begin
    ]
    clusters = [[span.text for span in c if span.start >= begin] for c in doc._.coref_clusters]
    assert words_of(part)["relations"] == inside
    assert words_of(part)["clusters"] == [c for c in clusters if len(c) > 1]
    assert inside or any(clusters)


def test_joined_documents_hold_what_is_in_each(nlp: Language) -> None:
    first, second = words_of(nlp("It rained. Ann left.")), words_of(nlp(TEXT))
    both = words_of(Doc.from_docs([nlp("It rained. Ann left."), nlp(TEXT)]))
    assert both["relations"] == [*first["relations"], *second["relations"]]
    assert both["clusters"] == [*first["clusters"], *second["clusters"]]


def test_a_second_text_replaces_what_was_found_in_a_document(nlp: Language) -> None:
    doc = nlp(TEXT)
    expected = annotation(doc)
    assert annotation(nlp.get_pipe("hmtl")(doc)) == expected


def test_two_components_leave_each_other_what_they_find(nlp: Language, run: Path) -> None:
    expected = annotation(nlp(TEXT))
    pipeline = pipeline_with(serialization_dir=str(run))
    pipeline.add_pipe("hmtl", name="again", config={"serialization_dir": str(run), "ents": None})
    doc = pipeline(TEXT)
    found = annotation(doc)
    assert found["ents"] == expected["ents"]
    assert found["spans"] == {
        prefix + task: spans
        for prefix in ("", "again.")
        for task, spans in expected["spans"].items()
    }
    assert found["relations"] == expected["relations"] * 2
    assert found["clusters"] == expected["clusters"] * 2
    assert get_relations(doc, "again.relation") == get_relations(doc, "relation")
    assert get_coref_clusters(doc, "again.coref") == get_coref_clusters(doc, "coref")


def test_a_run_with_its_checkpoints_is_not_saved_over(nlp: Language, tmp_path: Path) -> None:
    (tmp_path / "run" / "checkpoints").mkdir(parents=True)
    with pytest.raises(DataError, match="a run of hmtl train is here"):
        nlp.get_pipe("hmtl").to_disk(tmp_path / "run")  # type: ignore[attr-defined]


def test_documents_keep_it_as_bytes(nlp: Language) -> None:
    doc = nlp(TEXT)
    assert annotation(Doc(nlp.vocab).from_bytes(doc.to_bytes())) == annotation(doc)
    kept = DocBin(store_user_data=True, docs=[doc]).to_bytes()
    (again,) = DocBin().from_bytes(kept).get_docs(nlp.vocab)
    assert annotation(again) == annotation(doc)


def test_scores_stand_on_spans_and_relations_where_asked_for(nlp: Language, run: Path) -> None:
    doc = pipeline_with(serialization_dir=str(run), scores=True)(TEXT)
    (prediction,) = Predictor.from_serialization_dir(run, scores=True).predict_texts([TEXT])
    for task, mentions in prediction.mentions.items():
        expected = [each.score for each in mentions]
        assert [span._.score for span in doc.spans[task]] == pytest.approx(expected)
        assert doc.spans[task].attrs["scores"] == pytest.approx(expected)
    relations = prediction.relations["relation"]
    assert [each.score for each in doc._.relations] == pytest.approx([r.score for r in relations])
    members: list[Any] = [span for found in prediction.clusters["coref"] for span in found]
    found = [span._.score for cluster in doc._.coref_clusters for span in cluster]
    assert sorted(found) == pytest.approx(sorted(each.score for each in members))
    assert found and {ent._.score for ent in nlp(TEXT).ents} == {None}
    assert annotation(Doc(doc.vocab).from_bytes(doc.to_bytes())) == annotation(nlp(TEXT))


def test_displacy_draws_names_and_mentions(nlp: Language) -> None:
    doc = nlp(TEXT)
    names = displacy.render(doc, style="ent", jupyter=False)
    mentions = displacy.render(doc, style="span", options={"spans_key": "emd"}, jupyter=False)
    assert doc.ents[0].label_ in names
    assert doc.spans["emd"][0].label_ in mentions


def test_a_directory_without_a_run_is_an_error_with_the_first_text(tmp_path: Path) -> None:
    pipeline = pipeline_with(serialization_dir=str(tmp_path))
    with pytest.raises(DataError, match="this is no run of hmtl train"):
        pipeline(TEXT)


@pytest.mark.slow
def test_a_fresh_process_loads_a_saved_pipeline(nlp: Language, tmp_path: Path) -> None:
    nlp.to_disk(tmp_path / "saved")
    script = (
        "import sys, spacy, hmtl.prediction.spacy_component\n"
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
