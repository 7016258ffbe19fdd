"""Carrying entries over by what they stand for, against hand-made cases and a loop over names."""

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hmtl.fine_tuning.axes import Axes, Words
from hmtl.fine_tuning.transfer import (
    EXTENDED,
    LOADED,
    MISFIT,
    NEW,
    UNUSED,
    Outcome,
    carry_over,
    fill,
    outcome_table,
)


def numbered(*shape: int) -> torch.Tensor:
    """1, 2, 3, ..."""
    return torch.arange(1, 1 + torch.Size(shape).numel(), dtype=torch.float).reshape(shape)


def test_rows_and_columns_of_transitions_follow_their_labels() -> None:
    trained = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    old, new = ["O", "U-PER"], ["U-PER", "U-ORG", "O"]
    filled, kind = fill(torch.zeros(3, 3), (new, new), trained, (old, old))
    assert kind == EXTENDED
    assert filled.tolist() == [[4.0, 0.0, 3.0], [0.0, 0.0, 0.0], [2.0, 0.0, 1.0]]


def test_labels_that_are_dropped_leave_the_rest_loaded() -> None:
    trained = torch.tensor([1.0, 2.0, 3.0])
    filled, kind = fill(torch.zeros(2), (["C", "A"],), trained, (["A", "B", "C"],))
    assert (filled.tolist(), kind) == ([3.0, 1.0], LOADED)


def test_new_words_begin_where_unknown_words_were() -> None:
    trained = torch.tensor([[0.0], [5.0], [7.0]])
    old = Words(["padding", "unknown", "cat"], "unknown")
    new = Words(["padding", "unknown", "cat", "dog"], "unknown")
    filled, kind = fill(torch.full((4, 1), -1.0), (new, None), trained, (old, None))
    assert kind == EXTENDED
    assert filled.flatten().tolist() == [0.0, 5.0, 7.0, 5.0]


def test_new_words_with_vectors_of_their_own_keep_them() -> None:
    new = Words(["unknown", "dog"], None)
    filled, _ = fill(torch.full((2, 1), -1.0), (new, None), numbered(1, 1), (["unknown"], None))
    assert filled.flatten().tolist() == [1.0, -1.0]


def test_axes_of_which_nothing_is_known_are_taken_in_order() -> None:
    filled, kind = fill(torch.zeros(2, 3), None, numbered(2, 3), None)
    assert kind == LOADED
    assert torch.equal(filled, numbered(2, 3))


def test_number_without_axes_is_loaded() -> None:
    filled, kind = fill(torch.zeros(()), None, torch.tensor(2.0), None)
    assert (filled.item(), kind) == (2.0, LOADED)


@pytest.mark.parametrize(
    "fresh, fresh_axes, trained, trained_axes",
    [
        (numbered(2, 3), None, numbered(2, 4), None),
        (numbered(2), None, numbered(2, 1), None),
        # Of the labels one knows which is which, of the rest not.
        (numbered(1, 3), (["A"], None), numbered(1, 4), (["A"], None)),
        # Known on one side only.
        (numbered(2), (["A", "B"],), numbered(1), None),
    ],
)
def test_other_shape_for_no_known_reason_is_a_misfit(
    fresh: torch.Tensor, fresh_axes: Axes, trained: torch.Tensor, trained_axes: Axes
) -> None:
    filled, kind = fill(fresh, fresh_axes, trained, trained_axes)
    assert kind == MISFIT
    assert torch.equal(filled, fresh)


def test_nothing_in_common_is_new() -> None:
    filled, kind = fill(torch.zeros(2), (["A", "B"],), numbered(2), (["C", "D"],))
    assert (filled.tolist(), kind) == ([0.0, 0.0], NEW)


names = st.lists(st.sampled_from("ABCDEFG"), unique=True, min_size=1)


@given(old_rows=names, new_rows=names, old_columns=names, new_columns=names)
def test_entries_stand_where_their_names_do(
    old_rows: list, new_rows: list, old_columns: list, new_columns: list
) -> None:
    trained = numbered(len(old_rows), len(old_columns))
    by_name = {
        pair: value.item()
        for pair, value in zip(itertools.product(old_rows, old_columns), trained.flatten())
    }
    fresh = -numbered(len(new_rows), len(new_columns))
    filled, kind = fill(fresh, (new_rows, new_columns), trained, (old_rows, old_columns))
    expected = [
        by_name.get(pair, value.item())
        for pair, value in zip(itertools.product(new_rows, new_columns), fresh.flatten())
    ]
    assert filled.flatten().tolist() == expected
    num_known = sum(pair in by_name for pair in itertools.product(new_rows, new_columns))
    kinds = {0: NEW, fresh.numel(): LOADED}
    assert kind == kinds.get(num_known, EXTENDED)


def test_carry_over_accounts_for_every_parameter_of_both_models() -> None:
    trained = {"same": numbered(2), "labels": numbered(2), "old": numbered(1), "big": numbered(3)}
    fresh = {
        "same": torch.zeros(2),
        "labels": torch.zeros(3),
        "added": torch.zeros(1),
        "big": torch.zeros(4),
        "anew": torch.zeros(2),
    }
    transfer = carry_over(
        trained,
        {"labels": (["A", "B"],)},
        fresh,
        {"labels": (["B", "C", "A"],)},
        {**{name: name for name in fresh}, "anew": None},
    )
    assert [(each.name, each.kind) for each in transfer.outcomes] == [
        ("same", LOADED),
        ("labels", EXTENDED),
        ("added", NEW),
        ("big", MISFIT),
        ("anew", NEW),
        ("old", UNUSED),
    ]
    assert {name: tensor.tolist() for name, tensor in transfer.state.items()} == {
        "same": [1.0, 2.0],
        "labels": [2.0, 0.0, 1.0],
        "added": [0.0],
        "big": [0.0] * 4,
        "anew": [0.0, 0.0],
    }
    (misfit,) = transfer.of_kind(MISFIT)
    assert (misfit.trained_shape, misfit.shape) == ((3,), (4,))


def test_two_parameters_may_begin_with_the_same_one() -> None:
    fresh = {"ner": torch.zeros(2), "ner_news": torch.zeros(2)}
    transfer = carry_over({"ner": numbered(2)}, {}, fresh, {}, {"ner": "ner", "ner_news": "ner"})
    assert [each.kind for each in transfer.outcomes] == [LOADED, LOADED]


def test_carry_over_leaves_both_models_as_they_are() -> None:
    trained, fresh = {"w": numbered(2)}, {"w": torch.zeros(2)}
    state = carry_over(trained, {}, fresh, {}, {"w": "w"}).state
    state["w"].add_(1)
    assert trained["w"].tolist() == [1.0, 2.0]
    assert fresh["w"].tolist() == [0.0, 0.0]


def test_outcome_table_says_shapes_and_what_is_frozen() -> None:
    text = outcome_table(
        [
            Outcome("heads.ner.bias", EXTENDED, "heads.old.bias", (2,), (3, 4)),
            Outcome("scale", NEW, None, None, ()),
        ],
        frozen=["heads.ner.bias"],
    )
    _, _, first, second = (line.split() for line in text.splitlines())
    assert first == ["heads.ner.bias", "extended,", "frozen", "2", "3x4", "heads.old.bias"]
    assert second == ["scale", "new", "1"]
