"""How probabilities of answers compare with how often the answers are right."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from hmtl.metrics.fractions import ratio

NUM_BINS = 10
# Digits of the log-odds by which answers are counted together.
DIGITS = 3
MOST_LOG_ODDS = 40.0
# The temperatures that may be found, and how exactly.
LEAST_TEMPERATURE, MOST_TEMPERATURE = 0.1, 10.0
SEARCH_STEPS = 60
GOLDEN = (math.sqrt(5) - 1) / 2


class Bin(NamedTuple):
    """Answers with probabilities in one interval: their number, mean probability, and share of right ones."""

    number: int
    probability: float
    right: float


@dataclass
class ScoredAnswers:
    """
    Answers by label, log-odds and whether they are right, and gold answers by label. However many there are,
    they take little memory.
    """

    answers: Counter[tuple[str, float, bool]] = field(default_factory=Counter)
    gold: Counter[str] = field(default_factory=Counter)

    def update(self, judged: Iterable[tuple[str, float, bool]], gold_labels: Iterable[str]) -> None:
        """
        Count one instance.

        # Parameters

        judged : `Iterable[Tuple[str, float, bool]]`
            Label, probability, and whether it is right.
        gold_labels : `Iterable[str]`
            A label for each gold answer.
        """
        self.answers.update(
            (label, round(log_odds(probability), DIGITS), is_right)
            for label, probability, is_right in judged
        )
        self.gold.update(gold_labels)

    def merge(self, other: "ScoredAnswers") -> None:
        """Count as well what another one counted."""
        self.answers.update(other.answers)
        self.gold.update(other.gold)

    def bins(self, temperature: float = 1.0) -> list[Bin]:
        """Return equally wide intervals of probabilities, those without answers left out."""
        numbers, sums, rights = ([0.0] * NUM_BINS for _ in range(3))
        # In one order, whoever counted what: so sums are the same to the last digit.
        for (_, odds, is_right), number in sorted(self.answers.items()):
            probability = sigmoid(odds / temperature)
            place = min(int(probability * NUM_BINS), NUM_BINS - 1)
            numbers[place] += number
            sums[place] += number * probability
            rights[place] += number * is_right
        return [
            Bin(int(number), total / number, right / number)
            for number, total, right in zip(numbers, sums, rights)
            if number
        ]

    def expected_calibration_error(self, temperature: float = 1.0) -> float:
        """
        Return the mean distance between probability and share of right answers, over bins, weighted by their
        answers (Naeini, Cooper and Hauskrecht, 2015); 0.0 without answers.
        """
        bins = self.bins(temperature)
        distances = sum(each.number * abs(each.probability - each.right) for each in bins)
        return ratio(distances, sum(each.number for each in bins))

    def compute(self) -> dict[str, Any]:
        """
        # Returns

        figures : `Dict[str, Any]`
            `answers`, how many; `probability`, the mean; `right`, the share; `expected_calibration_error`;
            and `bins`, in lists.
        """
        bins = self.bins()
        number = sum(each.number for each in bins)
        return {
            "answers": number,
            "probability": ratio(sum(each.number * each.probability for each in bins), number),
            "right": ratio(sum(each.number * each.right for each in bins), number),
            "expected_calibration_error": self.expected_calibration_error(),
            "bins": [list(each) for each in bins],
        }

    def log_loss(self, temperature: float = 1.0) -> float:
        """Return the mean negative log-likelihood of what is right and what is not, in nats."""
        losses = sum(
            number * math.log1p(math.exp(-odds / temperature if is_right else odds / temperature))
            for (_, odds, is_right), number in self.answers.items()
        )
        return ratio(losses, self.answers.total())

    def best_temperature(self) -> float:
        """
        Return the temperature with the least log loss (Guo et al., 2017); 1.0 unless some answers are right
        and some are wrong.
        """
        if len({is_right for _, _, is_right in self.answers}) < len((True, False)):
            return 1.0
        # The loss is convex in the inverse of the temperature.
        low, high = 1 / MOST_TEMPERATURE, 1 / LEAST_TEMPERATURE
        for _ in range(SEARCH_STEPS):
            left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
            if self.log_loss(1 / left) < self.log_loss(1 / right):
                high = right
            else:
                low = left
        return 2 / (low + high)

    def f1(self, label: str | None = None) -> float:
        """Return the F1 of all answers, or of those of a label."""
        counts = [(is_right, number) for (each, _, is_right), number in self._of(label)]
        correct = sum(number for is_right, number in counts if is_right)
        return ratio(2 * correct, sum(number for _, number in counts) + self._num_gold(label))

    def best_threshold(self, label: str | None = None) -> tuple[float, float] | None:
        """
        Return the probability that answers must reach for the best F1, and that F1; `None` where no answer is
        right.

        # Parameters

        label : `str`, optional (default = `None`)
            Of the answers with this label; else of all.
        """
        by_odds: dict[float, list[int]] = {}
        for (_, odds, is_right), number in self._of(label):
            counts = by_odds.setdefault(odds, [0, 0])
            counts[is_right] += number
        gold = self._num_gold(label)
        best, threshold = 0.0, 0.0
        given = correct = 0
        levels = sorted(by_odds, reverse=True)
        for place, odds in enumerate(levels):
            given += sum(by_odds[odds])
            correct += by_odds[odds][True]
            if ratio(2 * correct, given + gold) > best:
                best = ratio(2 * correct, given + gold)
                # Half-way to the next ones; or a little below the last.
                below = levels[place + 1] if place + 1 < len(levels) else odds - 10**-DIGITS
                threshold = sigmoid((odds + below) / 2)
        return (threshold, best) if best else None

    def _of(self, label: str | None) -> Iterator[tuple[tuple[str, float, bool], int]]:
        return (item for item in self.answers.items() if label is None or item[0][0] == label)

    def _num_gold(self, label: str | None) -> int:
        return self.gold.total() if label is None else self.gold[label]


def log_odds(probability: float) -> float:
    """Return log(p / (1 - p)), within bounds."""
    if not 0.0 < probability < 1.0:
        return math.copysign(MOST_LOG_ODDS, probability - 0.5)
    odds = math.log(probability) - math.log1p(-probability)
    return max(-MOST_LOG_ODDS, min(odds, MOST_LOG_ODDS))


def sigmoid(odds: float) -> float:
    """Return the probability of log-odds."""
    return 0.5 + 0.5 * math.tanh(0.5 * odds)
