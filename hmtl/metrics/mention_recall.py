"""How many gold mentions survive as candidates for coreference."""

from collections.abc import Iterable
from dataclasses import dataclass

from hmtl.metrics.counts import Counts
from hmtl.metrics.fractions import ratio

Span = tuple[int, int]


@dataclass
class MentionRecall(Counts):
    """The share of gold mentions that are among the spans kept as candidates (Lee et al., 2017)."""

    recalled: int = 0
    gold: int = 0

    def update(self, candidate_spans: Iterable[Span], gold_mentions: Iterable[Span]) -> None:
        """
        Counts one document.

        # Parameters

        candidate_spans, gold_mentions : `Iterable[Tuple[int, int]]`
            `(start, end)` with inclusive ends; a span given twice counts once.
        """
        mentions = {(start, end) for start, end in gold_mentions}
        candidates = {(start, end) for start, end in candidate_spans}
        self.recalled += len(mentions & candidates)
        self.gold += len(mentions)

    def compute(self) -> dict[str, float]:
        """
        # Returns

        metrics : `Dict[str, float]`
            `mention_recall`, 0.0 where no gold mention was seen.
        """
        return {"mention_recall": ratio(self.recalled, self.gold)}
