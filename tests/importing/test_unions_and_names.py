"""Clusters from links, and names apart."""

from hypothesis import given
from hypothesis import strategies as st

from hmtl.importing.naming import UniqueNames
from hmtl.importing.tally import Tally
from hmtl.importing.unions import linked


@given(st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=3), max_size=8))
def test_linked_members_are_those_that_a_path_of_groups_joins(groups: list[list[int]]) -> None:
    reach = {member: {member} for group in groups for member in group}
    for _ in groups:
        for group in groups:
            joined = set().union(*(reach[member] for member in group))
            for member in joined:
                reach[member] = joined
    expected = {frozenset(members) for members in reach.values()}
    result = linked(groups)
    assert {frozenset(members) for members in result} == expected
    assert sum(map(len, result)) == len(reach)


@given(st.lists(st.sampled_from(["a", "a.2", "b"]), max_size=8))
def test_names_are_unique_and_first_ones_stay(names: list[str]) -> None:
    tally = Tally()
    unique = UniqueNames(tally)
    given_names = [unique.of(name) for name in names]
    assert len(set(given_names)) == len(names)
    assert all(new.startswith(old) for old, new in zip(names, given_names))
    assert not names or given_names[0] == names[0]
    assert sum(tally.num_changed.values()) == sum(a != b for a, b in zip(names, given_names))
