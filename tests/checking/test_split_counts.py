from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from hmtl.checking.example import Example
from hmtl.checking.split_counts import SplitCounts, share_unknown
from hmtl.formats.annotated import Relation


def sentence(text: str, document: str | None = None, **details: object) -> Example:
    words = text.split()
    name = None if document is None else (document, 0)
    return Example(words, sentences=[(0, len(words) - 1)], document=name, **details)  # type: ignore[arg-type]


def counted(*examples: Example) -> SplitCounts:
    counts = SplitCounts()
    for example in examples:
        counts.add(example)
    return counts


def test_sentences_tokens_and_documents_are_counted() -> None:
    counts = counted(sentence("a b", "one"), sentence("c", "one"), sentence("d e f", "two"))
    assert (len(counts.documents), counts.sentences, counts.tokens) == (2, 3, 6)
    assert counts.longest_sentence == (3, "") and counts.longest_document == (3, "one")


def test_parts_of_a_document_are_documents() -> None:
    parts = [Example(["a"], sentences=[(0, 0)], document=("one", part)) for part in (0, 1)]
    assert len(counted(*parts).documents) == 2


def test_documents_are_not_counted_where_they_have_no_names() -> None:
    counts = counted(sentence("a"), sentence("b"))
    assert not counts.documents and counts.longest_document.tokens == 0


def test_annotation_is_counted_where_the_task_has_it() -> None:
    counts = counted(
        sentence("a b", spans=[("X", (0, 0)), ("Y", (1, 1))], labels=Counter(X=1, Y=1)),
        sentence("c", spans=[]),
    )
    assert (counts.spans, counts.relations, counts.clusters) == (2, None, None)
    assert counts.labels == Counter(X=1, Y=1)
    counts = counted(sentence("a b", relations=[Relation("R", (0, 0), (1, 1))]))
    assert (counts.spans, counts.relations) == (None, 1)


def test_mentions_in_clusters_and_those_too_wide_are_counted() -> None:
    clusters = [[(0, 2), (3, 3)], [(1, 1), (4, 5)]]
    example = sentence("a b c d e f", clusters=clusters, max_span_width=2)
    counts = counted(example, example)
    assert (counts.clusters, counts.mentions, counts.too_wide) == (4, 8, 2)


def test_width_is_not_judged_where_there_is_no_limit() -> None:
    assert counted(sentence("a b", clusters=[[(0, 1)]])).too_wide is None


def test_labels_are_kept_with_their_first_source() -> None:
    first, second = ({"tags": {"U-X": 2}}, {"tags": {"U-X": 1, "O": 3}})
    counts = counted(
        sentence("a", source="f:1", vocabulary_labels=first),
        sentence("b", source="f:5", vocabulary_labels=second),
    )
    assert counts.vocabulary_labels == {"tags": Counter({"U-X": 3, "O": 3})}
    assert counts.label_sources == {("tags", "U-X"): "f:1", ("tags", "O"): "f:5"}


def test_document_read_whole_and_by_sentence_has_one_digest() -> None:
    whole = Example(["a", "b", "c"], 2, [(0, 1), (2, 2)], True, document=("x", 0))
    by_sentence = counted(sentence("a b", "y"), sentence("c", "y"))
    assert list(counted(whole).document_digests().values()) == [["x"]]
    assert counted(whole).document_digests().keys() == by_sentence.document_digests().keys()


def test_words_do_not_run_into_each_other_in_digests() -> None:
    assert counted(sentence("ab c"), sentence("a bc")).repeated_sentences == 0


@given(st.lists(st.text("ab ", min_size=1), max_size=12), st.lists(st.text("ab "), max_size=12))
def test_repeated_and_shared_sentences_are_those_a_loop_finds(
    trained: list[str], tested: list[str]
) -> None:
    train = counted(*map(sentence, trained))
    test = counted(*map(sentence, tested))
    seen = [tuple(text.split()) for text in trained]
    assert train.repeated_sentences == sum(text in seen[:index] for index, text in enumerate(seen))
    assert test.sentences_also_in(train) == sum(tuple(text.split()) in seen for text in tested)


def test_share_unknown_counts_running_words() -> None:
    assert share_unknown({"a": 3, "b": 1}, {"a"}) == 0.25
    assert share_unknown({}, {"a"}) == 0.0
