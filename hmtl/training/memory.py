"""Running out of memory, told so that something can be done about it."""

from contextlib import contextmanager
from typing import Iterator

import torch

from hmtl.errors import DataError
from hmtl.training.batch_stream import Batch, sources_of

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
            f"the memory does not suffice for a batch of task {task_name!r}: {len(lengths)} texts, the "
            f"longest of {max(lengths, default=0)} tokens ({', '.join(sources_of(batch))}). Split long "
            "texts, or write iterators.iterator.max_tokens_per_batch to split large batches."
        ) from error


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether torch's error says that the memory of the CPU or a device does not suffice."""
    if isinstance(error, torch.OutOfMemoryError):
        return True
    return any(sign in str(error) for sign in CPU_OUT_OF_MEMORY)
