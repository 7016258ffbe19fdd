"""Nearly the same texts, against the share of runs that they have in common."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from hmtl.common.near_duplicates import ALIKE, RUN, NearTexts, Sketch, near_pairs


def text(seed: int, length: int = 300) -> list[str]:
    random = Random(seed)
    return [f"word{random.randrange(1000)}" for _ in range(length)]


def share(first: list[str], second: list[str]) -> float:
    """Of the runs of either, how many both have."""
    runs = [{tuple(t[i : i + RUN]) for i in range(len(t) - RUN + 1)} for t in (first, second)]
    return len(runs[0] & runs[1]) / len(runs[0] | runs[1])


def sketch(words: list[str]) -> Sketch:
    made = Sketch()
    made.add(words)
    return made


def test_pairs_are_those_that_share_most_of_their_runs() -> None:
    texts = [text(seed) for seed in range(40)]
    groups = [0] * 40
    expected = []
    for number in range(40):
        copy = list(texts[number])
        for place in range(0, 300, 75 if number % 2 else 10):
            copy[place] = "changed"
        texts.append(copy)
        groups.append(1)
        if share(texts[number], copy) > ALIKE:
            expected.append((number, len(texts) - 1))
    found = {
        (first, second): each for first, second, each in near_pairs([*map(sketch, texts)], groups)
    }
    assert expected == [*found] and len(expected) == 20
    assert all(abs(each - share(texts[a], texts[b])) < 0.2 for (a, b), each in found.items())


@given(st.lists(st.integers(0, 300), max_size=5))
def test_parts_of_a_text_make_the_same_sketch(cuts: list[int]) -> None:
    words = text(1)
    made = Sketch()
    for begin, end in zip([0, *sorted(cuts)], [*sorted(cuts), 300]):
        made.add(words[begin:end])
    assert (made.least == sketch([word.upper() for word in words]).least).all()
    assert made.num_words == 300


def test_texts_of_one_split_and_short_ones_are_no_pairs() -> None:
    near = NearTexts(["train", "test"])
    for name in ("a", "b"):
        near.add(name, "train", text(1))
        near.add(f"short {name}", "train" if name == "a" else "test", text(2, 20))
    assert list(near.pairs()) == []
    near.add("c", "test", text(1))
    (pair,) = near.pairs()
    assert (pair.name, pair.other, pair.share) == ("c", "a", 1.0)
