import re
from collections import Counter
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmtl.checking.drawing import Pen, draw, wants_colours
from hmtl.checking.example import Example
from hmtl.formats.annotated import Relation

WORDS = "Ann 's old dog Rex barked .".split()


def example(words: list[str] = WORDS, **details: object) -> Example:
    details.setdefault("sentences", [(0, len(words) - 1)])
    return Example(words, **details)  # type: ignore[arg-type]


def drawn(of: Example, width: int = 100, colours: bool = False) -> list[str]:
    return [line.strip() for line in draw(of, Pen(width, colours)).splitlines()]


def test_spans_stand_in_brackets_with_their_labels() -> None:
    spans = [("PER", (0, 0)), ("PET", (3, 4))]
    assert drawn(example(spans=spans))[1] == "[Ann]_PER 's old [dog Rex]_PET barked ."


def test_heading_says_where_it_comes_from() -> None:
    heading = drawn(example(source="a.like_conll:7", document=("doc", 0)))[0]
    assert heading == "-- a.like_conll:7 doc"


def test_nested_mentions_close_in_the_order_they_opened() -> None:
    clusters = [[(0, 3), (4, 4)], [(0, 0)], [(2, 3)]]
    line = drawn(example(clusters=clusters, whole_document=True))[1]
    assert line == "[[Ann]_1 's [old dog]_2]_0 [Rex]_0 barked ."


def test_mention_that_is_too_wide_is_marked() -> None:
    line = drawn(example(clusters=[[(0, 3), (4, 4)]], max_span_width=3))[1]
    assert line == "[Ann 's old dog]_0! [Rex]_0 barked ."


def test_relations_stand_below_with_the_mentions_they_are_between() -> None:
    relations = [Relation("OWNS", (0, 0), (4, 4)), Relation("SUBJ", (4, 4), (5, 5))]
    lines = drawn(example(relations=relations, mentions=[("PER", (0, 0)), ("PET", (3, 4))]))
    assert lines[2:] == ["Ann (PER) --OWNS--> dog Rex (PET)", "dog Rex (PET) --SUBJ--> barked"]


def test_class_stands_below() -> None:
    assert drawn(example(labels=Counter(news=1)))[2:] == ["= news"]


def test_sentences_of_a_document_stand_on_lines_of_their_own() -> None:
    document = example(sentences=[(0, 3), (4, 6)], whole_document=True, clusters=[])
    assert drawn(document)[1:] == ["Ann 's old dog", "Rex barked ."]


def test_document_whose_sentences_are_not_known_is_drawn_whole() -> None:
    assert drawn(example(sentences=[], clusters=[]))[1] == " ".join(WORDS)


def test_control_characters_of_the_data_do_not_reach_the_terminal() -> None:
    lines = drawn(example(["a\x1b[2Jb", "\u202ec"], spans=[("X\x07", (0, 0))]))
    assert lines[1] == "[a�[2Jb]_X� �c"


@given(st.lists(st.text("abc", min_size=1, max_size=9), min_size=1), st.integers(20, 60))
def test_lines_are_no_wider_than_the_terminal_and_lose_no_word(
    words: list[str], width: int
) -> None:
    lines = draw(example(words, spans=[]), Pen(width)).splitlines()[1:]
    assert all(len(line) <= width for line in lines)
    assert " ".join(lines).split() == words


@given(st.integers(10, 60))
def test_colours_change_nothing_but_the_colour(width: int) -> None:
    of = example(
        spans=[("PER", (0, 0)), ("PET", (3, 4))], relations=[Relation("OWNS", (0, 0), (4, 4))]
    )
    coloured = draw(of, Pen(width, colours=True))
    assert "\033[" in coloured
    assert re.sub("\033\\[[0-9]+m", "", coloured) == draw(of, Pen(width))


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    "stream, environ, wanted",
    [
        (Terminal(), {}, True),
        (StringIO(), {}, False),
        (Terminal(), {"NO_COLOR": "1"}, False),
        (Terminal(), {"NO_COLOR": ""}, True),
    ],
)
def test_colours_are_for_terminals(stream: StringIO, environ: dict[str, str], wanted: bool) -> None:
    assert wants_colours(stream, environ) is wanted
