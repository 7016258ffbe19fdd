"""Exact-match F1 of labelled relations between tokens."""

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from hmtl.metrics.counts import Counts
from hmtl.metrics.fractions import Fractions
from hmtl.metrics.labelled_f1 import OVERALL, LabelledF1
from hmtl.metrics.span_f1 import LabelledSpan

Relation = tuple[int, int, str]
F1 = TypeVar("F1", bound=LabelledF1)
FIGURES = ("precision", "recall", "f1-measure")
ALL_SENTENCES, SENTENCES_WITH_RELATIONS = "all-sentences", "sentences-with-relations"


class RelationF1(LabelledF1):
    """
    A predicted relation is correct if a gold relation of the same sentence has its label and joins
    the same two tokens in the same direction.
    """

    def update(self, predicted: Iterable[Relation], gold: Iterable[Relation]) -> None:
        """
        Counts one sentence.

        # Parameters

        predicted, gold : `Iterable[Tuple[int, int, str]]`
            The token index of the first argument, that of the second, and the label.
        """
        self.count(
            [(label, (arg1, arg2)) for arg1, arg2, label in predicted],
            [(label, (arg1, arg2)) for arg1, arg2, label in gold],
        )


class StrictRelationF1(LabelledF1):
    """
    A predicted relation is correct if, beyond what `RelationF1` asks, the predicted mention that ends
    on each of its tokens is the gold mention there, in type and both boundaries (the `strict`
    evaluation of Bekoulis et al., 2018).
    """

    def update(
        self,
        predicted: Iterable[Relation],
        gold: Iterable[Relation],
        predicted_mentions: Iterable[LabelledSpan],
        gold_mentions: Iterable[LabelledSpan],
    ) -> None:
        """
        Counts one sentence.

        # Parameters

        predicted, gold : `Iterable[Tuple[int, int, str]]`
            As `RelationF1.update` takes them; the tokens are the last ones of the arguments.
        predicted_mentions, gold_mentions : `Iterable[Tuple[str, Tuple[int, int]]]`
            Pairs of a label and a `(start, end)` with an inclusive end.
        """
        self.count(
            _with_arguments(predicted, predicted_mentions, absent="none predicted"),
            # Another word: where neither side has a mention, the argument is not right.
            _with_arguments(gold, gold_mentions, absent="none annotated"),
        )


@dataclass
class RelationScores(Counts):
    """
    The scores of relation extraction by the names that papers give them.

    `boundaries`: the two tokens and the label are right (`RelationF1`). `strict`: the mentions are,
    too (`StrictRelationF1`). Each over all sentences, and over those alone that hold a gold relation:
    what is predicted in the others can only be wrong, so a score without them is higher, and the two
    must not be compared (Taillé et al., 2020).
    """

    boundaries: dict[str, RelationF1] = field(default_factory=lambda: _by_sentences(RelationF1))
    strict: dict[str, StrictRelationF1] = field(
        default_factory=lambda: _by_sentences(StrictRelationF1)
    )
    sentences_with_mentions: int = 0
    sentences_without_relations: int = 0

    def update(
        self,
        predicted: Collection[Relation],
        gold: Collection[Relation],
        predicted_mentions: Collection[LabelledSpan] | None = None,
        gold_mentions: Collection[LabelledSpan] | None = None,
    ) -> None:
        """
        Counts one sentence: for `boundaries`, and with mentions for `strict`.

        # Parameters

        predicted, gold, predicted_mentions, gold_mentions :
            As `RelationF1.update` and `StrictRelationF1.update` take them.
        """
        subsets = [ALL_SENTENCES, SENTENCES_WITH_RELATIONS] if gold else [ALL_SENTENCES]
        self.sentences_without_relations += not gold
        for subset in subsets:
            self.boundaries[subset].update(predicted, gold)
        if predicted_mentions is not None and gold_mentions is not None:
            self.sentences_with_mentions += 1
            for subset in subsets:
                self.strict[subset].update(predicted, gold, predicted_mentions, gold_mentions)

    def compute(self, full: bool = False) -> dict[str, float]:
        """
        # Parameters

        full : `bool`, optional (default = `False`)
            Whether to give more than the headline.

        # Returns

        metrics : `Dict[str, float]`
            `precision-overall`, `recall-overall` and `f1-measure-overall`: `boundaries` over all
            sentences counted. With `full`, also the same by label; again as `boundaries-precision`,
            `boundaries-recall` and `boundaries-f1-measure`; the same for `strict`, if mentions were
            given; and, if any sentence had no gold relation, each of these with the suffixes
            `-all-sentences` and `-sentences-with-relations`.
        """
        headline = self.boundaries[ALL_SENTENCES].compute()
        if not full:
            return {f"{figure}-{OVERALL}": headline[f"{figure}-{OVERALL}"] for figure in FIGURES}
        metrics = {**headline, **self._by_subset("boundaries", self.boundaries)}
        if self.sentences_with_mentions:
            metrics.update(self._by_subset("strict", self.strict))
        return metrics

    def fractions(self) -> dict[str, Fractions]:
        """What the headline is computed from: sums over sentences."""
        return self.boundaries[ALL_SENTENCES].fractions()

    def merge(self, state: dict[str, Any]) -> None:
        if "sentences" in state:  # Checkpoints of before have the two numbers in a list.
            with_mentions, without_relations = state["sentences"]
            state = {
                **state,
                "sentences_with_mentions": with_mentions,
                "sentences_without_relations": without_relations,
            }
        super().merge(state)

    def _by_subset(self, criterion: str, counters: Mapping[str, LabelledF1]) -> dict[str, float]:
        named = {"": counters[ALL_SENTENCES]}
        if self.sentences_without_relations:
            named.update({f"-{subset}": counter for subset, counter in counters.items()})
        return {
            f"{criterion}-{figure}{suffix}": counter.compute()[f"{figure}-{OVERALL}"]
            for suffix, counter in named.items()
            for figure in FIGURES
        }


def _by_sentences(make: Callable[[], F1]) -> dict[str, F1]:
    return {subset: make() for subset in (ALL_SENTENCES, SENTENCES_WITH_RELATIONS)}


def _with_arguments(
    relations: Iterable[Relation], mentions: Iterable[LabelledSpan], absent: str
) -> list[tuple[str, Hashable]]:
    """
    The relations as a label and the two arguments: their tokens, and the mentions that end there, of several
    the longest.
    """
    longest_last = sorted(mentions, key=lambda mention: -mention[1][0])
    ending_at: dict[int, Hashable] = {end: (kind, start) for kind, (start, end) in longest_last}
    return [
        (label, (arg1, ending_at.get(arg1, absent), arg2, ending_at.get(arg2, absent)))
        for arg1, arg2, label in relations
    ]
