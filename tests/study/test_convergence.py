import pytest

from hmtl.study.convergence import Curve, Reached, curve_of, reached


def curve(*scores: float) -> Curve:
    number = len(scores)
    return Curve(
        [10 * (index + 1) for index in range(number)],
        [4.0 * (index + 1) for index in range(number)],
        [1.5 * (index + 1) for index in range(number)],
        list(scores),
    )


@pytest.mark.parametrize(
    "scores, epochs",
    [
        ((0.5, 0.94, 0.95, 1.0), 3),
        ((0.1, 1.0, 0.2), 2),
        ((0.4,), 1),
        # What falls again later has been reached all the same.
        ((0.96, 0.1, 1.0), 1),
    ],
)
def test_reached_is_the_first_epoch_at_95_percent_of_the_best(
    scores: tuple[float, ...], epochs: int
) -> None:
    assert reached(curve(*scores)) == Reached(epochs, 10 * epochs, 4.0 * epochs, 1.5 * epochs)


@pytest.mark.parametrize("scores", [(), (0.0, 0.0)])
def test_what_never_learns_reaches_nothing(scores: tuple[float, ...]) -> None:
    assert reached(curve(*scores)) is None


def test_own_steps_are_the_task_s_share_of_all() -> None:
    history = {
        "validation_metrics": {"ner": "f1"},
        "epochs": [
            {
                "step": step,
                "seconds": seconds,
                "proportions": {"ner": share, "emd": 1 - share},
                "validation": {"ner": {"f1": score}, "emd": {"f1": 0.0}},
            }
            for step, seconds, share, score in [(10, 2.0, 0.3, 0.1), (20, 5.0, 0.5, 0.2)]
        ],
    }
    found = curve_of(history, "ner")
    assert found == Curve([10, 20], [3.0, 8.0], [2.0, 5.0], [0.1, 0.2])
