"""What a head answers about a text, as prediction, exports, spaCy and the demo need to know it."""

from dataclasses import dataclass

# Labelled stretches of tokens: pairs of a label and a `(start, end)`, the end inclusive.
MENTIONS = "mentions"
# Pairs of tokens: `(first token, second token, label)`.
RELATIONS = "relations"
# Clusters of stretches: lists of `(start, end)`.
COREFERENCE = "coreference"
# A label for each token: a list of strings.
TOKENS = "tokens"
# For each token its head, a token or `None` for the root, and its relation to that: a list of pairs.
TREE = "tree"
# One label of a whole text, a string; and any number of them, a list of strings.
LABEL, LABELS = "label", "labels"
KINDS = (MENTIONS, RELATIONS, COREFERENCE, TOKENS, TREE, LABEL, LABELS)


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
