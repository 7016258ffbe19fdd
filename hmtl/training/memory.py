"""Running out of memory, told so that something can be done about it."""

import logging
from contextlib import contextmanager
from typing import Iterator

import torch

from hmtl.common.reporting import counted
from hmtl.data.batch_stream import Batch, BatchStream, sources_of
from hmtl.errors import DataError
from hmtl.models.heads.head import Head

logger = logging.getLogger(__name__)

# From so many bytes on a batch is warned of before training.
LARGE = 2 * 2**30

# How torch says that the CPU's memory does not suffice, in a plain RuntimeError.
CPU_OUT_OF_MEMORY = ("not enough memory", "can't allocate memory")


@contextmanager
def naming_batch_if_too_large(task_name: str, batch: Batch) -> Iterator[None]:
    """
    # Raises

    DataError
        In place of torch's error, when the block runs out of memory.
    """
    try:
        yield
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        lengths = [len(entry["words"]) for entry in batch.get("metadata", []) if "words" in entry]
        raise DataError(
            f"the memory does not suffice for a batch of task {task_name!r}: "
            f"{counted(len(lengths), 'texts')}, the longest of "
            f"{counted(max(lengths, default=0), 'tokens')} ({', '.join(sources_of(batch))}). Split long "
            "texts, or write iterators.iterator.max_tokens_per_batch to split large batches."
        ) from error


def warn_of_large_batch(task_name: str, head: Head, stream: BatchStream) -> None:
    """Log a warning where the largest batch of a task may take much memory, by its head's estimate."""
    num_texts, num_tokens = stream.worst_batch
    num_bytes = head.training_memory(num_texts, num_tokens)
    if num_bytes < LARGE:
        return
    remedies = ["split long texts, or for coreference write max_sentences in the reader"]
    if num_texts > 1:
        remedies.insert(0, "write max_tokens_per_batch or a smaller batch_size in iterators")
    logger.warning(
        "task %s: a training batch may hold %s, the longest of %s, for which its head takes some %.1f "
        "GB. If that is too much: %s.",
        *(task_name, counted(num_texts, "texts"), counted(num_tokens, "tokens")),
        *(num_bytes / 2**30, "; or ".join(remedies)),
    )


def is_out_of_memory(error: RuntimeError) -> bool:
    """Return whether torch's error says that the memory of the CPU or a device does not suffice."""
    if isinstance(error, torch.OutOfMemoryError):
        return True
    return any(sign in str(error) for sign in CPU_OUT_OF_MEMORY)
