"""A vote of several annotators, against counting one by one."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from hmtl.formats.standoff import Entity, Link, Standoff
from hmtl.importing.annotators import by_text, vote
from hmtl.importing.tally import Tally

ENTITIES = [Entity(type_, ((begin, begin + 2),)) for type_ in "AB" for begin in (0, 1)]


@st.composite
def standoffs(draw: st.DrawFn) -> Standoff:
    chosen = draw(st.lists(st.sampled_from(ENTITIES), min_size=1, max_size=5))
    entities = {f"x{number}": entity for number, entity in enumerate(chosen)}
    name = st.sampled_from(list(entities))
    links = draw(st.lists(st.builds(Link, st.sampled_from(["R", "Coref"]), name, name), max_size=4))
    return Standoff("text", entities, links)


def marks(standoff: Standoff) -> set:
    """What an annotator marked."""
    said: set = set(standoff.entities.values())
    for link in standoff.relations:
        if link.type == "R":
            said.add(("R", standoff.entities[link.arg1], standoff.entities[link.arg2]))
    same = {entity: {entity} for entity in standoff.entities.values()}
    for link in standoff.relations * len(standoff.relations):
        if link.type == "Coref":
            first, second = standoff.entities[link.arg1], standoff.entities[link.arg2]
            joined = same[first] | same[second]
            for entity in joined:
                same[entity] = joined
    said |= {frozenset((a, b)) for a, others in same.items() for b in others if a != b}
    return said


B = Entity("B", ((0, 2),))
MARKED_TWICE = Standoff(
    "text",
    {"x0": ENTITIES[0], "x1": ENTITIES[1], "x2": B, "x3": B},
    [Link("Coref", "x0", "x2"), Link("Coref", "x1", "x3")],
)


@settings(max_examples=80)
@example([MARKED_TWICE])
@given(st.lists(standoffs(), min_size=1, max_size=4))
def test_vote_keeps_what_more_than_half_marked(annotated: list[Standoff]) -> None:
    tally = Tally()
    voted, pairs = vote(annotated, "Coref".__eq__, tally)
    said = [marks(each) for each in annotated]
    everything = set().union(*said)
    expected = {mark for mark in everything if sum(mark in each for each in said) * 2 > len(said)}
    found = marks(voted) | {
        frozenset(voted.entities[name] for name in pair) for pair in pairs if len(pair) > 1
    }
    assert found == expected
    assert sum(tally.num_left_out.values()) == len(everything - expected)


NO_SPLITS: dict[str, str] = {}


def test_files_are_of_annotators_by_their_names() -> None:
    texts = {
        **dict.fromkeys(("a/1", "b/1"), "One."),
        "c/1": "Another of that name.",
        **dict.fromkeys(("flat/x", "flat/y", "flat/z"), "Yes."),
        "flat/other": "No.",
        **dict.fromkeys(("in/own/ann", "in/own/ben", "curation/own/CURATION_USER"), "Own."),
        **dict.fromkeys(("empty/1", "vacant/1"), ""),
    }
    tally = Tally()
    assert by_text(texts, texts.__getitem__, NO_SPLITS.get, tally) == {
        "1": ["a/1", "b/1"],
        "c/1": ["c/1"],
        **{name: [name] for name in ("flat/x", "flat/y", "flat/z", "flat/other")},
        "own": ["in/own/ann", "in/own/ben", "curation/own/CURATION_USER"],
        "empty/1": ["empty/1"],
        "vacant/1": ["vacant/1"],
    }
    assert by_text(("a/1", "b/1"), str, NO_SPLITS.get, tally) == {"a/1": ["a/1"], "b/1": ["b/1"]}
    same = by_text(
        ("a/1", "b/1", "c/1", "d/1"), lambda name: f"{name < chr(99)}", NO_SPLITS.get, tally
    )
    assert list(same) == ["1", "1.2"]
