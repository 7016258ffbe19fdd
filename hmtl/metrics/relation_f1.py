"""Exact-match F1 of labelled relations between tokens."""

from collections.abc import Collection, Hashable, Iterable, Mapping
from typing import Any

from hmtl.metrics.fractions import Fractions
from hmtl.metrics.labelled_f1 import OVERALL, LabelledF1
from hmtl.metrics.span_f1 import LabelledSpan

Relation = tuple[int, int, str]
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


class RelationScores:
    """
    The scores of relation extraction by the names that papers give them.

    `boundaries`: the two tokens and the label are right (`RelationF1`). `strict`: the mentions are,
    too (`StrictRelationF1`). Each over all sentences, and over those alone that hold a gold relation:
    what is predicted in the others can only be wrong, so a score without them is higher, and the two
    must not be compared (Taillé et al., 2020).
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forgets everything counted so far."""
        self.boundaries = {ALL_SENTENCES: RelationF1(), SENTENCES_WITH_RELATIONS: RelationF1()}
        self.strict = {
            ALL_SENTENCES: StrictRelationF1(),
            SENTENCES_WITH_RELATIONS: StrictRelationF1(),
        }
        self._sentences_with_mentions = 0
        self._sentences_without_relations = 0

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
        self._sentences_without_relations += not gold
        for subset in subsets:
            self.boundaries[subset].update(predicted, gold)
        if predicted_mentions is not None and gold_mentions is not None:
            self._sentences_with_mentions += 1
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
        if self._sentences_with_mentions:
            metrics.update(self._by_subset("strict", self.strict))
        return metrics

    def fractions(self) -> dict[str, Fractions]:
        """What the headline is computed from: sums over sentences."""
        return self.boundaries[ALL_SENTENCES].fractions()

    def state_dict(self) -> dict[str, Any]:
        """The counts, as plain numbers."""
        return {
            "boundaries": {name: each.state_dict() for name, each in self.boundaries.items()},
            "strict": {name: each.state_dict() for name, each in self.strict.items()},
            "sentences": [self._sentences_with_mentions, self._sentences_without_relations],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from counts that `state_dict` gave."""
        for name in self.boundaries:
            self.boundaries[name].load_state_dict(state["boundaries"][name])
            self.strict[name].load_state_dict(state["strict"][name])
        self._sentences_with_mentions, self._sentences_without_relations = state["sentences"]

    def merge(self, state: dict[str, Any]) -> None:
        """Counts as well what another one counted, as its `state_dict` tells it."""
        for name in self.boundaries:
            self.boundaries[name].merge(state["boundaries"][name])
            self.strict[name].merge(state["strict"][name])
        with_mentions, without_relations = state["sentences"]
        self._sentences_with_mentions += with_mentions
        self._sentences_without_relations += without_relations

    def _by_subset(self, criterion: str, counters: Mapping[str, LabelledF1]) -> dict[str, float]:
        named = {"": counters[ALL_SENTENCES]}
        if self._sentences_without_relations:
            named.update({f"-{subset}": counter for subset, counter in counters.items()})
        return {
            f"{criterion}-{figure}{suffix}": counter.compute()[f"{figure}-{OVERALL}"]
            for suffix, counter in named.items()
            for figure in FIGURES
        }


def _with_arguments(
    relations: Iterable[Relation], mentions: Iterable[LabelledSpan], absent: str
) -> list[tuple[str, Hashable]]:
    """The relations as a label and the two arguments: their tokens, and the mentions that end there."""
    ending_at: dict[int, Hashable] = {end: (kind, start) for kind, (start, end) in mentions}
    return [
        (label, (arg1, ending_at.get(arg1, absent), arg2, ending_at.get(arg2, absent)))
        for arg1, arg2, label in relations
    ]
