"""The corpora as every peer takes them, and the score of all."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hmtl.formats.brackets import LabelledSpan
from hmtl.formats.tags import spans_to_tags
from hmtl.importing.reading import read
from hmtl.metrics.span_f1 import SpanF1

SPLITS = ("train", "dev", "test")
SCHEME = "BIO"
Words = list[str]


@dataclass
class Sentence:
    """
    # Parameters

    words : `list[str]`
    spans : `list[LabelledSpan]`
        In words of the sentence, both ends inclusive.
    """

    words: Words
    spans: list[LabelledSpan]

    @property
    def tags(self) -> list[str]:
        """In BIO."""
        return spans_to_tags(self.spans, len(self.words), SCHEME)


def read_split(path: Path) -> list[Sentence]:
    """Return the sentences of a folder with their names or, where there are none, their mentions."""
    found = []
    for document in read(path):
        begin = 0
        spans = document.names or document.mentions
        for sentence in document.sentences:
            end = begin + len(sentence)
            inside = [each for each in spans if begin <= each.start < end]
            found.append(
                Sentence(
                    sentence.words,
                    [(each.type, (each.start - begin, each.end - begin)) for each in inside],
                )
            )
            begin = end
    return found


def f1_of(answers: Sequence[Sequence[LabelledSpan]], gold: Sequence[Sentence]) -> float:
    """Return the F1 of spans, as `hmtl evaluate` and `hmtl score` count it."""
    scores = SpanF1()
    for answer, sentence in zip(answers, gold, strict=True):
        scores.update(answer, sentence.spans)
    return scores.compute()["f1-measure-overall"]
