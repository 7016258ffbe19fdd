"""Finds documents that one task is trained on and another, or the same, is tested on."""

import logging
from typing import Dict, Set

from allennlp.data.fields import MetadataField

from hmtl.corpora import TaskCorpora
from hmtl.training.streamed_instances import StreamedInstances

logger = logging.getLogger(__name__)

# So many names in a warning tell whose mistake it is; the rest is a number.
NAMES_SHOWN = 3


def warn_of_shared_documents(corpora: Dict[str, TaskCorpora]) -> None:
    """
    Logs a warning for each pair of tasks, and for each task itself, where a document of one's training data
    is in the other's validation or test data: the shared encoders have then seen what is scored. (Published
    coreference on ACE used another split than mentions and relations, and so did this.)

    # Parameters

    corpora : `Dict[str, TaskCorpora]`
        By task. Documents are told apart by name; those without one, and streamed training data, are passed
        over.
    """
    names = {
        (task, split): _document_names(task_corpora, split)
        for task, task_corpora in corpora.items()
        for split in task_corpora.splits
    }
    for (trained, _), seen in ((key, value) for key, value in names.items() if key[1] == "train"):
        for (scored, split), documents in names.items():
            shared = sorted(seen & documents)
            if split == "train" or not shared:
                continue
            logger.warning(
                "%d document(s) in the training data of %s are in the %s data of %s: %s%s. Its scores are "
                "on text that the shared encoders were trained on",
                len(shared),
                trained,
                split,
                scored,
                ", ".join(shared[:NAMES_SHOWN]),
                ", ..." if len(shared) > NAMES_SHOWN else "",
            )


def _document_names(corpora: TaskCorpora, split: str) -> Set[str]:
    instances = corpora.splits[split]
    if isinstance(instances, StreamedInstances):
        return set()
    metadata = (instance.fields.get("metadata") for instance in instances)
    documents = (f.metadata.get("document") for f in metadata if isinstance(f, MetadataField))
    return {name for name in documents if name}
