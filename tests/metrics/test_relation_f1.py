import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmtl.metrics.relation_f1 import RelationF1, RelationScores, StrictRelationF1


def test_relation_f1_counts_by_label_and_overall() -> None:
    counter = RelationF1()
    counter.update({(0, 4, "PHYS"), (4, 0, "PHYS"), (1, 2, "ART")}, {(0, 4, "PHYS"), (1, 2, "GEN")})
    counter.update(set(), {(3, 1, "ART")})
    metrics = counter.compute()
    assert metrics["precision-overall"] == pytest.approx(1 / 3)
    assert metrics["recall-overall"] == pytest.approx(1 / 3)
    assert metrics["f1-measure-overall"] == pytest.approx(1 / 3)
    assert metrics["precision-PHYS"] == pytest.approx(1 / 2)
    assert metrics["recall-PHYS"] == 1.0
    assert metrics["f1-measure-ART"] == metrics["f1-measure-GEN"] == 0.0


def test_relation_f1_holds_direction_to_matter() -> None:
    counter = RelationF1()
    counter.update({(0, 1, "PHYS")}, {(1, 0, "PHYS")})
    assert counter.compute()["f1-measure-overall"] == 0.0


RELATIONS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 3), st.sampled_from(["ART", "PHYS"])), max_size=6
)
MENTIONS = st.dictionaries(st.integers(0, 3), st.sampled_from(["PER", "GPE"])).map(
    lambda types: [(name, (end, end)) for end, name in types.items()]
)


@given(st.lists(st.tuples(RELATIONS, RELATIONS), max_size=4))
def test_relation_f1_equals_hand_counts(sentences) -> None:
    counter = RelationF1()
    correct = predicted_in_all = gold_in_all = 0
    for predicted, gold in sentences:
        counter.update(predicted, gold)
        for relation in dict.fromkeys(predicted):
            predicted_in_all += 1
            correct += relation in gold
        gold_in_all += len(dict.fromkeys(gold))
    metrics = counter.compute()
    assert metrics["precision-overall"] == pytest.approx(correct / max(predicted_in_all, 1))
    assert metrics["recall-overall"] == pytest.approx(correct / max(gold_in_all, 1))


GOLD = [(1, 3, "PHYS"), (3, 5, "ART")]
GOLD_MENTIONS = [("PER", (0, 1)), ("GPE", (3, 3)), ("WEA", (5, 5))]


@pytest.mark.parametrize(
    "mentions, correct",
    [
        (GOLD_MENTIONS, 2),
        # Another type, another beginning, no mention at all of one argument.
        ([("ORG", (0, 1)), ("GPE", (3, 3)), ("WEA", (5, 5))], 1),
        ([("PER", (1, 1)), ("GPE", (3, 3)), ("WEA", (5, 5))], 1),
        ([("PER", (0, 1)), ("GPE", (3, 3))], 1),
        ([("PER", (0, 1)), ("ORG", (3, 3)), ("WEA", (5, 5))], 0),
        # Another end is another argument.
        ([("PER", (0, 2)), ("GPE", (3, 3)), ("WEA", (5, 5))], 1),
        # A mention too many is none of the arguments' business.
        ([*GOLD_MENTIONS, ("PER", (7, 7))], 2),
    ],
)
def test_strict_relation_f1_asks_for_the_mentions_of_both_arguments(mentions, correct) -> None:
    counter = StrictRelationF1()
    counter.update(GOLD, GOLD, mentions, GOLD_MENTIONS)
    metrics = counter.compute()
    assert metrics["precision-overall"] == metrics["recall-overall"] == correct / 2


def test_an_argument_without_a_mention_on_either_side_is_not_right_strictly() -> None:
    counter = StrictRelationF1()
    counter.update(GOLD, GOLD, [], [])
    assert counter.compute()["f1-measure-overall"] == 0.0


@given(RELATIONS, RELATIONS, MENTIONS, MENTIONS)
def test_strict_never_exceeds_boundaries(
    predicted, gold, predicted_mentions, gold_mentions
) -> None:
    scores = RelationScores()
    scores.update(predicted, gold, predicted_mentions, gold_mentions)
    metrics = scores.compute(full=True)
    for figure in ("precision", "recall", "f1-measure"):
        assert metrics[f"strict-{figure}"] <= metrics[f"boundaries-{figure}"]


def test_relation_scores_name_the_headline_and_boundaries_alike() -> None:
    scores = RelationScores()
    scores.update([(1, 3, "PHYS"), (0, 1, "ART")], GOLD)
    metrics = scores.compute(full=True)
    for figure in ("precision", "recall", "f1-measure"):
        assert metrics[f"boundaries-{figure}"] == metrics[f"{figure}-overall"] == 0.5
    assert set(scores.compute()) == {
        "precision-overall",
        "recall-overall",
        "f1-measure-overall",
    }
    assert not [name for name in metrics if name.startswith("strict") or "sentences" in name]


def test_relation_scores_come_with_and_without_sentences_that_hold_no_relation() -> None:
    scores = RelationScores()
    scores.update(GOLD, GOLD, GOLD_MENTIONS, GOLD_MENTIONS)
    scores.update([(0, 1, "ART"), (2, 1, "ART")], [], [], [])
    metrics = scores.compute(full=True)
    for criterion in ("boundaries", "strict"):
        assert metrics[f"{criterion}-precision-sentences-with-relations"] == 1.0
        assert metrics[f"{criterion}-precision-all-sentences"] == 0.5
        assert metrics[f"{criterion}-precision"] == 0.5
        assert metrics[f"{criterion}-recall-sentences-with-relations"] == 1.0
        assert metrics[f"{criterion}-recall-all-sentences"] == 1.0
    # The headline is over what the reader gave.
    assert metrics["precision-overall"] == 0.5


@pytest.mark.parametrize("without", ["predicted_mentions", "gold_mentions"])
def test_sentence_without_mentions_of_one_side_is_not_scored_strictly(without) -> None:
    scores = RelationScores()
    scores.update(
        GOLD,
        GOLD,
        **{"predicted_mentions": GOLD_MENTIONS, "gold_mentions": GOLD_MENTIONS, without: None},
    )
    assert "strict-precision" not in scores.compute(full=True)


def test_relation_scores_tell_what_the_headline_is_computed_from() -> None:
    scores = RelationScores()
    scores.update([(1, 3, "PHYS"), (0, 1, "ART"), (2, 0, "ART")], GOLD)
    scores.update([(0, 1, "ART")], [])
    # One of four that were predicted, and one of two that are gold.
    assert scores.fractions() == {"overall": (1, 4, 1, 2)}


def test_relation_scores_go_on_from_their_saved_state() -> None:
    sentences = [(GOLD, GOLD, GOLD_MENTIONS, GOLD_MENTIONS), ([(0, 1, "ART")], [], [], [])]
    whole, first, second = RelationScores(), RelationScores(), RelationScores()
    for sentence in sentences:
        whole.update(*sentence)
    first.update(*sentences[0])
    second.load_state_dict(json.loads(json.dumps(first.state_dict())))
    second.update(*sentences[1])
    assert second.compute(full=True) == whole.compute(full=True)


def test_relation_scores_reset_forgets() -> None:
    scores = RelationScores()
    scores.update([(0, 1, "ART")], [], [], [])
    scores.reset()
    assert scores.compute(full=True) == RelationScores().compute(full=True)
