"""Reading the splits of a task's data."""

import copy
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Dict, Sequence

from allennlp.common import Params
from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader
from tqdm import tqdm

from hmtl.errors import DataError
from hmtl.tasks.task import Task
from hmtl.training.streamed_instances import Instances, StreamedInstances


@dataclass
class TaskCorpora:
    """The instances of a task by split (`train`, `validation`, `test`), and where they come from."""

    task: Task
    splits: Dict[str, Instances]
    paths: Dict[str, Path]

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
    task: Task, data_params: Dict[str, Any], data_root: str, splits: Sequence[str]
) -> TaskCorpora:
    """
    # Parameters

    task : `Task`
    data_params : `Dict[str, Any]`
        The `data_params` of its section: readers and paths.
    data_root : `str`
        The folder that relative paths start from; the working directory if empty.
    splits : `Sequence[str]`
        Which splits to read. The test split is read only if the task is evaluated on it.

    # Raises

    ConfigurationError
        When a path is missing from the config or leads nowhere.
    DataError
        When a file is malformed, or a split holds no instance.
    """
    where = f"task_{task.name}.data_params"
    reader = _reader(data_params["dataset_reader"])
    block = data_params.get("validation_dataset_reader")
    validation_reader = reader if block is None else _reader(block)
    read: Dict[str, Instances] = {}
    paths: Dict[str, Path] = {}
    for split in splits:
        key = f"{split}_data_path"
        if split == "test" and not task.evaluate_on_test:
            continue
        if not data_params.get(key):
            raise ConfigurationError(
                f"{where}.{key} is missing: write the path of the {split} data"
            )
        path = Path(data_root) / data_params[key]
        if not path.exists():
            raise ConfigurationError(
                f"{where}.{key} leads to {path}, which does not exist. Correct the path, or data_root, "
                "the folder that relative paths start from."
            )
        chosen = reader if split == "train" else validation_reader
        title = f"reading {split} data of {task.name}"
        most = data_params.get("max_instances_in_memory")
        if split == "train" and most is not None:
            read[split], paths[split] = (
                StreamedInstances(partial(reader.read, str(path)), most),
                path,
            )
            continue
        # Where nobody watches (`disable=None`), the account that a reader logs is enough.
        progress = tqdm(chosen.read(str(path)), title, leave=False, mininterval=0.5, disable=None)
        instances = list(progress)
        if not instances:
            raise DataError(f"holds no instance for task {task.name!r}", path)
        read[split], paths[split] = instances, path
    return TaskCorpora(task, read, paths)


def _reader(block: Dict[str, Any]) -> DatasetReader:
    # `from_params` takes apart what it is given.
    return DatasetReader.from_params(Params(copy.deepcopy(block)))
