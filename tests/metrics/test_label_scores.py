"""Accuracy and F1 of labels of texts, against scikit-learn."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score
from sklearn.preprocessing import MultiLabelBinarizer

from hmtl.metrics.label_scores import LabelScores

LABELS = "abc"
Texts = list[tuple[list[str], list[str]]]
ONE = st.sampled_from(LABELS).map(list)
SOME = st.sets(st.sampled_from(LABELS)).map(sorted)


def scored(texts: Texts) -> dict[str, float]:
    scores = LabelScores()
    for predicted, gold in texts:
        scores.update(predicted, gold)
    return scores.compute()


@settings(max_examples=20)
@given(st.lists(st.tuples(ONE, ONE), min_size=1, max_size=8))
def test_scores_of_one_label_a_text(texts: Texts) -> None:
    predicted, gold = ([label for (label,) in side] for side in zip(*texts))
    figures = scored(texts)
    assert figures["accuracy"] == pytest.approx(accuracy_score(gold, predicted))
    assert figures["f1-measure-overall"] == pytest.approx(figures["accuracy"])
    macro = f1_score(gold, predicted, average="macro", zero_division=0)
    assert figures["f1-measure-macro"] == pytest.approx(macro)


@settings(max_examples=20)
@given(st.lists(st.tuples(SOME, SOME), min_size=1, max_size=8))
def test_scores_of_several_labels_a_text(texts: Texts) -> None:
    used = sorted({label for text in texts for side in text for label in side})
    predicted, gold = (
        MultiLabelBinarizer(classes=used).fit_transform(side) for side in zip(*texts)
    )
    figures = scored(texts)
    assert figures["accuracy"] == sum(found == own for found, own in texts) / len(texts)
    # One column is a binary task to scikit-learn, whose other class is to have no label.
    if len(used) > 1:
        for average, name in (("micro", "overall"), ("macro", "macro")):
            expected = f1_score(gold, predicted, average=average, zero_division=0)
            assert figures[f"f1-measure-{name}"] == pytest.approx(expected)


def test_scores_of_tokens_are_those_of_texts_with_one_label() -> None:
    tokens, texts = LabelScores(), LabelScores()
    for predicted, gold in (("aab", "abc"), ("", ""), ("ca", "ca")):
        tokens.update_tokens(predicted, gold)
        for found, own in zip(predicted, gold):
            texts.update([found], [own])
    assert tokens.compute() == texts.compute()
    assert tokens.fractions()["overall"].figures()["f1_score"] == tokens.compute()["accuracy"]
