"""The corpora and the options of every peer, and the score of all."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from hmtl.common.random_state import seed_everything
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
    document : `int`
        Its document, counted from 0.
    """

    words: Words
    spans: list[LabelledSpan]
    relations: list[Relation] = field(default_factory=list)
    document: int = 0

    @property
    def tags(self) -> list[str]:
        """In BIO."""
        return spans_to_tags(self.spans, len(self.words), SCHEME)


def read_split(path: Path) -> list[Sentence]:
    """Return the sentences of a folder with their names or, where there are none, their mentions."""
    return [
        Sentence(sentence.words, [each.labelled for each in spans], relations, number)
        for number, document in enumerate(read(path))
        for sentence, spans, relations in zip(
            document.sentences,
            document.by_sentence(document.names or document.mentions),
            document.by_sentence(document.relations),
            strict=True,
        )
    ]


def begin(parser: argparse.ArgumentParser, epochs: int) -> argparse.Namespace:
    """Add what every peer is told, `epochs` by default, and heed its threads and its seed."""
    parser.add_argument("corpus", type=Path, help="with train, dev and test in it")
    parser.add_argument("--epochs", type=int, default=epochs)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    seed_everything(arguments.seed)
    return arguments


def f1_of(answers: Sequence[Sequence[LabelledSpan]], gold: Sequence[Sentence]) -> float:
    """Return the F1 of spans, as `hmtl evaluate` and `hmtl score` count it."""
    scores = SpanF1()
    for answer, sentence in zip(answers, gold, strict=True):
        scores.update(answer, sentence.spans)
    return scores.compute()["f1-measure-overall"]
