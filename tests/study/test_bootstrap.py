import itertools
from statistics import NormalDist

import numpy
import pytest

from hmtl.metrics.coref_scores import CorefScores
from hmtl.metrics.document_relations import DocumentRelationScores
from hmtl.metrics.span_f1 import SpanF1
from hmtl.study.bootstrap import Difference, difference, f1_of, resampled_scores

NUM_SAMPLES = 4000


def one_item_each(right: numpy.ndarray) -> numpy.ndarray:
    """
    Counts of instances that each have one gold and one predicted item: F1 is the share of those that are
    right. `right` has the shape `(num_runs, num_instances)`.
    """
    ones = numpy.ones_like(right)
    return numpy.stack([right, ones, right, ones], axis=-1)[..., None, :].astype(float)


def compared(right: numpy.ndarray, num_samples: int = NUM_SAMPLES) -> Difference:
    """The first row against the second."""
    counts = one_item_each(right)
    scores, resampled = f1_of(counts.sum(axis=1)), resampled_scores(counts, num_samples)
    return difference(scores[0], scores[1], resampled[:, 0], resampled[:, 1])


# Scores


def test_f1_of_sums_is_that_of_the_metric() -> None:
    rng = numpy.random.default_rng(0)
    metric = SpanF1()
    for _ in range(20):
        spans = [("A", (start, start)) for start in range(6)]
        chosen = rng.random((2, 6)) < 0.5
        metric.update(*([span for span, take in zip(spans, side) if take] for side in chosen))
    sums = numpy.array(list(metric.fractions().values()))
    assert f1_of(sums) == pytest.approx(metric.compute()["f1-measure-overall"])


def test_f1_of_documents_is_that_of_the_metric() -> None:
    metric = DocumentRelationScores()
    for gold in ([(0, 1, "a"), (1, 0, "b")], [(0, 1, "a")]):
        metric.update([(0, 1, "a"), (2, 1, "a")], gold, known=[(0, 1, "a")])
    sums = numpy.array(list(metric.fractions().values()))
    assert f1_of(sums) == pytest.approx(metric.compute()["f1-measure-overall"])


def test_f1_of_several_scorers_is_their_mean() -> None:
    metric = CorefScores()
    metric.update([[(0, 0), (1, 1)], [(3, 3), (4, 4)]], [[(0, 0), (1, 1), (2, 2)]])
    sums = numpy.array(list(metric.fractions().values()), dtype=float)
    assert f1_of(sums) == pytest.approx(metric.compute()["coref_f1"])


def test_f1_of_nothing_is_zero() -> None:
    assert f1_of(numpy.zeros((3, 1, 4))).tolist() == [0.0, 0.0, 0.0]


def test_resampled_scores_are_those_of_the_drawn_instances() -> None:
    rng = numpy.random.default_rng(3)
    counts = rng.integers(0, 5, (2, 6, 3, 4)).astype(float)
    seed, num_samples = 5, 7
    found = resampled_scores(counts, num_samples, seed)
    times = numpy.random.default_rng(seed).multinomial(6, [1 / 6] * 6, size=num_samples)
    for sample, run in itertools.product(range(num_samples), range(2)):
        sums = numpy.zeros((3, 4))
        for instance, number in enumerate(times[sample]):
            for _ in range(number):
                sums += counts[run, instance]
        assert found[sample, run] == pytest.approx(f1_of(sums))


# Differences with known answers


def test_equal_systems_do_not_differ() -> None:
    right = numpy.array([[1, 0, 1, 1, 0]] * 2)
    found = compared(right)
    assert (found.value, found.low, found.high, found.p_value) == (0.0, 0.0, 0.0, 1.0)
    assert not found.is_sure


def test_a_system_that_is_always_right_beats_one_that_never_is() -> None:
    found = compared(numpy.array([[1] * 8, [0] * 8]))
    assert (found.value, found.low, found.high) == (1.0, 1.0, 1.0)
    assert found.p_value == pytest.approx(2 / (NUM_SAMPLES + 1))
    assert found.is_sure


def test_the_sign_follows_the_order() -> None:
    found = compared(numpy.array([[0] * 8, [1] * 8]))
    assert (found.value, found.is_sure) == (-1.0, True)


def test_the_share_of_draws_is_that_of_all_possible_ones() -> None:
    # Four instances, of which the first system has one more: of the 4^4 equally likely draws those
    # without that instance, (3/4)^4, show no difference, and none shows the other sign.
    found = compared(numpy.array([[1, 1, 1, 0], [0, 1, 1, 0]]), 20_000)
    assert found.value == pytest.approx(0.25)
    assert found.p_value == pytest.approx(2 * 0.75**4, abs=0.02)


def test_the_interval_is_the_normal_one_on_many_instances() -> None:
    rng = numpy.random.default_rng(1)
    right = (rng.random((2, 2000)) < numpy.array([[0.8], [0.75]])).astype(int)
    found = compared(right)
    apart = right[0] - right[1]
    margin = NormalDist().inv_cdf(0.975) * apart.std() / numpy.sqrt(len(apart))
    assert found.low == pytest.approx(apart.mean() - margin, abs=0.003)
    assert found.high == pytest.approx(apart.mean() + margin, abs=0.003)


def test_paired_draws_see_what_unpaired_ones_could_not() -> None:
    # The better system has all that the other one has and 20 of 400 more: hard and easy instances are
    # the same for both, so that difference is sure although either score alone is not known that well.
    right = numpy.zeros((2, 400), dtype=int)
    right[0, :220], right[1, :200] = 1, 1
    found = compared(right)
    assert found.is_sure and found.p_value < 0.01
    unpaired_error = numpy.sqrt(2 * 0.25 / 400)
    assert found.high - found.low < 2 * NormalDist().inv_cdf(0.975) * unpaired_error / 2


def test_systems_that_differ_by_chance_are_seldom_called_sure() -> None:
    rng = numpy.random.default_rng(2)
    sure = sum(compared((rng.random((2, 300)) < 0.6).astype(int), 500).is_sure for _ in range(100))
    # One in twenty is expected; that 15 are would happen once in ten thousand times.
    assert sure < 15
