"""What a head answers about a text, as prediction, exports, spaCy and the demo need to know it."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

# Labelled stretches of tokens: pairs of a label and a `(start, end)`, the end inclusive.
MENTIONS = "mentions"
# Pairs of tokens: `(first token, second token, label)`.
RELATIONS = "relations"
# Pairs of the entities of a document: `(first entity, second entity, label)`.
DOCUMENT_RELATIONS = "document_relations"
# Clusters of stretches: lists of `(start, end)`.
COREFERENCE = "coreference"
# A label for each token: a list of strings.
TOKENS = "tokens"
# For each token its head, a token or `None` for the root, and its relation to that: a list of pairs.
TREE = "tree"
# One label of a whole text, a string; and any number of them, a list of strings.
LABEL, LABELS = "label", "labels"
KINDS = (MENTIONS, RELATIONS, DOCUMENT_RELATIONS, COREFERENCE, TOKENS, TREE, LABEL, LABELS)


@dataclass(frozen=True)
class Answers:
    """
    # Parameters

    kind : `str`
        One of `KINDS`.
    key : `str`
        Under which `decode` has them, a list entry per instance.
    of_documents : `bool`, optional (default = `False`)
        Whether an instance is a whole document; else it is a sentence.
    """

    kind: str
    key: str
    of_documents: bool = False

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"answers of the kind {self.kind!r}; choose one of {', '.join(KINDS)}")


def with_temperature(probabilities: Any, temperature: float) -> Any:
    """
    Return probabilities, a number or lists of them in lists, with their log-odds divided by a temperature
    (Guo et al., 2017, for an answer against all others).
    """
    if temperature == 1.0:
        return probabilities
    if isinstance(probabilities, list):
        return [with_temperature(each, temperature) for each in probabilities]
    if probabilities is None or not 0.0 < probabilities < 1.0:
        return probabilities
    log_odds = math.log(probabilities) - math.log1p(-probabilities)
    return 0.5 + 0.5 * math.tanh(0.5 * log_odds / temperature)


def label_of(kind: str, answer: Any) -> str:
    """Return the label of one of the answers of an instance, which are of one of `KINDS`."""
    if kind == MENTIONS:
        return str(answer[0])
    return str(answer[-1] if kind in (RELATIONS, DOCUMENT_RELATIONS, TREE) else answer)


def judged(
    kind: str, answers: Any, probabilities: Any, gold: Any
) -> Iterator[tuple[str, float, bool]]:
    """
    Compare what is answered of one instance with its gold.

    # Parameters

    kind : `str`
        One of `KINDS`.
    answers, probabilities, gold : `Any`
        As `Head.decode`, `Head.probabilities` and `Head.gold_answers` have them.

    # Returns

    judgements : `Iterator[Tuple[str, float, bool]]`
        The label (of clusters there is none), the probability, and whether it is right. A mention of a
        cluster is right if an earlier one of it is in its gold cluster; the first of each is not judged.
    """
    if kind == COREFERENCE:
        owner = {tuple(span): number for number, cluster in enumerate(gold) for span in cluster}
        for cluster, own in zip(answers, probabilities, strict=True):
            owners = [owner.get(tuple(span)) for span in cluster]
            for place in range(1, len(cluster)):
                is_right = owners[place] is not None and owners[place] in owners[:place]
                yield "", own[place], is_right
    elif kind == LABEL:
        yield answers, probabilities, answers == gold
    elif kind in (TOKENS, TREE):
        for answer, probability, expected in zip(answers, probabilities, gold, strict=True):
            is_right = answer == expected if kind == TOKENS else tuple(answer) == tuple(expected)
            yield label_of(kind, answer), probability, is_right
    else:
        right = set(gold)
        for answer, probability in zip(answers, probabilities, strict=True):
            yield label_of(kind, answer), probability, answer in right
