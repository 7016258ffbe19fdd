"""Relations between entities of documents, from a corpus of spans to answers in raw text and their scores."""

import json
from pathlib import Path

import pytest
from allennlp.common.checks import ConfigurationError

from hmtl.formats.docred import read_documents
from hmtl.prediction.predictor import Limits, Predictor
from hmtl.prediction.results import DocumentRelation
from hmtl.runs.training import train
from tests.fixtures import (
    ENCODER,
    Config,
    completed,
    task_section,
    tiny_config,
    write_corpus,
)
from tests.running import Scripts

TEXT = "Ann Lee of Oslo met Bob\nShe left it"


def config(root: Path) -> Config:
    """Mentions below, coreference on them, relations of documents on top."""
    tiny = tiny_config(root, ("emd", "coref"))
    sections: dict[str, tuple[Config, str, str]] = {
        "coref": ({"type": "coref_ace", "max_span_width": 3}, "ace/{}", "coref_f1"),
        "document": ({"type": "docred"}, "docred/{}.json", "f1-measure-overall"),
    }
    for name, section in sections.items():
        tiny[f"task_{name}"] = task_section(name, *section)
    tiny["model"]["coref"]["tagger"].update(spans_per_word=1.0, singleton_threshold=0.5)
    wide = {**ENCODER, "hidden_size": 12}
    tiny["model"]["emd"]["encoder"] = tiny["model"]["coref"]["encoder"] = wide
    tagger = {"type": "document_relation_extractor", "hidden_dim": 16, "block_size": 4}
    tiny["model"]["document"] = {"stacks_on": "coref", "encoder": wide, "tagger": tagger}
    tiny["unseen_labels"] = "miss"
    tiny["multi_task_trainer"].update(num_epochs=20, optimizer={"type": "adam", "lr": 0.02})
    return tiny


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = write_corpus(tmp_path_factory.mktemp("documents"))
    train(completed(config(root)), root / "run", recover=False, force=False)
    return root


def test_it_is_learned_and_scored(root: Path) -> None:
    test = json.loads((root / "run" / "metrics.json").read_text())["document"]["test"]["document"]
    assert test["f1-measure-overall"] == 1.0
    # Training has all: the other's name alone is new, and its relation with Oslo.
    assert test["ign-f1-measure"] < 1.0
    assert test["support-PHYS"] == test["support-ART"] == 2


def test_entities_of_raw_text_are_what_the_levels_below_find(root: Path) -> None:
    predictor = Predictor.from_serialization_dir(root / "run", scores=True)
    assert predictor.kinds["document"] == "document_relations"
    words = [line.split() for line in TEXT.splitlines()]
    (prediction,) = predictor.predict_tokens([words])
    clusters = [{span.text for span in each} for each in prediction.clusters["coref"]]
    linked = set().union(*clusters)
    alone = [{each.text} for each in prediction.mentions["emd"] if each.text not in linked]
    entities = prediction.entities["document"]
    assert {"Ann Lee", "Oslo", "Bob"} <= {mention.text for each in entities for mention in each}
    assert sorted(map(sorted, clusters + alone)) == sorted(
        sorted(mention.text for mention in each) for each in entities
    )
    found = [
        each for each in prediction.relations["document"] if isinstance(each, DocumentRelation)
    ]
    assert found and {each.type for each in found} <= {"PHYS", "ART"}
    assert all(each.score is not None and 0.5 < each.score < 1.0 for each in found)
    fields = prediction.to_json()
    for relation, told in zip(found, fields["document"], strict=True):
        mentions = fields["document_entities"][relation.head]
        assert told["head"] == relation.head and mentions[0]["text"] == told["arg1_text"]
    assert not prediction.at_least(1.0).relations["document"]
    # Of a document that is cut, only what lies in one part is related.
    predictor.limits = Limits(document_tokens=4)
    (cut,) = predictor.predict_tokens([words])
    for each in cut.relations["document"]:
        assert each.arg2.end_token < 4 or each.arg1.end_token >= 4


