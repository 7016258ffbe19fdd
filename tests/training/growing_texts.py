"""Instances that can be told apart by their length."""

from allennlp.data import Instance, Token, Vocabulary
from allennlp.data.fields import MetadataField, TextField
from allennlp.data.token_indexers import SingleIdTokenIndexer


def texts_of_growing_length(count: int) -> list[Instance]:
    """Indexed; each has a token more than the one before, and its number as its metadata."""
    vocab, indexers = Vocabulary(), {"tokens": SingleIdTokenIndexer()}
    made = []
    for number in range(count):
        text = TextField([Token("a")] * (number + 1), indexers)  # type: ignore[arg-type]
        made.append(Instance({"text": text, "metadata": MetadataField(number)}))
        made[-1].index_fields(vocab)
    return made
