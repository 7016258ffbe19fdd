import copy
from pathlib import Path
from typing import Any

import pytest
from allennlp.common.checks import ConfigurationError

from hmtl.config.schema import DataParams
from hmtl.config.task import Task
from hmtl.data.corpora import read_corpora
from hmtl.errors import DataError
from tests.fixtures import Config, tiny_config, write_corpus

SPLITS = ("train", "validation", "test")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture
def data_params() -> Config:
    return tiny_config()["task_relation"]["data_params"]


def read(
    data_params: Config, root: Any, splits: tuple[str, ...] = SPLITS, on_test: bool = True
) -> dict[str, int]:
    """How many instances each split has."""
    task = Task("relation", evaluate_on_test=on_test)
    corpora = read_corpora(task, DataParams.of(data_params), str(root), splits)
    return {split: len(list(instances)) for split, instances in corpora.splits.items()}


def test_splits_are_read_from_their_paths(corpus: Path, data_params: Config) -> None:
    assert read(data_params, corpus) == {"train": 5, "validation": 2, "test": 2}


def test_only_splits_that_are_wanted_are_read(corpus: Path, data_params: Config) -> None:
    assert read(data_params, corpus, ("test",)) == {"test": 2}


def test_test_split_is_read_only_where_it_is_evaluated(corpus: Path, data_params: Config) -> None:
    del data_params["test_data_path"]
    assert list(read(data_params, corpus, on_test=False)) == ["train", "validation"]


@pytest.mark.parametrize("key", ["dataset_reader", "validation_dataset_reader"])
def test_reader_that_cannot_be_made_is_named_by_its_path(
    corpus: Path, data_params: Config, key: str
) -> None:
    data_params[key] = {"type": "coref", "max_span_width": 0}
    with pytest.raises(
        ConfigurationError, match=f"task_relation.data_params.{key}: max_span_width is 0"
    ):
        read(data_params, corpus)


@pytest.mark.parametrize("split", ["validation", "test"])
def test_fault_in_test_data_tells_what_to_do_if_labels_are_hidden(
    tmp_path: Path, data_params: Config, split: str
) -> None:
    corpus = write_corpus(tmp_path)
    path = corpus / data_params[f"{split}_data_path"]
    (file, *_) = [path] if path.is_file() else sorted(path.iterdir())
    file.write_text("#begin document (d)\n0 a ? -\n#end document\n")
    with pytest.raises(DataError) as caught:
        read(data_params, corpus, (split,))
    assert str(caught.value).startswith(f"{file}:2: mentions (column 3): malformed cell '?'")
    assert ("evaluate_on_test: false" in str(caught.value)) == (split == "test")


def test_absolute_path_does_not_start_from_data_root(corpus: Path, data_params: Config) -> None:
    for split in SPLITS:
        key = f"{split}_data_path"
        data_params[key] = str(corpus / data_params[key])
    assert read(data_params, "/elsewhere")["train"] == 5


def test_data_root_may_be_left_out(
    corpus: Path, data_params: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(corpus)
    assert read(data_params, "")["train"] == 5


def test_validation_reader_reads_what_is_not_training(corpus: Path, data_params: Config) -> None:
    # Each document ends with two sentences that hold no relation.
    data_params["validation_dataset_reader"] = {
        **data_params["dataset_reader"],
        "skip_sentences_without_relations": False,
    }
    assert read(data_params, corpus) == {"train": 5, "validation": 6, "test": 6}


def test_reading_leaves_the_config_alone(corpus: Path, data_params: Config) -> None:
    before = copy.deepcopy(data_params)
    read(data_params, corpus)
    assert data_params == before


@pytest.mark.parametrize("value", [None, ""])
def test_missing_path_is_named(corpus: Path, data_params: Config, value: Any) -> None:
    data_params["validation_data_path"] = value
    with pytest.raises(
        ConfigurationError, match=r"task_relation\.data_params\.validation_data_path is missing"
    ):
        read(data_params, corpus)


def test_path_that_leads_nowhere_is_named(corpus: Path, data_params: Config) -> None:
    data_params["train_data_path"] = "ace/absent"
    with pytest.raises(
        ConfigurationError,
        match=r"train_data_path leads to .*ace/absent, which does not .*data_root",
    ):
        read(data_params, corpus)


def test_open_corpora_that_are_not_there_come_with_their_command(
    data_params: Config, tmp_path: Path
) -> None:
    root = tmp_path / "data" / "open"
    with pytest.raises(ConfigurationError, match=f"exist. `hmtl data open {root}` fetches it."):
        read(data_params, root)
    root.mkdir(parents=True)
    with pytest.raises(ConfigurationError, match="Correct the path, or data_root"):
        read(data_params, root)


def test_split_without_an_instance_is_refused(tmp_path: Path, data_params: Config) -> None:
    write_corpus(tmp_path)
    (tmp_path / "ace/dev/a.like_conll").write_text("#begin document (d)\n0 a * -\n#end document\n")
    with pytest.raises(DataError, match="ace/dev: .*1 sentence without a relation skipped"):
        read(data_params, tmp_path)


def test_unknown_split_for_the_vocabulary_is_refused(corpus: Path, data_params: Config) -> None:
    corpora = read_corpora(Task("relation"), DataParams.of(data_params), str(corpus), SPLITS)
    assert len(list(corpora.split_named("validation"))) == 2
    with pytest.raises(
        ConfigurationError, match=r"names 'test'; the task has the splits \['train', 'validation'\]"
    ):
        corpora.split_named("test")
