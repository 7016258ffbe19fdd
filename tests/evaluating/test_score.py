import json
from pathlib import Path

import pytest

from hmtl.evaluating.pairing import Source, pair
from hmtl.evaluating.scoring import CONLL, WITH, WITHOUT, score
from hmtl.formats.annotated import Document, Mention, Relation, Sentence
from hmtl.importing.reading import format_of, read
from hmtl.metrics.coref_scores import CorefScores
from hmtl.metrics.relation_f1 import RelationScores
from tests.fixtures import CONLL_2012, LIKE_CONLL
from tests.running import Scripts

GOLD, PREDICTED = Path("gold"), Path("predicted")
WORDS = "Ann Lee met Bob in Oslo .".split()


def document(name: str = "a", **layers) -> Document:
    return Document(name, [Sentence(list(WORDS), line=3)], **layers)


def scored(gold: list[Document], predicted: list[Document], match: str = "exact"):
    sources = Source(GOLD, gold), Source(PREDICTED, predicted)
    return score(pair(*sources, skip_missing=False), match, *sources)


def figures(scores, group: str, name: str) -> dict[str, float]:
    (found,) = [each for each in scores.scores if (each.group, each.name) == (group, name)]
    return found.figures()


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


# Scores


def test_coreference_is_scored_as_the_head_scores_it_where_there_are_no_singletons() -> None:
    gold = [document(clusters=[[(0, 1), (3, 3)], [(5, 5), (6, 6)]])]
    predicted = [document(clusters=[[(0, 1), (5, 5), (6, 6)]])]
    head = CorefScores()
    head.update(predicted[0].clusters, gold[0].clusters)
    ours = figures(scored(gold, predicted), WITHOUT, CONLL)
    assert ours["f1_score"] == pytest.approx(head.compute()["coref_f1"])


def test_singletons_of_both_sides_count_in_a_group_of_their_own() -> None:
    gold = [document(clusters=[[(0, 1), (3, 3)], [(5, 5)]])]
    predicted = [document(clusters=[[(0, 1), (3, 3)], [(6, 6)]])]
    scores = scored(gold, predicted)
    assert figures(scores, WITHOUT, "CEAF-e")["f1_score"] == 1.0
    assert figures(scores, WITH, "CEAF-e")["f1_score"] == 0.5


def test_relations_are_scored_as_the_head_scores_them() -> None:
    mentions = [Mention(0, 1, "PER"), Mention(5, 5, "GPE")]
    gold = document(mentions=mentions, relations=[Relation("AT", (0, 1), (5, 5))])
    predicted = document(mentions=mentions[1:], relations=[Relation("AT", (1, 1), (5, 5))])
    head = RelationScores()
    spans = [[mention.labelled for mention in each.mentions] for each in (predicted, gold)]
    head.update([(1, 5, "AT")], [(1, 5, "AT")], *spans)
    scores = scored([gold], [predicted])
    for name in ("boundaries", "strict"):
        expected = head.compute(full=True)[f"{name}-f1-measure"]
        assert figures(scores, "relations", name)["f1_score"] == expected


def test_the_gold_file_decides_whether_spans_are_names_or_mentions() -> None:
    scores = scored(
        [document(names=[Mention(0, 1, "P")])], [document(mentions=[Mention(0, 1, "P")])]
    )
    assert figures(scores, "names", "F1")["f1_score"] == 1.0


def test_heads_come_from_conllu(tmp_path) -> None:
    def conllu(first: str, last: str) -> str:
        rows = [f"{n}\tw{n}" + "\t_" * 7 + f"\t{c}" for n, c in enumerate(["_", first, last], 1)]
        entity = "# newdoc id = d\n# global.Entity = eid-etype-head\n"
        return entity + "\n".join(rows) + "\n" + "4\tw4" + "\t_" * 7 + "\tEntity=(e1--1)\n\n"

    gold = write(tmp_path / "g.conllu", conllu("Entity=(e1--2", "Entity=e1)"))
    predicted = write(tmp_path / "p.conllu", conllu("_", "Entity=(e1--1)"))
    by_match = {
        match: figures(scored(read(gold), read(predicted), match), WITHOUT, CONLL)["f1_score"]
        for match in ("exact", "partial", "head")
    }
    # One of two mentions of the one cluster: MUC 0, B-cubed 1/4, CEAF-e 1/2.
    assert by_match == {
        "exact": pytest.approx((0 + 1 / 4 + 1 / 2) / 3),
        "partial": 1.0,
        "head": 1.0,
    }


def test_the_same_text_in_other_tokens_is_compared_in_those_of_both() -> None:
    gold = document(names=[Mention(0, 1, "PER"), Mention(5, 5, "GPE")])
    predicted = Document(
        "a",
        [Sentence(["Ann", "L", "ee", "met"]), Sentence(["Bob", "in", "Oslo."])],
        names=[Mention(0, 2, "PER"), Mention(6, 6, "GPE")],
    )
    found = figures(scored([gold], [predicted]), "names", "F1")
    assert found == {"precision": 0.5, "recall": 0.5, "f1_score": 0.5}


# Files


