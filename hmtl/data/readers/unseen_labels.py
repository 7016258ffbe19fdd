"""What becomes of a label in validation or test data that the vocabulary does not hold."""

import logging
from collections import defaultdict
from typing import Dict, List, Mapping

from allennlp.data import Instance, Vocabulary
from allennlp.data.fields import (
    Field,
    LabelField,
    MetadataField,
    MultiLabelField,
    SequenceLabelField,
    TextField,
)
from allennlp.data.vocabulary import DEFAULT_OOV_TOKEN

from hmtl.data.fields.labelled_pairs_field import LabelledPairsField
from hmtl.errors import DataError

logger = logging.getLogger(__name__)

# `error` stops before training. `miss` lets the metrics count such a label as one that was not found;
# the loss of that instance treats it as absent.
UNSEEN_LABEL_RULES = ("error", "miss")

OUTSIDE = "O"
# The index of a label that is unseen, of a text or a token: the one that torch's cross-entropy passes over.
NO_LABEL = -100


def apply_unseen_label_rule(
    instances: List[Instance], vocab: Vocabulary, rule: str, what: str
) -> Dict[str, int]:
    """
    Find the labels that `vocab` lacks, before the instances are indexed.

    # Parameters

    instances : `List[Instance]`
        Changed in place under the rule `miss`.
    vocab : `Vocabulary`
    rule : `str`
        `error` or `miss`.
    what : `str`
        What the instances are, for messages.

    # Returns

    misses : `Dict[str, int]`
        Under the rule `miss`, how often each such label occurs. A warning has told them.

    # Raises

    DataError
        Under the rule `error`, naming the label and the file and line of its sentence.
    """
    missed: Dict[str, int] = defaultdict(int)
    for instance in instances:
        for name, field in instance.fields.items():
            if isinstance(field, TextField):
                continue
            for namespace, unseen in _unseen_labels(field, vocab).items():
                if rule == "error":
                    raise DataError(
                        f"{_source(instance)}the label {unseen[0]!r} in the {what} does not occur in the "
                        "data that the vocabulary was made from. Correct it, add the split to "
                        "datasets_for_vocab_creation, or write unseen_labels: 'miss' at the config's top "
                        "level to score such labels as misses."
                    )
                instance.fields[name] = _without(field, unseen, namespace, vocab)
                for label in unseen:
                    missed[label] += 1
    warn_of_misses(what, missed)
    return dict(missed)


def warn_of_misses(what: str, misses: Mapping[str, int]) -> None:
    """Log a warning if `apply_unseen_label_rule` returned any."""
    if misses:
        logger.warning("%s: labels never seen in training count as misses: %s", what, dict(misses))


def _unseen_labels(field: Field, vocab: Vocabulary) -> Dict[str, List[str]]:
    """The labels that the vocabulary lacks, by namespace, where one holds any such."""
    counter: Dict[str, Dict[str, int]] = defaultdict(lambda: defaultdict(int))
    field.count_vocab_items(counter)
    unseen = {}
    for namespace, labels in counter.items():
        known = vocab.get_token_to_index_vocabulary(namespace)
        # A namespace of words has an index for those it lacks.
        if DEFAULT_OOV_TOKEN not in known and any(label not in known for label in labels):
            unseen[namespace] = [label for label in labels if label not in known]
    return unseen


def _source(instance: Instance) -> str:
    """Where it comes from, as the readers here note it: `path:line: `."""
    metadata = instance.fields.get("metadata")
    known = isinstance(metadata, MetadataField) and isinstance(metadata.metadata, dict)
    source = metadata.metadata.get("source") if known else None  # type: ignore[union-attr]
    return f"{source}: " if source else ""


def _without(field: Field, unseen: List[str], namespace: str, vocab: Vocabulary) -> Field:
    if isinstance(field, SequenceLabelField):
        known = vocab.get_token_to_index_vocabulary(namespace)
        if OUTSIDE not in known:
            indices = [known.get(str(label), NO_LABEL) for label in field.labels]
            return SequenceLabelField(indices, field.sequence_field, namespace)
        labels = [OUTSIDE if label in unseen else str(label) for label in field.labels]
        return SequenceLabelField(labels, field.sequence_field, namespace)
    if isinstance(field, LabelledPairsField):
        return field.without(unseen)
    if isinstance(field, MultiLabelField):
        return MultiLabelField([each for each in field.labels if each not in unseen], namespace)
    if isinstance(field, LabelField):
        return LabelField(NO_LABEL, namespace, skip_indexing=True)
    raise DataError(f"unseen_labels: 'miss' does not know fields of type {type(field).__name__}")
