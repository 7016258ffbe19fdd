"""What the comparison asks of another library."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from benchmarks.peers.data import Sentence
from hmtl.formats.brackets import LabelledSpan


class Peer(ABC):
    """A tagger of spans."""

    @abstractmethod
    def train(self, sentences: Sequence[Sentence], seed: int) -> None:
        """Train an epoch, in an order that follows from the seed."""

    @abstractmethod
    def predict(self, sentences: Sequence[Sentence]) -> list[list[LabelledSpan]]:
        """Return the spans of each sentence, of which their own are not read."""
