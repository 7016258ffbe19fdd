"""What becomes of annotations that columns cannot hold: each rule, and its count."""

from typing import Any

import pytest
from hypothesis import given, settings

from hmtl.formats.annotated import Document, Mention, Relation, Sentence
from hmtl.importing.resolution import for_columns, printable, without_overlaps
from hmtl.importing.tally import Tally
from tests.importing.annotated import documents


def document(**layers: Any) -> Document:
    """Two sentences of five words."""
    words = [f"w{index}" for index in range(10)]
    return Document("doc", [Sentence(words[:5]), Sentence(words[5:])], **layers)


def resolved(
    singletons: bool = False, **layers: Any
) -> tuple[Document, dict[tuple[str, str], int]]:
    tally = Tally()
    fitted = for_columns(document(**layers), tally, singletons)
    return fitted, dict(tally.num_left_out)


@pytest.mark.parametrize(
    ("spans", "kept"),
    [
        ([(0, 1), (0, 3)], [(0, 3)]),
        ([(0, 2), (2, 3)], [(0, 2)]),
        ([(0, 1), (1, 2)], [(0, 1)]),
        ([(1, 2), (0, 1)], [(0, 1)]),
        ([(0, 1), (1, 3), (3, 4)], [(1, 3)]),
        ([(0, 1), (2, 2), (3, 4)], [(0, 1), (2, 2), (3, 4)]),
    ],
)
def test_longest_mention_stays_then_the_first(
    spans: list[tuple[int, int]], kept: list[tuple[int, int]]
) -> None:
    tally = Tally()
    mentions = without_overlaps([Mention(*span, "X") for span in spans], tally, "mentions")
    assert [mention.span for mention in mentions] == kept
    assert tally.lost("mentions") == len(spans) - len(kept)


def test_mentions_nest_but_do_not_cross_and_each_is_written_once() -> None:
    nested = [Mention(0, 2, "ORG"), Mention(1, 2, "ORG"), Mention(1, 2, "GPE")]
    fitted, lost = resolved(mentions=[*nested, nested[1], Mention(2, 3, "PER")])
    assert fitted.mentions == nested
    assert lost == {
        ("mentions", "is there twice"): 1,
        ("mentions", "crosses another, which is longer or came first"): 1,
    }


def test_tags_have_no_place_for_nested_mentions_of_which_the_first_in_the_source_stays() -> None:
    tally = Tally()
    source = document(mentions=[Mention(1, 2, "ORG"), Mention(1, 2, "GPE"), Mention(2, 2, "PER")])
    assert for_columns(source, tally, flat=True).mentions == [Mention(1, 2, "ORG")]
    assert list(tally.num_left_out.values()) == [2]


def test_names_and_mentions_may_overlap_each_other() -> None:
    fitted, lost = resolved(mentions=[Mention(0, 1, "PER")], names=[Mention(1, 2, "PERSON")])
    assert (len(fitted.mentions), len(fitted.names), lost) == (1, 1, {})


def test_relation_and_cluster_keep_a_span_whose_mention_crossed_another() -> None:
    fitted, lost = resolved(
        mentions=[Mention(0, 2, "ORG"), Mention(2, 3, "GPE"), Mention(4, 4, "PER")],
        relations=[Relation("PHYS", (4, 4), (2, 3))],
        clusters=[[(2, 3), (7, 7)]],
    )
    assert fitted.relations == [Relation("PHYS", (4, 4), (2, 3))]
    assert fitted.clusters == [[(2, 3), (7, 7)]]
    assert list(lost) == [("mentions", "crosses another, which is longer or came first")]


def test_what_crosses_a_sentence_is_left_out() -> None:
    fitted, lost = resolved(
        mentions=[Mention(4, 5, "PER")],
        names=[Mention(4, 6, "PERSON")],
        relations=[Relation("X", (4, 5), (1, 1)), Relation("X", (1, 1), (7, 7))],
        clusters=[[(4, 5), (0, 0), (8, 8)]],
    )
    assert (fitted.mentions, fitted.names, fitted.relations) == ([], [], [])
    assert fitted.clusters == [[(0, 0), (8, 8)]]
    assert lost == {
        ("mentions", "crosses the end of a sentence"): 1,
        ("names", "crosses the end of a sentence"): 1,
        ("relations", "crosses the end of a sentence"): 1,
        ("relations", "its arguments stand in two sentences"): 1,
        ("cluster members", "crosses the end of a sentence"): 1,
    }


def test_relation_is_written_once_and_never_with_crossing_arguments() -> None:
    twice = Relation("X", (0, 1), (3, 3))
    fitted, lost = resolved(relations=[twice, twice, Relation("X", (0, 2), (1, 3))])
    assert fitted.relations == [twice]
    assert sorted(lost.values()) == [1, 1]


def test_span_in_two_clusters_stays_in_the_first() -> None:
    fitted, _ = resolved(clusters=[[(0, 0), (2, 2)], [(2, 2), (4, 4), (6, 6)]])
    assert fitted.clusters == [[(0, 0), (2, 2)], [(4, 4), (6, 6)]]


def test_of_crossing_spans_of_a_cluster_the_longest_stays() -> None:
    fitted, lost = resolved(clusters=[[(0, 1), (1, 3), (5, 5)]])
    assert fitted.clusters == [[(1, 3), (5, 5)]]
    assert lost == {("cluster members", "crosses a longer one of its cluster"): 1}


@pytest.mark.parametrize(("singletons", "kept"), [(False, []), (True, [[(0, 0)]])])
def test_cluster_of_one_is_kept_on_request(singletons: bool, kept: list) -> None:
    fitted, lost = resolved(singletons, clusters=[[(0, 0)]])
    assert fitted.clusters == kept
    assert bool(lost) is not singletons


@pytest.mark.parametrize(
    ("word", "plain"),
    [
        ("word", "word"),
        ("1 000", "1000"),
        ("a\u00a0b", "ab"),
        ("\u200e", "_"),
        ("\ufeffa", "a"),
        ("", "_"),
        (" ", "_"),
        ("\u200c", "_"),
        # The zero width non-joiner belongs to the spelling of Persian words.
        ("می\u200cشود", "می\u200cشود"),
    ],
)
def test_words_are_made_printable(word: str, plain: str) -> None:
    assert printable(word) == plain


def test_labels_and_names_are_made_plain_and_counted() -> None:
    tally = Tally()
    source = Document("# a b", [Sentence(["w"])], mentions=[Mention(0, 0, "A (of *) b")])
    fitted = for_columns(source, tally)
    assert fitted.mentions[0].type == "A-of-b"
    assert fitted.name == "__a_b"
    assert tally.num_changed == {("labels", "blanks, brackets or asterisks became '-'"): 1}


@settings(max_examples=50)
@given(documents())
def test_what_the_rules_leave_they_leave_again(source: Document) -> None:
    tally = Tally()
    once = for_columns(source, Tally())
    assert for_columns(once, tally) == once
    assert not tally.num_left_out and not tally.num_changed