def test_given_entities_are_related_and_found_ones_scored(root: Path, run_script: Scripts) -> None:
    gold = root / "docred" / "test.json"
    out = root / "out"
    options = ("-s", root / "run", gold, "--input-format", "docred", "--output-format")
    done = run_script("hmtl predict", *options, "docred_submission", "-o", out / "given.json")
    assert done.code == 0, done.err
    submitted = json.loads((out / "given.json").read_text())
    expected = [
        {"title": each.name, "h_idx": r.head, "t_idx": r.tail, "r": r.type, "evidence": []}
        for each in read_documents(gold)
        for r in each.entity_relations
    ]
    key = json.dumps
    assert sorted(submitted, key=key) == sorted(expected, key=key)
    # Without an answer for any text it is an empty list.
    (out / "empty.jsonl").write_text('{"tokens": ["It", "rained"]}\n')
    empty = (*options[:2], out / "empty.jsonl", "--output-format", "docred_submission")
    assert json.loads(run_script("hmtl predict", *empty).out) == []
    predicted = out / "found.json"
    done = run_script("hmtl predict", *options, "docred", "--find-entities", "-o", predicted)
    assert done.code == 0, done.err
    scores = out / "scores.json"
    done = run_script("hmtl score", gold, predicted, "--samples", "0", "--output", scores)
    assert done.code == 0, done.err
    assert "relations of entities" in done.out
    # A format without entities has those of its mentions and clusters.
    brat = out / "brat"
    done = run_script("hmtl predict", *options, "brat", "--find-entities", "-o", brat)
    assert done.code == 0, done.err
    done = run_script("hmtl score", gold, brat, "--samples", "0", "--output", out / "brat.json")
    assert done.code == 0, done.err
    in_brat = json.loads((out / "brat.json").read_text())["systems"][str(brat)]["scores"]
    # And the same figures by one command.
    done = run_script("hmtl evaluate", "-s", root / "run", "--output", out / "evaluated.json")
    assert done.code == 0, done.err
    told = json.loads((out / "evaluated.json").read_text())["document"]["found_entities"]
    expected = json.loads(scores.read_text())["systems"][str(predicted)]["scores"]
    for group in ("entities", "relations of entities"):
        assert told[group] == pytest.approx(expected[group]["F1"])
        assert told[group] == pytest.approx(in_brat[group]["F1"])
        assert f"{100 * told[group]['f1_score']:.2f}" in done.out


@pytest.mark.parametrize("output_format", ["brat", "html", "jsonl", "like_conll", "label_studio"])
def test_other_formats_have_relations_between_first_mentions(
    root: Path, run_script: Scripts, tmp_path: Path, output_format: str
) -> None:
    (tmp_path / "in.txt").write_text(TEXT)
    options = ("-s", root / "run", tmp_path / "in.txt", "--output-format", output_format)
    done = run_script("hmtl predict", *options, "-o", tmp_path / "out")
    assert done.code == 0, done.err
    out = tmp_path / "out"
    text = (out / "in.ann").read_text() if out.is_dir() else out.read_text()
    assert "PHYS" in text or "ART" in text
    if output_format == "brat":
        assert "Arg1:T1 Arg2:T2" in text and "T1\tPER 0 7\tAnn Lee" in text


@pytest.mark.parametrize("clusters_from", ["emd", "document", "corref"])
def test_clusters_from_a_level_that_finds_none_are_an_error(root: Path, clusters_from: str) -> None:
    changed = config(root)
    changed["model"]["document"]["clusters_from"] = clusters_from
    with pytest.raises(ConfigurationError, match=r"model\.document\.clusters_from is .*\(coref\)"):
        train(completed(changed), root / "other", recover=False, force=True)


@pytest.mark.parametrize("change", ["unseen type", "no relation", "no entity"])
def test_unusual_test_data_are_scored(
    root: Path, run_script: Scripts, tmp_path: Path, change: str
) -> None:
    documents = json.loads((root / "docred" / "test.json").read_text())
    for document in documents:
        if change == "unseen type":
            document["vertexSet"][0][0]["type"] = "NEW"
        else:
            document["labels"] = []
        if change == "no entity":
            document["vertexSet"] = []
    changed, out = tmp_path / "test.json", tmp_path / "scores.json"
    changed.write_text(json.dumps(documents))
    options = ("--data", f"document={changed}", "--output", out)
    done = run_script("hmtl evaluate", "-s", root / "run", *options)
    assert done.code == 0, done.err
    assert ("there is no relation" in done.err) == (change != "unseen type")
    found = json.loads(out.read_text())["document"].get("found_entities", {})
    # Entities are scored also where nothing relates them.
    expected = ["entities", "relations of entities"]
    number = {"unseen type": 2, "no relation": 1, "no entity": 0}[change]
    assert list(found) == expected[:number]


def test_entities_and_their_relations_are_counted(root: Path, run_script: Scripts) -> None:
    (root / "config.json").write_text(json.dumps(config(root)))
    done = run_script("hmtl check", root / "config.json", "--json")
    test = json.loads(done.out)["tasks"]["document"]["splits"]["test"]
    gold = list(read_documents(root / "docred" / "test.json"))
    assert test["entities"] == sum(len(each.entities) for each in gold)
    assert test["entity_relations"] == sum(len(each.entity_relations) for each in gold) > 0


def test_a_run_that_finds_no_entities_says_so(
    root: Path, run_script: Scripts, tmp_path: Path
) -> None:
    alone = {**config(root), "tasks": ["document"]}
    alone["multi_task_trainer"]["num_epochs"] = 1
    train(completed(alone), tmp_path / "run", recover=False, force=False)
    options = ("-s", tmp_path / "run", root / "docred" / "test.json", "--input-format", "docred")
    assert "no level" not in run_script("hmtl predict", *options).err
    done = run_script("hmtl predict", *options, "--find-entities")
    assert done.code == 0 and "no level of this run finds the entities" in done.err
