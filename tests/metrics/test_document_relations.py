"""F1 and Ign F1 of DocRED, against a case by hand and its definition written out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmtl.metrics.document_relations import DocumentRelationScores

DOCUMENT = ["Ada", "Hull"], ["Selby"], ["Wren"]
TRIPLES = st.frozensets(
    st.tuples(st.integers(0, 2), st.integers(0, 2), st.sampled_from(["P17", "P131"]))
)


def test_case_by_hand() -> None:
    scores = DocumentRelationScores()
    # Of five predicted three are right, one of which training had; four are gold.
    scores.update(
        [(0, 1, "a"), (1, 0, "a"), (2, 1, "b"), (0, 2, "b")],
        [(0, 1, "a"), (2, 1, "b"), (1, 2, "b")],
        # That a wrong one is known does not matter.
        [(0, 1, "a"), (1, 0, "a")],
    )
    scores.update([(0, 1, "a")], [(0, 1, "a")], [])
    metrics = scores.compute()
    assert metrics["precision-overall"] == 3 / 5 and metrics["recall-overall"] == 3 / 4
    assert metrics["ign-precision"] == 2 / 4
    assert metrics["ign-f1-measure"] == pytest.approx(2 * 0.5 * 0.75 / 1.25)
    assert metrics["recall-b"] == 0.5 and metrics["support-a"] == 2


def naive(
    submission: list[tuple[int, int, int, str]],
    truth: list[tuple[int, int, int, str]],
    names: list[list[list[str]]],
    train_facts: set[tuple[str, str, str]],
) -> tuple[float, float]:
    """F1 and Ign F1 over all documents as the paper has them, name by name."""
    correct = correct_known = 0
    for document, head, tail, relation in submission:
        if (document, head, tail, relation) not in truth:
            continue
        correct += 1
        in_train = False
        for first in names[document][head]:
            for second in names[document][tail]:
                in_train = in_train or (first, second, relation) in train_facts
        correct_known += in_train
    recall = correct / len(truth) if truth else 0.0
    figures = []
    for known in (0, correct_known):
        rest = len(submission) - known
        precision = (correct - known) / rest if rest else 0.0
        both = precision + recall
        figures.append(2 * precision * recall / both if both else 0.0)
    return figures[0], figures[1]


@given(st.lists(st.tuples(TRIPLES, TRIPLES, TRIPLES), max_size=3))
def test_figures_are_those_of_the_definition(
    documents: list[tuple[frozenset, frozenset, frozenset]],
) -> None:
    scores, submission, truth, facts, names = DocumentRelationScores(), [], [], set(), []
    for number, (predicted, gold, known) in enumerate(documents):
        scores.update(predicted, gold, known)
        submission += [(number, *each) for each in predicted]
        truth += [(number, *each) for each in gold]
        names.append([[f"{number} {name}" for name in each] for each in DOCUMENT])
        facts |= {(names[-1][h][-1], names[-1][t][0], r) for h, t, r in known}
    metrics = scores.compute()
    expected = naive(submission, truth, names, facts)
    assert (metrics["f1-measure-overall"], metrics["ign-f1-measure"]) == pytest.approx(expected)
