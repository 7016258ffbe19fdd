"""The columns of CoNLL-U: words, labels and trees."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmtl.errors import DataError
from hmtl.formats.columns import Rows
from hmtl.formats.conllu import DEPREL, FEATS, MISC, UPOS, ConlluSentence, read_sentences

HEADING = "# text = It rains\n"


def row(number: int | str, word: str, head: object, relation: str = "dep", upos: str = "X") -> str:
    return "\t".join([str(number), word, "_", upos, "_", "_", str(head), relation, "_", "_"])


def sentence_of(path: Path, *rows: str) -> ConlluSentence:
    path.write_text(HEADING + "\n".join(rows) + "\n\n", encoding="utf-8")
    (sentence,) = read_sentences(path)
    return sentence


def test_words_that_are_written_as_one_and_empty_nodes_are_no_part_of_the_tree(
    tmp_path: Path,
) -> None:
    sentence = sentence_of(
        tmp_path / "a.conllu",
        row("1-2", "don't", "_", "_", "_"),
        row(1, "do", 3, "aux"),
        row(2, "n't", 3, "advmod"),
        row("2.1", "you", "_", "_"),
        row(3, "go", 0, "root"),
    )
    assert sentence.tree() == ([3, 3, 0], ["aux", "advmod", "root"])
    assert sentence.labels(UPOS) == ["X", "X", "X"]
    assert sentence.labels(FEATS) == ["_", "_", "_"]
    # Below the heading and the word that two are written as.
    assert sentence.line == 3


@pytest.mark.parametrize(
    ("heads", "line", "expected"),
    [
        (["2", "1"], 2, "the sentence has no root; expected one word whose HEAD"),
        (["0", "1", "0"], 4, "a second root, beside the word on line 2; expected one"),
        (["0", "3", "4", "2"], 3, "leads in a circle: 2 -> 3 -> 4 -> 2; expected a tree"),
        (["0", "4", "1"], 3, "HEAD (column 7) is '4'; expected the number of a word, 1 to 3, or 0"),
        (["0", "_"], 3, "HEAD (column 7) is '_'; expected"),
        (["0", "-1"], 3, "HEAD (column 7) is '-1'; expected"),
        (["0", "1" * 5000], 3, "HEAD (column 7) is '111"),
        (["0", "2"], 3, "HEAD (column 7) is 2, the word itself"),
    ],
)
def test_what_is_no_tree_with_one_root_is_refused(
    tmp_path: Path, heads: list[str], line: int, expected: str
) -> None:
    path = tmp_path / "a.conllu"
    rows = [row(number, "a", head) for number, head in enumerate(heads, start=1)]
    with pytest.raises(DataError) as raised:
        sentence_of(path, *rows).tree()
    assert str(raised.value).startswith(f"{path}:{line}: ")
    assert expected in str(raised.value)


def test_label_that_is_missing_is_refused(tmp_path: Path) -> None:
    sentence = sentence_of(tmp_path / "a.conllu", row(1, "a", 0), row(2, "b", 1, "_"))
    with pytest.raises(
        DataError, match=r"a.conllu:3: DEPREL \(column 8\) is '_'; expected a label"
    ):
        sentence.labels(DEPREL)


@given(st.lists(st.integers(0, 6), min_size=6, max_size=6))
def test_trees_are_those_heads_from_which_each_word_gets_to_the_root(heads: list[int]) -> None:
    cells = [row(number, "a", head).split("\t") for number, head in enumerate(heads, start=1)]
    assert len(cells[0]) == MISC + 1
    sentence = ConlluSentence({}, Rows("a", 1, cells), list(range(6)))
    reached = {0}
    for _ in heads:
        reached |= {number for number, head in enumerate(heads, start=1) if head in reached}
    if len(reached) == 7 and heads.count(0) == 1:
        assert sentence.tree()[0] == heads
    else:
        with pytest.raises(DataError):
            sentence.tree()
