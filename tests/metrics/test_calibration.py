import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmtl.metrics.calibration import ScoredAnswers

judged = st.lists(
    st.tuples(st.sampled_from("XY"), st.floats(0.001, 0.999), st.booleans()), max_size=30
)


def scored(answers: list[tuple[str, float, bool]], gold: str = "") -> ScoredAnswers:
    found = ScoredAnswers()
    found.update(answers, gold)
    return found


@given(judged)
def test_the_calibration_error_is_that_of_the_definition(answers) -> None:
    # Away from the borders of bins, as log-odds are rounded.
    answers = [(label, round(p * 97) / 97, right) for label, p, right in answers if 0.01 < p < 0.99]
    expected = 0.0
    for number in range(10):
        own = [(p, right) for _, p, right in answers if number / 10 <= p < (number + 1) / 10]
        if own:
            distance = sum(p for p, _ in own) - sum(right for _, right in own)
            expected += abs(distance) / len(answers)
    assert scored(answers).expected_calibration_error() == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_that_made_probabilities_too_sure_is_found(temperature) -> None:
    answers = []
    for odds in (-2.0, -1.0, 0.0, 1.0, 2.0, 3.0):
        share = round(1000 / (1 + math.exp(-odds)))
        said = 1 / (1 + math.exp(-odds * temperature))
        answers += [("X", said, True)] * share + [("X", said, False)] * (1000 - share)
    found = scored(answers)
    assert found.best_temperature() == pytest.approx(temperature, rel=0.02)
    assert found.expected_calibration_error(temperature) < 0.002


@given(judged, st.text("XY", max_size=20), st.sampled_from([None, "X"]))
def test_no_other_threshold_has_a_better_f1(answers, gold, label) -> None:
    def f1(threshold: float) -> float:
        own = [each for each in answers if label in (None, each[0]) and each[1] >= threshold]
        num_gold = len(gold) if label is None else gold.count(label)
        correct = sum(right for _, _, right in own)
        return 2 * correct / (len(own) + num_gold) if own or num_gold else 0.0

    # As far apart as counted: half-way between two there is room.
    answers = [(each, round(p, 2) or 0.01, right) for each, p, right in answers]
    best = scored(answers, gold).best_threshold(label)
    expected = max((f1(p) for _, p, _ in answers), default=0.0)
    assert expected == (best[1] if best else 0.0)
    if best:
        assert f1(best[0]) == best[1]
