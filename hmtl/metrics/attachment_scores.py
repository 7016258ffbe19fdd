"""Attachment scores of dependency trees."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

from hmtl.metrics.counts import Counts
from hmtl.metrics.fractions import Fractions, ratio

# For each word its head, and its relation to that.
Tree = Sequence[tuple[int | None, str]]

SUBTYPE = ":"
PUNCTUATION = "P"


@dataclass
class Attached(Counts):
    """Words, and how many of them have the right head; and the right relation to it, too."""

    words: int = 0
    heads: int = 0
    relations: int = 0

    def add(self, has_head: bool, has_relation: bool) -> None:
        self.words += 1
        self.heads += has_head
        self.relations += has_head and has_relation


@dataclass
class AttachmentScores(Counts):
    """
    Counts words by whether they hang on the right head, and by the right relation.

    # Parameters

    universal : `Attached`
        All words; of relations what stands before a colon (`nsubj` of `nsubj:pass`).
    exact : `Attached`
        All words, relations in full.
    no_punctuation : `Attached`
        Words that are more than punctuation, relations in full.
    """

    universal: Attached = field(default_factory=Attached)
    exact: Attached = field(default_factory=Attached)
    no_punctuation: Attached = field(default_factory=Attached)

    def update(self, predicted: Tree, gold: Tree, words: Sequence[str]) -> None:
        """
        Count one sentence.

        # Parameters

        predicted, gold : `Sequence[Tuple[Optional[int], str]]`
            For each word its head, which is `None` for the root, and its relation.
        words : `Sequence[str]`
        """
        for found, expected, word in zip(predicted, gold, words, strict=True):
            has_head = found[0] == expected[0]
            has_relation = found[1] == expected[1]
            self.universal.add(has_head, _universal(found[1]) == _universal(expected[1]))
            self.exact.add(has_head, has_relation)
            if not is_punctuation(word):
                self.no_punctuation.add(has_head, has_relation)

    def compute(self, full: bool = False) -> dict[str, float]:
        """
        # Parameters

        full : `bool`, optional (default = `False`)
            Tell all four below the first two, too.

        # Returns

        metrics : `Dict[str, float]`
            - `uas`, `las`: as the CoNLL 2018 shared task counts (Zeman et al., 2018), on the words of the
              gold standard: punctuation is counted, subtypes of relations are not.
            - `las-subtypes`: with them.
            - `uas-no-punctuation`, `las-no-punctuation`: as the CoNLL-X shared task counts (Buchholz and
              Marsi, 2006), without words of nothing but punctuation, relations in full.
        """
        metrics = {
            "uas": ratio(self.universal.heads, self.universal.words),
            "las": ratio(self.universal.relations, self.universal.words),
        }
        if full:
            bare = self.no_punctuation
            metrics["las-subtypes"] = ratio(self.exact.relations, self.exact.words)
            metrics["uas-no-punctuation"] = ratio(bare.heads, bare.words)
            metrics["las-no-punctuation"] = ratio(bare.relations, bare.words)
        return metrics

    def fractions(self) -> dict[str, Fractions]:
        """What `las` is computed from, as precision and recall: sums over sentences."""
        counts = (self.universal.relations, self.universal.words)
        return {"las": Fractions(*counts, *counts)}


def is_punctuation(word: str) -> bool:
    """Return whether a word is of nothing but characters that Unicode calls punctuation."""
    return all(unicodedata.category(character).startswith(PUNCTUATION) for character in word)


def _universal(relation: str) -> str:
    return relation.partition(SUBTYPE)[0]
