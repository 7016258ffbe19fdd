"""Columns of CoNLL-U and CoNLL-2012 as labels of tokens, and trees."""

from pathlib import Path
from typing import Any

import pytest
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary

from hmtl.data.readers.conll2012 import Conll2012Reader
from hmtl.data.readers.conllu import ConlluReader
from hmtl.data.readers.unseen_labels import NO_LABEL, apply_unseen_label_rule
from hmtl.errors import DataError

CONLLU = """\
# newdoc id = rain
# text = It's raining.
1-2\tIt's\t_\t_\t_\t_\t_\t_\t_\t_
1\tIt\tit\tPRON\tPRP\tNumber=Sing\t3\texpl\t_\t_
2\t's\tbe\tAUX\tVBZ\t_\t3\taux\t_\t_
2.1\tthere\tthere\tADV\tRB\t_\t_\t_\t_\t_
3\training\train\tVERB\tVBG\t_\t0\troot\t_\t_
4\t.\t.\tPUNCT\t.\t_\t3\tpunct\t_\t_

"""
CONLL_2012 = """\
#begin document (rain); part 000
rain 0 0 It PRP * it - - Ann * -
rain 0 1 rains VBZ * rain - 1 Ann * -
rain 0 2 /. . * - - - Ann * -

#end document
"""


def instances(reader: Any, path: Path, content: str) -> list[Any]:
    path.write_text(content, encoding="utf-8")
    return list(reader.read(path))


@pytest.mark.parametrize(
    ("column", "tags"),
    [
        ("upos", ["PRON", "AUX", "VERB", "PUNCT"]),
        ("xpos", ["PRP", "VBZ", "VBG", "."]),
        ("feats", ["Number=Sing", "_", "_", "_"]),
        ("deprel", ["expl", "aux", "root", "punct"]),
    ],
)
def test_any_column_of_conllu_labels_the_words(
    tmp_path: Path, column: str, tags: list[str]
) -> None:
    path = tmp_path / "a.conllu"
    (instance,) = instances(ConlluReader(column), path, CONLLU)
    assert [token.text for token in instance["text"]] == ["It", "'s", "raining", "."]
    assert instance["tags"].labels == tags
    assert instance["metadata"].metadata == {
        "words": ["It", "'s", "raining", "."],
        "source": f"{path}:4",
        "document": "rain",
        "tags": tags,
    }


def test_trees_of_conllu(tmp_path: Path) -> None:
    (instance,) = instances(ConlluReader("head"), tmp_path / "a.conllu", CONLLU)
    assert "tags" not in instance.fields
    assert instance["arcs"].pairs == [
        *((2, 0, "expl"), (2, 1, "aux"), (2, 2, "root"), (2, 3, "punct"))
    ]
    assert instance["metadata"]["tree"] == [(2, "expl"), (2, "aux"), (None, "root"), (2, "punct")]


@pytest.mark.parametrize(
    ("column", "tags"),
    [
        ("pos", ["PRP", "VBZ", "."]),
        ("lemma", ["it", "rain", "-"]),
        ("sense", ["-", "1", "-"]),
        ("speaker", ["Ann", "Ann", "Ann"]),
    ],
)
def test_columns_of_conll_2012_label_the_words(
    tmp_path: Path, column: str, tags: list[str]
) -> None:
    path = tmp_path / "a.gold_conll"
    (instance,) = instances(Conll2012Reader(column), path, CONLL_2012)
    assert instance["tags"].labels == tags
    assert instance["metadata"]["words"] == ["It", "rains", "."]
    assert instance["metadata"]["source"] == f"{path}:2"


def test_row_of_conll_2012_without_the_treebank_is_refused(tmp_path: Path) -> None:
    content = "#begin document (a); part 000\na 0 0 It -\n\n#end document\n"
    with pytest.raises(DataError, match=r"a_conll:2: the row has 5 columns; expected at least 12"):
        instances(Conll2012Reader(), tmp_path / "a_conll", content)


@pytest.mark.parametrize("reader", [ConlluReader, Conll2012Reader])
def test_unknown_column_is_refused_with_those_there_are(reader: type) -> None:
    with pytest.raises(ConfigurationError, match=r"unknown column 'stem'; expected one of \w+, "):
        reader("stem")


def test_labels_never_seen_have_no_part_in_the_loss(tmp_path: Path) -> None:
    vocab = Vocabulary.from_instances(
        instances(ConlluReader("upos"), tmp_path / "a.conllu", CONLLU)
        + instances(ConlluReader("head"), tmp_path / "a.conllu", CONLLU)
    )
    other = CONLLU.replace("AUX", "PART").replace("expl", "nsubj")
    tagged = instances(ConlluReader("upos"), tmp_path / "b.conllu", other)
    parsed = instances(ConlluReader("head"), tmp_path / "b.conllu", other)
    with pytest.raises(DataError, match=r"b.conllu:4: the label 'PART' in the test data"):
        apply_unseen_label_rule(tagged, vocab, "error", "test data")
    apply_unseen_label_rule(tagged, vocab, "miss", "test data")
    apply_unseen_label_rule(parsed, vocab, "miss", "test data")
    assert tagged[0]["tags"].labels.count(NO_LABEL) == 1
    assert tagged[0]["tags"].labels[1] == NO_LABEL
    assert [dependent for _, dependent, _ in parsed[0]["arcs"].pairs] == [1, 2, 3]
