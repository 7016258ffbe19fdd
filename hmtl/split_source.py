"""Where the instances of a split come from."""

import logging
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Tuple

from allennlp.data import DatasetReader, Instance
from tqdm import tqdm

from hmtl.errors import DataError
from hmtl.training.streamed_instances import Instances, StreamedInstances

# The key of a recipe under which the block of the reader stands.
READER = "dataset_reader"

# A level of the log, and what was said.
Message = Tuple[int, str]


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
    messages : `List[Tuple[int, str]]`, optional
        What was logged while the split was read and indexed.
    """

    task_name: str
    split: str
    path: Path
    reader: DatasetReader
    reading: Callable[[], Iterable[Instance]]
    recipe: Dict[str, Any]
    max_in_memory: Optional[int] = None
    messages: List[Message] = field(default_factory=list)

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
        with self.recording():
            # Where nobody watches (`disable=None`), the account that a reader logs is enough.
            progress = tqdm(self.reading(), title, leave=False, mininterval=0.5, disable=None)
            instances = list(progress)
        if not instances:
            raise DataError(f"holds no instance for task {self.task_name!r}", self.path)
        return instances

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Adds to `messages` what is logged meanwhile."""
        recorder = _Recorder(self.messages)
        library = logging.getLogger(__name__.partition(".")[0])
        library.addHandler(recorder)
        try:
            yield
        finally:
            library.removeHandler(recorder)


class _Recorder(logging.Handler):
    def __init__(self, messages: List[Message]) -> None:
        super().__init__()
        self.messages = messages

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append((record.levelno, record.getMessage()))
