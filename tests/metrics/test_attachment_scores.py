"""Attachment scores of random trees, beside those of spaCy's scorer, and of the shared tasks' rules."""

import random
import re

import pytest
from spacy.scorer import Scorer
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab

from hmtl.metrics.attachment_scores import AttachmentScores, is_punctuation

RELATIONS = ["nsubj", "nsubj:pass", "obj", "obl:agent"]
WORDS = ["rain", "--", "isn't", ".", "“", "$", "3.5", "¿?"]
VOCAB = Vocab()
Tree = list[tuple[int | None, str]]


def random_tree(length: int) -> Tree:
    order = random.sample(range(length), length)
    tree: Tree = [(None, "root")] * length
    for place, word in enumerate(order[1:], start=1):
        tree[word] = (random.choice(order[:place]), random.choice(RELATIONS))
    return tree


def scored_by_spacy(pairs: list[tuple[Tree, Tree]], bare: bool) -> tuple[float, float]:
    examples = []
    for pair in pairs:
        docs = []
        for tree in pair:
            heads = [word if head is None else head for word, (head, _) in enumerate(tree)]
            deps = [label.split(":")[0] if bare else label for _, label in tree]
            docs.append(Doc(VOCAB, ["w"] * len(tree), heads=heads, deps=deps))
        examples.append(Example(*docs))
    scores = Scorer.score_deps(examples, "dep", ignore_labels=())
    return scores["dep_uas"], scores["dep_las"]


@pytest.fixture(scope="module")
def sentences() -> list[tuple[Tree, Tree, list[str]]]:
    random.seed(1)
    lengths = [random.randint(1, 12) for _ in range(40)]
    return [(random_tree(n), random_tree(n), random.choices(WORDS, k=n)) for n in lengths]


def test_scores_of_random_trees_are_those_of_spacy(
    sentences: list[tuple[Tree, Tree, list[str]]],
) -> None:
    scores = AttachmentScores()
    for sentence in sentences:
        scores.update(*sentence)
    metrics = scores.compute(full=True)
    pairs = [(predicted, gold) for predicted, gold, _ in sentences]
    uas, las = scored_by_spacy(pairs, bare=True)
    assert (metrics["uas"], metrics["las"]) == pytest.approx((uas, las))
    assert metrics["las-subtypes"] == pytest.approx(scored_by_spacy(pairs, bare=False)[1])
    assert 0 < metrics["las-subtypes"] < metrics["las"] < metrics["uas"] < 1


def test_words_of_nothing_but_punctuation_can_be_left_out(
    sentences: list[tuple[Tree, Tree, list[str]]],
) -> None:
    scores = AttachmentScores()
    counted = heads = relations = 0
    for predicted, gold, words in sentences:
        scores.update(predicted, gold, words)
        for word, found, expected in zip(words, predicted, gold):
            if re.search(r"[\w$]", word):
                counted += 1
                heads += found[0] == expected[0]
                relations += found == expected
    metrics = scores.compute(full=True)
    assert metrics["uas-no-punctuation"] == heads / counted
    assert metrics["las-no-punctuation"] == relations / counted


@pytest.mark.parametrize(("word", "expected"), [("...", True), ("$", False), ("a.", False)])
def test_currency_is_no_punctuation(word: str, expected: bool) -> None:
    assert is_punctuation(word) == expected
