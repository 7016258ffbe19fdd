"""What becomes of a label in validation or test data that the vocabulary does not hold."""

import logging
from collections import defaultdict
from typing import Dict, List

from allennlp.data import Instance, Vocabulary
from allennlp.data.fields import Field, SequenceLabelField, TextField

from hmtl.dataset_readers.fields.relations_field import RelationsField
from hmtl.errors import DataError

logger = logging.getLogger(__name__)

# `error` stops before training. `miss` lets the metrics count such a label as one that was not found;
# the loss of that instance treats it as absent.
UNSEEN_LABEL_RULES = ("error", "miss")

OUTSIDE = "O"


def apply_unseen_label_rule(
    instances: List[Instance], vocab: Vocabulary, rule: str, what: str
) -> None:
    """
    Finds the labels that `vocab` lacks, before the instances are indexed.

    # Parameters

    instances : `List[Instance]`
        Changed in place under the rule `miss`.
    vocab : `Vocabulary`
    rule : `str`
        `error` or `miss`.
    what : `str`
        What the instances are, for messages.

    # Raises

    DataError
        Under the rule `error`, naming the label and the file and line of its sentence.
    """
    missed: Dict[str, int] = defaultdict(int)
    for instance in instances:
        for name, field in instance.fields.items():
            if isinstance(field, TextField):
                continue
            unseen = _unseen_labels(field, vocab)
            if unseen and rule == "error":
                raise DataError(
                    f"{instance.fields['metadata']['source']}: the label {unseen[0]!r} in the {what} does "  # type: ignore[index]
                    "not occur in the data that the vocabulary was made from. Correct it, add the split "
                    "to datasets_for_vocab_creation, or write unseen_labels: 'miss' at the config's top "
                    "level to score such labels as misses."
                )
            if unseen:
                instance.fields[name] = _without(field, unseen)
                for label in unseen:
                    missed[label] += 1
    if missed:
        logger.warning("%s: labels never seen in training count as misses: %s", what, dict(missed))


def _unseen_labels(field: Field, vocab: Vocabulary) -> List[str]:
    counter: Dict[str, Dict[str, int]] = defaultdict(lambda: defaultdict(int))
    field.count_vocab_items(counter)
    return [
        label
        for namespace, labels in counter.items()
        for label in labels
        if label not in vocab.get_token_to_index_vocabulary(namespace)
    ]


def _without(field: Field, unseen: List[str]) -> Field:
    if isinstance(field, SequenceLabelField):
        labels = [OUTSIDE if label in unseen else label for label in field.labels]
        return SequenceLabelField(labels, field.sequence_field, field._label_namespace)
    if isinstance(field, RelationsField):
        return field.without(unseen)
    raise DataError(f"unseen_labels: 'miss' does not know fields of type {type(field).__name__}")