def test_formats_are_told_by_their_looks(tmp_path) -> None:
    conll = write(tmp_path / "a", CONLL_2012.format(name="n", other="Bob"))
    like = write(tmp_path / "b", LIKE_CONLL.format(name="n", other="Bob"))
    columns = write(tmp_path / "c.txt", "Ann B-PER\nmet O\n")
    lines = write(tmp_path / "d.json", '{"doc_key": "n", "sentences": [["Ann"]], "ner": [[]]}\n')
    found = [format_of(path) for path in (conll, like, columns, lines)]
    assert found == ["conll2012", "like_conll", "conll2003", "dygie"]
    for path in (conll, like, columns, lines):
        assert read(path)


def test_formats_may_be_mixed(run_script: Scripts, tmp_path) -> None:
    gold = write(tmp_path / "gold", LIKE_CONLL.format(name="n", other="Bob"))
    run_script("hmtl import", "like_conll", gold, tmp_path / "out", "--split", "test")
    brat, output = tmp_path / "out" / "test", tmp_path / "scores.json"
    arguments = ("--predicted-options=--sentences lines", "--samples", "0", "--output", output)
    finished = run_script("hmtl score", gold, brat, *arguments)
    assert finished.code == 0, finished
    scores = json.loads(output.read_text())["systems"][str(brat)]["scores"]
    assert scores["mentions"]["F1"]["f1_score"] == 1.0
    assert scores["relations"]["boundaries"]["f1_score"] == 1.0
    assert scores["coreference"]["CoNLL"]["f1_score"] == 1.0


def conll(tmp_path: Path, name: str, *documents: str) -> Path:
    return write(
        tmp_path / name, "".join(CONLL_2012.format(name=each, other="Bob") for each in documents)
    )


def test_two_systems_are_compared(run_script: Scripts, tmp_path) -> None:
    names = [f"n{number}" for number in range(12)]
    gold, good = conll(tmp_path, "gold", *names), conll(tmp_path, "good", *names)
    bad = write(tmp_path / "bad", good.read_text().replace("(0)", "-"))
    output = tmp_path / "scores.json"
    finished = run_script("hmtl score", gold, good, bad, "--output", output)
    assert f"== {bad} less {good}" in finished.out
    found = json.loads(output.read_text())["differences"][str(bad)]
    assert found["coreference"]["MUC"]["value"] == pytest.approx(2 * 2 / 5 - 1)
    assert found["coreference"]["MUC"]["p_value"] < 0.01
    assert found["names"]["F1"]["value"] == 0.0


def test_a_document_of_one_side_only_is_refused_or_skipped(run_script: Scripts, tmp_path) -> None:
    gold, predicted = conll(tmp_path, "gold", "a", "b"), conll(tmp_path, "predicted", "a")
    error = run_script("hmtl score", gold, predicted).error
    assert error.startswith(f"error: {gold}:18: 1 document of {gold} not in {predicted}: 'b'.")
    skipped = run_script("hmtl score", gold, predicted, "--skip-missing")
    assert skipped.code == 0 and "left out" in skipped.err


def test_other_words_are_refused_with_their_line(run_script: Scripts, tmp_path) -> None:
    gold = conll(tmp_path, "gold", "a")
    predicted = write(tmp_path / "predicted", gold.read_text().replace("likes", "loves"))
    error = run_script("hmtl score", gold, predicted).error
    assert error.startswith(
        f"error: {predicted}:11: the document 'a' has other words than the gold"
    )
    assert f"token 9 is 'loves', and in {gold}:11 'likes'" in error


def test_a_span_in_two_clusters_is_refused_with_its_line(run_script: Scripts, tmp_path) -> None:
    gold = conll(tmp_path, "gold", "a")
    predicted = write(tmp_path / "predicted", gold.read_text().replace("* (0)", "* (0)|(1)"))
    error = run_script("hmtl score", gold, predicted).error
    assert error.startswith(f"error: {predicted}:10: document 'a': 'She' (tokens 8 to 8) is in two")


def test_wrong_options_of_a_format_are_one_message(run_script: Scripts, tmp_path) -> None:
    gold = conll(tmp_path, "gold", "a")
    error = run_script("hmtl score", gold, gold, "--gold-options", "--tag 4").error
    assert "the format conll2012 does not take the options '--tag 4'" in error


def test_head_match_without_heads_is_one_message(run_script: Scripts, tmp_path) -> None:
    gold = conll(tmp_path, "gold", "a")
    assert (
        "no mention here tells its head"
        in run_script("hmtl score", gold, gold, "--match", "head").error
    )


def test_trees_of_conllu_are_scored(tmp_path) -> None:
    def conllu(name: str, *heads: str) -> Path:
        rows = [
            f"{n}\tw{n}\t_\t_\t_\t_\t{h.replace(':', chr(9))}\t_\t_" for n, h in enumerate(heads, 1)
        ]
        return write(tmp_path / name, "# newdoc id = d\n" + "\n".join(rows) + "\n\n")

    gold = read(conllu("g.conllu", "2:det", "0:root", "2:obj", "2:obl"))
    scores = scored(gold, read(conllu("p.conllu", "2:det", "0:root", "2:iobj", "3:obl")))
    found = [figures(scores, "dependencies", name)["f1_score"] for name in ("UAS", "LAS")]
    assert found == [3 / 4, 2 / 4]
