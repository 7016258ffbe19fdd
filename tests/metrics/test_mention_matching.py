from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from hmtl.metrics.mention_matching import EXACT, HEAD, PARTIAL, matched

# As CorefUD's scorer describes it: "the viewing experience of art", the third word its head.
VIEWING, EVENT, ART = (0, 4), (1, 1), (4, 4)
HEADS = {VIEWING: (2, 2), EVENT: (1, 1), ART: (4, 4)}


def test_exact_match_takes_the_same_words_only() -> None:
    assert matched([VIEWING, (1, 2)], HEADS, EXACT, {}, {}) == {VIEWING: VIEWING}


def test_partial_match_asks_for_the_head_and_no_word_beyond() -> None:
    def found(span):
        return matched([span], [VIEWING], PARTIAL, {}, HEADS)

    assert found((2, 3)) == {(2, 3): VIEWING}
    assert found((3, 4)) == {}, "without the head"
    assert found((2, 5)) == {}, "a word beyond"


def test_head_match_asks_for_nothing_but_the_head() -> None:
    assert matched([(2, 7)], [VIEWING], HEAD, {(2, 7): (2, 2)}, HEADS) == {(2, 7): VIEWING}
    assert matched([VIEWING], [VIEWING], HEAD, {VIEWING: (4, 4)}, HEADS) == {}


def test_of_several_candidates_the_one_with_most_of_the_words_is_taken() -> None:
    assert matched([(2, 2), (2, 3)], [VIEWING], PARTIAL, {}, HEADS) == {(2, 3): VIEWING}


mentions = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 3), st.integers(0, 3)),
    max_size=5,
    unique_by=lambda each: each[:2],
).map(lambda found: {(a, a + n): (a + min(h, n), a + min(h, n)) for a, n, h in found})


@given(mentions, mentions, st.sampled_from([PARTIAL, HEAD]))
def test_as_much_is_covered_as_the_best_of_all_pairings(ours, theirs, match) -> None:
    """By enumeration, of the rules as CorefUD's scorer states them."""

    def score(gold, predicted):
        words, head = set(range(predicted[0], predicted[1] + 1)), theirs[gold][0]
        covered = set(range(gold[0], gold[1] + 1))
        fits = ours[predicted][0] == head if match == HEAD else head in words <= covered
        return len(covered & words) / len(covered) if fits else 0.0

    same = {m for m in ours.keys() & theirs.keys() if match == PARTIAL or ours[m] == theirs[m]}
    gold_of = matched(ours, theirs, match, ours, theirs)
    assert {m: m for m in same}.items() <= gold_of.items()
    rest = [m for m in ours if m not in same]
    free = [m for m in theirs if m not in same]
    rows, columns = sorted((rest, free), key=len)
    pair = (lambda a, b: score(b, a)) if rows is rest else score
    best = max(sum(map(pair, rows, order)) for order in permutations(columns, len(rows)))
    assert abs(sum(score(g, p) for p, g in gold_of.items() if p not in same) - best) < 1e-9
    assert len(set(gold_of.values())) == len(gold_of)
