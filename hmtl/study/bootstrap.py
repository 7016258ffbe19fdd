"""How sure a difference between setups is: the paired bootstrap over test instances."""

from __future__ import annotations

from dataclasses import dataclass

import numpy

SAMPLES = 10_000
SEED = 1
CONFIDENCE = 0.95
# Resamples in memory at a time.
CHUNK = 500


@dataclass(frozen=True)
class Difference:
    """
    A difference of two mean scores, where its confidence interval begins and ends, and the two-sided p-value
    of there being none.
    """

    value: float
    low: float
    high: float
    p_value: float

    @property
    def is_sure(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low > 0 or self.high < 0


def f1_of(sums: numpy.ndarray) -> numpy.ndarray:
    """
    # Parameters

    sums : `numpy.ndarray`
        Shape `(..., num_scorers, 4)`: the parts of `hmtl.metrics.fractions.Fractions`.

    # Returns

    f1 : `numpy.ndarray`
        From 0 to 1, the mean over the scorers; 0 where it is undefined. Shape `(...)`.
    """
    precision = _ratio(sums[..., 0], sums[..., 1])
    recall = _ratio(sums[..., 2], sums[..., 3])
    return _ratio(2 * precision * recall, precision + recall).mean(axis=-1)


def _ratio(numerator: numpy.ndarray, denominator: numpy.ndarray) -> numpy.ndarray:
    return numpy.divide(
        numerator, denominator, out=numpy.zeros_like(numerator, dtype=float), where=denominator > 0
    )


def resampled_scores(
    counts: numpy.ndarray, num_samples: int = SAMPLES, seed: int = SEED
) -> numpy.ndarray:
    """
    Scores on test sets drawn with replacement from the instances of one, each as large as it. All runs are
    scored on the same draws, which is what pairs them.

    # Parameters

    counts : `numpy.ndarray`
        Shape `(num_runs, num_instances, num_scorers, 4)`.
    num_samples : `int`, optional
    seed : `int`, optional

    # Returns

    scores : `numpy.ndarray`
        Shape `(num_samples, num_runs)`.
    """
    rng = numpy.random.default_rng(seed)
    num_instances = counts.shape[1]
    even = numpy.full(num_instances, 1 / num_instances)
    scores = []
    for first in range(0, num_samples, CHUNK):
        # How often each instance is drawn. Shape: (chunk, num_instances)
        times = rng.multinomial(num_instances, even, size=min(CHUNK, num_samples - first))
        # Shape: (chunk, num_runs, num_scorers, 4)
        sums = numpy.tensordot(times.astype(float), counts, axes=(1, 1))
        scores.append(f1_of(sums))
    return numpy.concatenate(scores)


def difference(
    score: float, baseline: float, resampled: numpy.ndarray, resampled_baseline: numpy.ndarray
) -> Difference:
    """
    # Parameters

    score, baseline : `float`
        On the test set itself.
    resampled, resampled_baseline : `numpy.ndarray`
        On the same draws from it. Shape `(num_samples,)`.

    # Returns

    difference : `Difference`
        With the percentile interval; the p-value is twice the share of draws on which the sign is the other
        one or there is no difference, counting the test set itself as one of them.
    """
    differences = resampled - resampled_baseline
    tail = (1 - CONFIDENCE) / 2
    low, high = numpy.quantile(differences, [tail, 1 - tail])
    fewest = min(int((differences <= 0).sum()), int((differences >= 0).sum()))
    p_value = min(1.0, 2 * (fewest + 1) / (len(differences) + 1))
    return Difference(score - baseline, float(low), float(high), p_value)
