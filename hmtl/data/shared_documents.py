"""Finds documents that one task is trained on and another, or the same, is tested on."""

import logging
from dataclasses import dataclass
from typing import Dict, Iterator, List, Mapping, Set, Tuple

from hmtl.data.cache.cached_split import CachedSplit, document_names
from hmtl.data.corpora import TaskCorpora
from hmtl.data.streamed_instances import StreamedInstances

logger = logging.getLogger(__name__)

# So many names in a warning tell whose mistake it is; the rest is a number.
NAMES_SHOWN = 3


@dataclass(frozen=True)
class SharedDocuments:
    """
    Documents that are in the training data of one task and in other data of another, or of the same.

    # Parameters

    trained, scored : `str`
        The tasks.
    split : `str`
        Of the scored task.
    documents : `List[str]`
        Their names, sorted; at least one.
    """

    trained: str
    scored: str
    split: str
    documents: List[str]

    def __str__(self) -> str:
        names = ", ".join(self.documents[:NAMES_SHOWN])
        more = ", ..." if len(self.documents) > NAMES_SHOWN else ""
        return (
            f"{len(self.documents)} document(s) in the training data of {self.trained} are in the "
            f"{self.split} data of {self.scored}: {names}{more}. Its scores are on text that the shared "
            "encoders were trained on"
        )


def find_shared_documents(names: Mapping[Tuple[str, str], Set[str]]) -> Iterator[SharedDocuments]:
    """
    # Parameters

    names : `Mapping[Tuple[str, str], Set[str]]`
        The names of the documents, by task and split (`train`, `validation`, `test`).
    """
    for trained, seen in (
        (task, found) for (task, split), found in names.items() if split == "train"
    ):
        for (scored, split), documents in names.items():
            shared = sorted(seen & documents)
            if split != "train" and shared:
                yield SharedDocuments(trained, scored, split, shared)


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
    for shared in find_shared_documents(names):
        logger.warning("%s", shared)


def _document_names(corpora: TaskCorpora, split: str) -> Set[str]:
    instances = corpora.splits[split]
    if isinstance(instances, StreamedInstances):
        return set()
    if isinstance(instances, CachedSplit):
        return instances.documents
    return document_names(instances)
