import pytest

from hmtl.config.hierarchy import bottom_up


@pytest.mark.parametrize(
    "stacks_on, ordered",
    [
        ({}, []),
        ({"a": None, "b": None}, ["a", "b"]),
        ({"a": "b", "b": "c", "c": None}, ["c", "b", "a"]),
        ({"d": "b", "c": None, "a": "b", "b": None}, ["b", "d", "c", "a"]),
    ],
)
def test_bottom_up_puts_each_level_after_the_one_below(stacks_on: dict, ordered: list) -> None:
    assert bottom_up(stacks_on) == ordered


@pytest.mark.parametrize(
    "stacks_on, message",
    [
        ({"a": "b"}, r"model\.a\.stacks_on names 'b', which is no level .*\['a'\], or null"),
        ({"a": "a"}, "in a circle: a -> a"),
        ({"c": "a", "a": "b", "b": "a"}, "in a circle: a -> b -> a"),
    ],
)
def test_bottom_up_refuses_what_has_no_bottom(stacks_on: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        bottom_up(stacks_on)
