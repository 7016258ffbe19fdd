"""The Treebank's brackets."""

from typing import Any, List, Optional

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nltk import Tree as NltkTree

from hmtl.errors import DataError
from hmtl.importing.penn_trees import Tree, read_trees


def read(text: str) -> List[Tree]:
    return read_trees(enumerate(text.split("\n"), start=1), "file.parse")


def test_trees_have_leaves_constituents_and_lines() -> None:
    first, second = read("(TOP (S (NP-SBJ (PRP She))\n  (VP (VBZ is)))\n)\n\n(TOP (INTJ (UH uh)))")
    assert [(leaf.tag, leaf.word) for leaf in first.leaves] == [("PRP", "She"), ("VBZ", "is")]
    assert first.constituents == [
        ("TOP", (0, 1)),
        ("S", (0, 1)),
        ("NP-SBJ", (0, 0)),
        ("VP", (1, 1)),
    ]
    assert (first.line, second.line) == (1, 5)


def test_outermost_node_without_a_label_is_the_top() -> None:
    (tree,) = read("( (S (UH yes)))")
    assert [label for label, _ in tree.constituents] == ["TOP", "S"]


def test_comments_and_markup_hold_no_tree() -> None:
    assert len(read("; a (comment\n<DOC>\n*x*(\n(TOP (UH yes))")) == 1


def test_traces_and_disfluencies_are_not_spoken() -> None:
    (tree,) = read(
        "(TOP (S (EDITED (NP (DT the)) (, ,)) (NP-SBJ-1 (PRP I)) (VP (VBD went) (S (NP-SBJ (-NONE- *-1))"
        " (VP (TO to) (EDITED (UNF h)) (VP (VB go)))))))"
    )
    spoken = tree.spoken()
    assert [tree.leaves[leaf].word for leaf in spoken] == ["I", "went", "to", "go"]
    assert tree.parse_cells(set(spoken)) == ["(TOP(S(NP*)", "(VP*", "(S(VP*", "(VP*))))))"]


def test_functions_are_cut_from_labels_but_no_label_vanishes() -> None:
    (tree,) = read("(TOP (NP-SBJ=2 (-LRB- -LRB-)) (PRT|ADVP (RP up)) (-X (UH a)))")
    assert tree.parse_cells({0, 1, 2}) == ["(TOP(NP*)", "(PRT|ADVP*)", "(-X*))"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("(TOP (NN dog)\n", "2: the tree begun on line 1 is never closed"),
        ("(TOP (NN dog)))", "1: '\\)' stands outside a tree"),
        ("dog", "1: 'dog' stands outside a tree"),
        ("(TOP (NN dog cat))", "1: 'cat' after what the node 'NN' holds"),
        ("(TOP (NN dog (NN cat)))", "1: a node inside the word 'dog'"),
        ("(TOP\n(NN))", "2: the node 'NN' holds neither"),
        ("(TOP ((NN dog)))", "1: a phrase without a label"),
        ("()", "1: the node '' holds neither"),
    ],
)
def test_malformed_tree_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(DataError, match=rf"file\.parse:{message}"):
        read(text)


def test_deep_tree_is_no_recursion() -> None:
    (tree,) = read("(X " * 5000 + "(UH a)" + ")" * 5000)
    assert tree.parse_cells({0})[0].count("(X") == 5000


LEAVES = st.tuples(
    st.sampled_from(["NN", "-NONE-", "-LRB-", "."]),
    st.sampled_from(["a", "b", "*T*-1", "0", "-LRB-"]),
).map(lambda pair: f"({pair[0]} {pair[1]})")
TREES = st.recursive(
    LEAVES,
    lambda nodes: st.tuples(
        st.sampled_from(["NP", "NP-SBJ-1", "S", "EDITED", "WHNP=2"]),
        st.lists(nodes, min_size=1, max_size=4),
    ).map(lambda pair: f"({pair[0]} {' '.join(pair[1])})"),
    max_leaves=20,
).map(lambda tree: f"(TOP {tree})")


def pruned(tree: Any) -> Optional[NltkTree]:
    """The same by recursion: without traces, disfluencies, what is then empty, and functions."""
    if tree.label() in ("-NONE-", "EDITED"):
        return None
    if isinstance(tree[0], str):
        return tree
    children = [child for child in map(pruned, tree) if child is not None]
    label = tree.label().split("-")[0].split("=")[0]
    return NltkTree(label, children) if children else None


@settings(max_examples=100)
@given(TREES)
def test_parse_cells_spell_the_pruned_tree(text: str) -> None:
    (tree,) = read(text)
    expected = pruned(NltkTree.fromstring(text))
    spoken = tree.spoken()
    cells = tree.parse_cells(set(spoken))
    leaves = [f"({tree.leaves[leaf].tag} {tree.leaves[leaf].word})" for leaf in spoken]
    spelt = " ".join(cell.replace("*", leaf) for cell, leaf in zip(cells, leaves, strict=True))
    assert (NltkTree.fromstring(spelt) if spelt else None) == expected
