"""The share of labels that are right."""

import pytest

from hmtl.metrics.accuracy import Accuracy


def test_accuracy_counts_over_sequences() -> None:
    accuracy = Accuracy()
    accuracy.update(["O", "B-PER", "O"], ["O", "B-PER", "B-PER"])
    accuracy.update(["O"], ["O"])
    assert accuracy.compute() == {"accuracy": 3 / 4}


def test_accuracy_of_nothing_is_zero() -> None:
    accuracy = Accuracy()
    assert accuracy.compute() == {"accuracy": 0.0}
    accuracy.update(["O"], ["O"])
    accuracy.reset()
    assert accuracy.compute() == {"accuracy": 0.0}


def test_accuracy_goes_on_from_its_state() -> None:
    accuracy, other = Accuracy(), Accuracy()
    accuracy.update(["O", "O"], ["O", "X"])
    other.load_state_dict(accuracy.state_dict())
    other.update(["O"], ["O"])
    assert other.compute() == {"accuracy": 2 / 3}


def test_sequences_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError):
        Accuracy().update(["O"], ["O", "O"])
