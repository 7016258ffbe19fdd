"""Where the instances of a split come from."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Optional

from allennlp.data import DatasetReader, Instance
from tqdm import tqdm

from hmtl.data.streamed_instances import Instances, StreamedInstances
from hmtl.errors import DataError

# The key of a recipe under which the block of the reader stands.
READER = "dataset_reader"


@dataclass
class SplitSource:
    """
    # Parameters

    task_name : `str`
    split : `str`
    path : `Path`
        A file or a directory that is there.
    reader : `DatasetReader`
    reading : `Callable[[], Iterable[Instance]]`
        Reads the split from its beginning, always in the same order.
    recipe : `Dict[str, Any]`
        What decides about the instances beside the data, as the config has it: the reader's block under
        `READER`, and what is done to its instances.
    max_in_memory : `int`, optional (default = `None`)
        How many instances to hold at a time; `None` is all.
    """

    task_name: str
    split: str
    path: Path
    reader: DatasetReader
    reading: Callable[[], Iterable[Instance]]
    recipe: Dict[str, Any]
    max_in_memory: Optional[int] = None

    @property
    def what(self) -> str:
        """For messages."""
        return f"{self.split} data of task {self.task_name}"

    @property
    def is_streamed(self) -> bool:
        return self.max_in_memory is not None

    def read(self) -> Instances:
        """
        # Raises

        DataError
            When a file is malformed, or there is no instance.
        """
        if self.max_in_memory is not None:
            return StreamedInstances(self.reading, self.max_in_memory)
        title = f"reading {self.split} data of {self.task_name}"
        # Where nobody watches (`disable=None`), the account that a reader logs is enough.
        instances = list(tqdm(self.reading(), title, leave=False, mininterval=0.5, disable=None))
        if not instances:
            raise DataError(f"holds no instance for task {self.task_name!r}", self.path)
        return instances
