"""Reads every split of every task of a config; what cannot be read is noted."""

from __future__ import annotations

import copy
import logging
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from allennlp.common.checks import ConfigurationError

from hmtl.checking.example import Example, example_of
from hmtl.checking.split_counts import SplitCounts
from hmtl.common.reporting import counted
from hmtl.config.building import type_of
from hmtl.config.schema import SPLITS, DataParams, RunConfig
from hmtl.config.task import Task
from hmtl.data.corpora import locate_splits, with_hidden_labels
from hmtl.data.readers.corpus_reader import CorpusReader
from hmtl.errors import DataError
from hmtl.formats.files import documents_in
from hmtl.runs.assembly import task_of

logger = logging.getLogger(__name__)

# The examples shown are a sample, the same each time.
SAMPLE_SEED = 0

# So many faults of a split are told.
MOST_FAULTS = 20

SplitName = tuple[str, str]  # task, split


@dataclass
class Reading:
    """
    What was read of the data of a config.

    # Parameters

    readers : `dict[str, str]`
        By task the registered name of its reader.
    counts : `dict[tuple[str, str], SplitCounts]`
        By task and split.
    unread : `dict[str, list[tuple[str, str]]]`
        Why splits could not be read, and which.
    examples : `dict[str, list[Example]]`
        By task, those asked for.
    """

    readers: dict[str, str] = field(default_factory=dict)
    counts: dict[SplitName, SplitCounts] = field(default_factory=dict)
    unread: dict[str, list[SplitName]] = field(default_factory=dict)
    examples: dict[str, list[Example]] = field(default_factory=dict)


def read_all(config: RunConfig, num_examples: int = 0, split_of_examples: str = "train") -> Reading:
    """
    Reads with the readers that the config names. A test split is read also where the task is not evaluated
    on it, if the config has a path for it.

    # Parameters

    config : `RunConfig`
    num_examples : `int`, optional (default = `0`)
        How many examples to keep of each task: a sample of those that hold anything to be found.
    split_of_examples : `str`, optional (default = `"train"`)
        What they are taken from.
    """
    reading = Reading()
    for task_config in config.tasks:
        name, params = task_config.name, task_config.data_params
        task = task_of(task_config)
        reading.readers[name] = type_of(params.dataset_reader)
        for split in SPLITS:
            if split == "test" and not (task.evaluate_on_test or params.test_data_path):
                continue
            sample = _Sample(num_examples if split == split_of_examples else 0)
            source = _Source(replace(task, evaluate_on_test=True), params, config.data_root, split)
            try:
                reading.counts[name, split] = source.count(sample)
            except _Unreadable as unreadable:
                for reason in unreadable.reasons:
                    reading.unread.setdefault(reason, []).append((name, split))
            if split == split_of_examples:
                reading.examples[name] = sample.in_order()
    return reading


class _Unreadable(Exception):
    """A split cannot be read, for each of these reasons."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


class _Sample:
    """Keeps a few of many examples, each with the same chance (Vitter 1985, algorithm R)."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._random = random.Random(SAMPLE_SEED)
        self._seen = 0
        self._kept: list[tuple[int, Example]] = []

    def offer(self, example: Example) -> None:
        if not self._size or not example.annotated:
            return
        self._seen += 1
        entry = (self._seen, example)
        if len(self._kept) < self._size:
            self._kept.append(entry)
            return
        place = self._random.randrange(self._seen)
        if place < self._size:
            self._kept[place] = entry

    def in_order(self) -> list[Example]:
        """As they were offered."""
        return [example for _, example in sorted(self._kept, key=lambda entry: entry[0])]


@dataclass(frozen=True)
class _Source:
    """One split of a task, yet to be read."""

    task: Task
    data_params: DataParams
    data_root: str
    split: str

    @property
    def path(self) -> Path:
        return Path(self.data_root) / str(self.data_params.path(self.split))

    def count(self, sample: _Sample) -> SplitCounts:
        """
        # Raises

        _Unreadable
        """
        counts = SplitCounts()
        faults: list[DataError] = []
        try:
            for example in self._examples(faults):
                counts.add(example)
                sample.offer(example)
        except Exception as error:
            # A user's own reader may raise anything: that is what it is run here to show.
            reasons = self._told(faults)
            if not (faults and _tells_of_nothing_left(error)):
                reasons += [self._reason(error), *self._reasons_beside(error)]
            raise _Unreadable(list(dict.fromkeys(reasons))) from error
        if faults:
            raise _Unreadable(self._told(faults))
        if not counts.instances:
            raise _Unreadable([f"{self.path}: holds no instance for task {self.task.name!r}"])
        return counts

    def _examples(self, faults: list[DataError]) -> Iterator[Example]:
        """Reads it; a reader of ours puts into `faults` what it can pass over."""
        sources = locate_splits(self.task, self.data_params, self.data_root, (self.split,))
        source = sources[self.split]
        if isinstance(source.reader, CorpusReader):
            source.reader.on_error = faults.append
        for instance in source.read():
            yield example_of(instance)

    def _told(self, faults: list[DataError]) -> list[str]:
        """The first of them, and how many more there are."""
        if self.split == "test":
            faults = [*map(with_hidden_labels, faults[:1]), *faults[1:]]
        left = len(faults) - MOST_FAULTS
        more = [f"{self.path}: {counted(left, 'more faults')}, not told here"] if left > 0 else []
        return [str(each) for each in faults[:MOST_FAULTS]] + more

    def _reason(self, error: Exception) -> str:
        if isinstance(error, ConfigurationError):
            # Its own text form wraps the message in quotes.
            return error.message
        if isinstance(error, DataError):
            return str(error)
        if isinstance(error, OSError):
            return f"{self.path}: cannot be read: {error}"
        kind = type_of(self.data_params.dataset_reader)
        logger.error("the reader %s failed", kind, exc_info=error)
        return f"{self.path}: the reader {kind!r} failed with {type(error).__name__}: {error}"

    def _reasons_beside(self, error: Exception) -> Iterator[str]:
        """What is wrong with each other file, where one file of a directory was malformed."""
        if not isinstance(error, DataError) or error.path is None or error.line is None:
            return
        broken = Path(error.path)
        files = documents_in(self.path, broken.suffix)
        for file in (file for file in files if not file.samefile(broken)):
            alone = replace(self, data_params=copy.copy(self.data_params))
            setattr(alone.data_params, f"{self.split}_data_path", str(file.absolute()))
            faults: list[DataError] = []
            try:
                with _readers_silent():
                    for _ in alone._examples(faults):
                        pass
            except Exception as other:
                # One file may well hold nothing of use.
                if not _tells_of_nothing_left(other):
                    yield alone._reason(other)
            yield from alone._told(faults)


def _tells_of_nothing_left(error: Exception) -> bool:
    """Whether all that is wrong is that there is no instance: such an error names no line."""
    return isinstance(error, DataError) and error.line is None


@contextmanager
def _readers_silent() -> Iterator[None]:
    """What was read of a single file would fill the log of a large corpus."""
    readers = logging.getLogger("hmtl.data.readers")
    level = readers.level
    readers.setLevel(logging.WARNING)
    try:
        yield
    finally:
        readers.setLevel(level)
