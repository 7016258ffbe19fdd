"""The corpora as every peer takes them, and the score of all."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hmtl.formats.annotated import Relation
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
    relations : `list[Relation]`
        Between these.
    """

    words: Words
    spans: list[LabelledSpan]
    relations: list[Relation] = field(default_factory=list)

    @property
    def tags(self) -> list[str]:
        """In BIO."""
        return spans_to_tags(self.spans, len(self.words), SCHEME)


def read_split(path: Path) -> list[Sentence]:
    """Return the sentences of a folder with their names or, where there are none, their mentions."""
    return [
        Sentence(sentence.words, [each.labelled for each in spans], relations)
        for document in read(path)
        for sentence, spans, relations in zip(
            document.sentences,
            document.by_sentence(document.names or document.mentions),
            document.by_sentence(document.relations),
            strict=True,
        )
    ]


def f1_of(answers: Sequence[Sequence[LabelledSpan]], gold: Sequence[Sentence]) -> float:
    """Return the F1 of spans, as `hmtl evaluate` and `hmtl score` count it."""
    scores = SpanF1()
    for answer, sentence in zip(answers, gold, strict=True):
        scores.update(answer, sentence.spans)
    return scores.compute()["f1-measure-overall"]
