"""Reading the splits of a task's data."""

import json
import logging
import random
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Dict, Iterable, Iterator, Mapping, Optional, Sequence

from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader, Instance

from hmtl.compat import read_all_in_each_process
from hmtl.config.building import build
from hmtl.config.schema import Config, DataParams
from hmtl.config.task import Task
from hmtl.data.split_source import READER, SplitSource
from hmtl.data.streamed_instances import Instances
from hmtl.data.text_field import with_text
from hmtl.errors import DataError

logger = logging.getLogger(__name__)

# The folder that `hmtl data open` is told to write to, in this project's configs and documentation.
OPEN_CORPORA = ("data", "open")
HIDDEN_LABELS = (
    "Where the labels of test data are not public, write evaluate_on_test: false in the task's "
    "task_description."
)


@dataclass
class TaskCorpora:
    """The instances of a task by split (`train`, `validation`, `test`), and where they come from."""

    task: Task
    splits: Dict[str, Instances]
    paths: Dict[str, Path]

    @classmethod
    def of(
        cls, task: Task, sources: Mapping[str, SplitSource], splits: Mapping[str, Instances]
    ) -> "TaskCorpora":
        """The instances that were read from these sources."""
        return cls(task, dict(splits), {name: source.path for name, source in sources.items()})

    def split_named(self, split: str) -> Instances:
        """
        # Raises

        ConfigurationError
            When the task has no such split.
        """
        if split not in self.splits:
            raise ConfigurationError(
                f"task_{self.task.name}.data_params.datasets_for_vocab_creation names {split!r}; the task "
                f"has the splits {list(self.splits)}"
            )
        return self.splits[split]


def read_corpora(
    task: Task, data_params: DataParams, data_root: str, splits: Sequence[str]
) -> TaskCorpora:
    """
    Reads what `locate_splits` finds; see there.

    # Raises

    ConfigurationError
        When a path is missing from the config or leads nowhere.
    DataError
        When a file is malformed, or a split holds no instance.
    """
    sources = locate_splits(task, data_params, data_root, splits)
    return TaskCorpora.of(task, sources, {name: source.read() for name, source in sources.items()})


def locate_splits(
    task: Task, data_params: DataParams, data_root: str, splits: Sequence[str]
) -> Dict[str, SplitSource]:
    """
    # Parameters

    task : `Task`
    data_params : `DataParams`
        Readers and paths.
    data_root : `str`
        The folder that relative paths start from; the working directory if empty.
    splits : `Sequence[str]`
        Which splits to read. The test split is read only if the task is evaluated on it.

    # Returns

    sources : `Dict[str, SplitSource]`
        By split.

    # Raises

    ConfigurationError
        When a path is missing from the config or leads nowhere.
    """
    where = f"task_{task.name}.data_params"
    readers: Dict[str, DatasetReader] = {}
    text_field = data_params.text_field
    # What a recipe has is part of the key in the cache.
    naming = {} if text_field is None else {"text_field": text_field}
    sources: Dict[str, SplitSource] = {}
    for split in splits:
        if split == "test" and not task.evaluate_on_test:
            continue
        path = _path(data_params, split, data_root, where)
        block = data_params.reader(split)
        key = json.dumps(block, sort_keys=True)
        if key not in readers:
            readers[key] = _reader(block, f"{where}.{data_params.reader_key(split)}")
        reader = readers[key]
        if split != "train":
            sources[split] = SplitSource(
                task.name,
                split,
                path,
                reader,
                reading=partial(_read_held_out, reader, str(path), split, text_field, where),
                recipe={READER: block, **naming},
            )
            continue
        fraction = data_params.train_fraction
        _check_fraction(fraction, f"{where}.train_fraction")
        sources[split] = SplitSource(
            task.name,
            split,
            path,
            reader,
            reading=partial(_read_some, reader, str(path), fraction, text_field, where),
            recipe={READER: block, "train_fraction": fraction, **naming},
            max_in_memory=data_params.max_instances_in_memory,
        )
    return sources


def _path(data_params: DataParams, split: str, data_root: str, where: str) -> Path:
    written = data_params.path(split)
    if not written:
        raise ConfigurationError(
            f"{where}.{split}_data_path is missing: write the path of the data"
        )
    path = Path(data_root) / written
    if not path.exists():
        raise ConfigurationError(
            f"{where}.{split}_data_path leads to {path}, which does not exist. "
            + (
                f"`hmtl data open {data_root}` fetches it."
                if _is_to_be_fetched(path, Path(data_root))
                else "Correct the path, or data_root, the folder that relative paths start from."
            )
        )
    return path


def _is_to_be_fetched(path: Path, root: Path) -> bool:
    """Whether it is where the configs look for the open corpora, and none of them are there yet."""
    return root.parts[-2:] == OPEN_CORPORA and path.is_relative_to(root) and not root.exists()


def _check_fraction(fraction: Optional[float], where: str) -> None:
    if fraction is not None and not 0.0 < fraction <= 1.0:
        raise ConfigurationError(f"{where} is {fraction}; write more than 0, and at most 1")


def _read_some(
    reader: DatasetReader,
    path: str,
    fraction: Optional[float],
    text_field: Optional[str],
    where: str,
) -> Iterable[Instance]:
    instances = with_text(reader.read(path), text_field, where)
    return instances if fraction is None else some_of(instances, fraction)


def _read_held_out(
    reader: DatasetReader, path: str, split: str, text_field: Optional[str], where: str
) -> Iterator[Instance]:
    with minding_hidden_labels(split):
        yield from with_text(reader.read(path), text_field, where)


@contextmanager
def minding_hidden_labels(split: str) -> Iterator[None]:
    """
    Adds to what is said of test data what to do if they were published without their labels.

    # Raises

    DataError
    """
    try:
        yield
    except DataError as error:
        if split != "test":
            raise
        raise with_hidden_labels(error) from error


def with_hidden_labels(error: DataError) -> DataError:
    """The same of test data, which may have been published without their labels."""
    return DataError(f"{error.message.removesuffix('.')}. {HIDDEN_LABELS}", error.path, error.line)


def some_of(instances: Iterable[Instance], fraction: float) -> Iterator[Instance]:
    """
    Instances from everywhere in the data, about this fraction of them, in their order. They are the same
    in every run, and a smaller fraction is part of a larger one.

    # Parameters

    instances : `Iterable[Instance]`
    fraction : `float`
        From 0 to 1.
    """
    chance = random.Random(0)
    num_taken = num_left = 0
    for instance in instances:
        if chance.random() < fraction:
            num_taken += 1
            yield instance
        else:
            num_left += 1
    logger.info(
        "train_fraction is %s: took %d of %d instances", fraction, num_taken, num_taken + num_left
    )


def _reader(block: Config, path: str) -> DatasetReader:
    reader = build(DatasetReader, block, path)
    read_all_in_each_process(reader)
    return reader
