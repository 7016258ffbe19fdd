"""Training on a part of the data."""

import re
from typing import Any

import pytest
from allennlp.common.checks import ConfigurationError

from hmtl.config.schema import DataParams
from hmtl.config.task import Task
from hmtl.data.corpora import read_corpora, some_of
from tests.training.small_runs import small_config


def read(splits: tuple[str, ...] = ("train", "validation"), **data_params: Any) -> dict[str, list]:
    config = small_config()
    params = {**config["task_ner"]["data_params"], **data_params}
    params["dataset_reader"].pop("max_instances", None)
    corpora = read_corpora(Task("ner"), DataParams.of(params), config["data_root"], splits)
    return {
        # `MetadataField` can be indexed.
        split: [instance["metadata"]["source"] for instance in instances]  # type: ignore[index]
        for split, instances in corpora.splits.items()
    }


def test_fraction_is_of_the_training_data_alone() -> None:
    whole, part = read(), read(train_fraction=0.1)
    assert part["validation"] == whole["validation"]
    share = len(part["train"]) / len(whole["train"])
    # Four standard deviations of a share of a tenth.
    assert share == pytest.approx(0.1, abs=4 * (0.09 / len(whole["train"])) ** 0.5)


def test_fraction_comes_from_everywhere_in_the_order_of_the_data() -> None:
    whole, part = read()["train"], read(train_fraction=0.2)["train"]
    positions = [whole.index(source) for source in part]
    assert positions == sorted(positions)
    assert positions[0] < len(whole) / 5 and positions[-1] > len(whole) * 4 / 5


def test_smaller_fraction_is_part_of_a_larger_one() -> None:
    assert set(some_of(range(1000), 0.1)) < set(some_of(range(1000), 0.3))  # type: ignore[arg-type]


def test_streamed_data_have_the_same_fraction() -> None:
    streamed = read(("train",), train_fraction=0.1, max_instances_in_memory=50)
    assert streamed == read(("train",), train_fraction=0.1)


def test_log_tells_how_many_were_taken(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "hmtl"):
        taken = len(read(("train",), train_fraction=0.1)["train"])
    assert re.search(rf"train_fraction is 0\.1: took {taken} of \d+ instances", caplog.text)


@pytest.mark.parametrize("fraction", [0.0, -0.1, 1.5])
def test_fraction_that_is_none_is_refused(fraction: float) -> None:
    with pytest.raises(ConfigurationError, match=r"task_ner\.data_params\.train_fraction is"):
        read(train_fraction=fraction)
