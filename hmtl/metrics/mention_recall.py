"""How many gold mentions survive as candidates for coreference."""

from collections.abc import Iterable
from typing import Any

from hmtl.metrics.fractions import ratio

Span = tuple[int, int]


class MentionRecall:
    """The share of gold mentions that are among the spans kept as candidates (Lee et al., 2017)."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forgets everything counted so far."""
        self._recalled = 0
        self._gold = 0

    def update(self, candidate_spans: Iterable[Span], gold_mentions: Iterable[Span]) -> None:
        """
        Counts one document.

        # Parameters

        candidate_spans, gold_mentions : `Iterable[Tuple[int, int]]`
            `(start, end)` with inclusive ends; a span given twice counts once.
        """
        gold = {(start, end) for start, end in gold_mentions}
        candidates = {(start, end) for start, end in candidate_spans}
        self._recalled += len(gold & candidates)
        self._gold += len(gold)

    def compute(self) -> dict[str, float]:
        """
        # Returns

        metrics : `Dict[str, float]`
            `mention_recall`, 0.0 where no gold mention was seen.
        """
        return {"mention_recall": ratio(self._recalled, self._gold)}

    def state_dict(self) -> dict[str, Any]:
        """The counts, as plain numbers."""
        return {"recalled": self._recalled, "gold": self._gold}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from counts that `state_dict` gave."""
        self._recalled, self._gold = state["recalled"], state["gold"]

    def merge(self, state: dict[str, Any]) -> None:
        """Counts as well what another one counted, as its `state_dict` tells it."""
        self._recalled += state["recalled"]
        self._gold += state["gold"]
