"""
The four ways to score labelled spans of SemEval-2013, task 9.1 (Segura-Bedmar et al., 2013), as the library
nervaluate counts them.

Going through the predicted spans in order, each is paired with a gold one that it overlaps and that no
earlier one took: in each scheme with one that is right for it, or else with the first.

- strict: right with the same tokens and label; else, overlapping, incorrect.
- exact: right with the same tokens, whatever the label; else, overlapping, incorrect.
- partial: right with the same tokens, and half right overlapping, whatever the label.
- type: right with the same label, overlapping; of several the one whose ends are nearest. Else incorrect.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from hmtl.metrics.counts import Counts
from hmtl.metrics.fractions import Fractions
from hmtl.metrics.span_f1 import LabelledSpan

STRICT, EXACT, PARTIAL, TYPE = "strict", "exact", "partial", "type"

# How far a predicted span is from being right for a gold one that it overlaps; `None` if it is not.
_Distance = Callable[[LabelledSpan, LabelledSpan], int | None]


@dataclass
class SchemeCounts(Counts):
    """
    # Parameters

    correct, incorrect, partial, spurious, missed : `int`
        Of predicted spans, but for the last, which are gold ones.
    """

    correct: int = 0
    incorrect: int = 0
    partial: int = 0
    spurious: int = 0
    missed: int = 0

    def fractions(self) -> Fractions:
        """Return what precision and recall are computed from."""
        right = self.correct + self.partial / 2
        paired = self.correct + self.incorrect + self.partial
        return Fractions(right, paired + self.spurious, right, paired + self.missed)


@dataclass
class SpanSchemes(Counts):
    """Counts spans by each of the four schemes."""

    strict: SchemeCounts = field(default_factory=SchemeCounts)
    exact: SchemeCounts = field(default_factory=SchemeCounts)
    partial: SchemeCounts = field(default_factory=SchemeCounts)
    type: SchemeCounts = field(default_factory=SchemeCounts)

    def update(self, predicted: Iterable[LabelledSpan], gold: Iterable[LabelledSpan]) -> None:
        """
        Counts one sentence or document.

        # Parameters

        predicted, gold : `Iterable[Tuple[str, Tuple[int, int]]]`
            Pairs of a label and a `(start, end)` with an inclusive end.
        """
        ours = sorted(predicted, key=lambda each: (each[1], each[0]))
        theirs = sorted(gold, key=lambda each: (each[1], each[0]))
        overlapping = _overlapping(ours, theirs)
        for counts, distance in (
            (self.strict, _strict),
            (self.exact, _exact),
            (self.partial, _exact),
            (self.type, _type),
        ):
            self._count(counts, distance, ours, theirs, overlapping)

    def _count(
        self,
        counts: SchemeCounts,
        distance: _Distance,
        predicted: Sequence[LabelledSpan],
        gold: Sequence[LabelledSpan],
        overlapping: Sequence[Sequence[int]],
    ) -> None:
        taken: set[int] = set()
        for span, candidates in zip(predicted, overlapping):
            free = [index for index in candidates if index not in taken]
            right = [
                (far, index) for index in free if (far := distance(span, gold[index])) is not None
            ]
            if right:
                counts.correct += 1
                taken.add(min(right)[1])
            elif free:
                taken.add(free[0])
                counts.partial += counts is self.partial
                counts.incorrect += counts is not self.partial
            else:
                counts.spurious += 1
        counts.missed += len(gold) - len(taken)

    def figures(self) -> dict[str, dict[str, float]]:
        """By scheme `precision`, `recall` and `f1_score`."""
        schemes = {STRICT: self.strict, EXACT: self.exact, PARTIAL: self.partial, TYPE: self.type}
        return {name: counts.fractions().figures() for name, counts in schemes.items()}


def _strict(span: LabelledSpan, gold: LabelledSpan) -> int | None:
    return 0 if span == gold else None


def _exact(span: LabelledSpan, gold: LabelledSpan) -> int | None:
    return 0 if span[1] == gold[1] else None


def _type(span: LabelledSpan, gold: LabelledSpan) -> int | None:
    far = abs(span[1][0] - gold[1][0]) + abs(span[1][1] - gold[1][1])
    return far if span[0] == gold[0] else None


def _overlapping(
    predicted: Sequence[LabelledSpan], gold: Sequence[LabelledSpan]
) -> list[list[int]]:
    """For each predicted span the indices of the gold ones that share a token with it, in order."""
    covering: defaultdict[int, list[int]] = defaultdict(list)
    for index, (_, (start, end)) in enumerate(gold):
        for token in range(start, end + 1):
            covering[token].append(index)
    return [
        sorted({index for token in range(start, end + 1) for index in covering.get(token, ())})
        for _, (start, end) in predicted
    ]
