"""A predictor by rules, which answers at once and whose answers a test can foretell."""

import re
import time
from collections.abc import Sequence

from hmtl.common.answers import COREFERENCE, MENTIONS, RELATIONS
from hmtl.prediction.results import (
    Mention,
    Prediction,
    Relation,
    Sentence,
    Span,
    TaskInfo,
    Token,
    mention_over,
    span_over,
)

PRONOUNS = ("she", "her", "he", "him", "it")
FAILS_ON = "FAIL"


class FakePredictor:
    """
    Runs of capitalised words are names and mentions (PERSON up to M, PLACE from N on), neighbours in a
    sentence are `near` each other, and equal names are one thing, which pronouns after it mean too.

    # Parameters

    seconds : `float`, optional (default = `0`)
        How long a batch takes.
    names : `dict[str, str]`, optional
        Other names for the tasks `ner`, `emd`, `relation` and `coref`; those left out are not served.
    scores : `dict[str, float]`, optional
        Of names, by label.
    """

    def __init__(
        self,
        seconds: float = 0,
        names: dict[str, str] | None = None,
        scores: dict[str, float] | None = None,
    ) -> None:
        self.scores = scores or {}
        self.seconds = seconds
        self.batches: list[list[str]] = []
        self.names = names or {name: name for name in ("ner", "emd", "relation", "coref")}
        of_kind = {
            "ner": (MENTIONS, ["PERSON", "PLACE"]),
            "emd": (MENTIONS, ["PER", "LOC", "PRO"]),
            "relation": (RELATIONS, ["near"]),
            "coref": (COREFERENCE, []),
        }
        self.infos = [TaskInfo(shown, *of_kind[name]) for name, shown in self.names.items()]

    @property
    def tasks(self) -> list[str]:
        return [info.name for info in self.infos]

    @property
    def kinds(self) -> dict[str, str]:
        return {info.name: info.kind for info in self.infos}

    @property
    def labels(self) -> dict[str, list[str]]:
        return {info.name: info.labels for info in self.infos}

    def predict_texts(self, texts: Sequence[str]) -> list[Prediction]:
        self.batches.append(list(texts))
        time.sleep(self.seconds)
        if FAILS_ON in texts:
            raise ValueError("as asked")
        return [self._predict(text) for text in texts]

    def _predict(self, text: str) -> Prediction:
        tokens = [Token(m[0], *m.span()) for m in re.finditer(r"\w+|[^\w\s]", text)]
        sentences = sentences_of(tokens)
        names = [(label, span_over(text, tokens, span)) for label, span in names_in(tokens)]
        found: dict[str, list[Mention]] = {"ner": [], "emd": []}
        for label, span in names:
            where = (span.begin_token, span.end_token)
            found["emd"].append(mention_over(text, tokens, where, label))
            if label != "PRO":
                long = {"PER": "PERSON", "LOC": "PLACE"}[label]
                found["ner"].append(mention_over(text, tokens, where, long, self.scores.get(long)))
        pick = self.names.get
        return Prediction(
            text,
            tokens,
            sentences,
            self.infos,
            {self.names[task]: found[task] for task in found if task in self.names},
            {name: related(found["ner"], sentences) for name in [pick("relation")] if name},
            {name: clustered(names) for name in [pick("coref")] if name},
        )


def sentences_of(tokens: Sequence[Token]) -> list[Sentence]:
    ends = [index for index, token in enumerate(tokens) if token.text in ".!?"]
    if tokens and (not ends or ends[-1] != len(tokens) - 1):
        ends.append(len(tokens) - 1)
    begins = [0, *(end + 1 for end in ends)]
    return [Sentence(begin, end) for begin, end in zip(begins, ends)]


def names_in(tokens: Sequence[Token]) -> list[tuple[str, tuple[int, int]]]:
    found: list[tuple[str, tuple[int, int]]] = []
    for index, token in enumerate(tokens):
        if token.text.casefold() in PRONOUNS:
            found.append(("PRO", (index, index)))
        elif token.text[0].isupper():
            label, (begin, end) = found[-1] if found else ("", (-2, -2))
            if end == index - 1 and label != "PRO":
                found[-1] = (label, (begin, index))
            else:
                found.append(("PER" if token.text[0] <= "M" else "LOC", (index, index)))
    return found


def related(mentions: Sequence[Mention], sentences: Sequence[Sentence]) -> list[Relation]:
    relations = []
    for one, other in zip(mentions, mentions[1:]):
        same = [s for s in sentences if s.begin_token <= one.end_token <= s.end_token]
        if other.end_token <= same[0].end_token:
            relations.append(Relation("near", one, other))
    return relations


def clustered(names: Sequence[tuple[str, Span]]) -> list[list[Span]]:
    clusters: dict[str, list[Span]] = {}
    latest = ""
    for label, span in names:
        latest = latest if label == "PRO" else span.text
        clusters.setdefault(latest, []).append(span)
    return [cluster for cluster in clusters.values() if len(cluster) > 1]
