"""What the whole model makes of a text does not depend on what else is in the batch."""

from typing import Any

import pytest
import torch
from allennlp.data import DatasetReader, Instance

from hmtl.config.building import build
from hmtl.config.loading import complete
from hmtl.data.batch_stream import Batch, collate
from hmtl.runs.assembly import Experiment, assemble, parse_config
from tests.fixtures import TASKS, config_with_characters, write_corpus

# Lengths differ, of texts and of their longest words.
TEXTS = [["Oslo"], ["Ann", "Lee", "met", "her", "neighbour", "in", "Oslo", "."], ["It", "rained"]]


@pytest.fixture(scope="module")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    directory = tmp_path_factory.mktemp("padding")
    config = complete(config_with_characters(write_corpus(directory / "corpus")))
    (directory / "run").mkdir()
    experiment = assemble(parse_config(config), directory / "run", ("train", "test"))
    for parameter in experiment.model.parameters():
        # Large enough that something is predicted and losses differ.
        torch.nn.init.normal_(parameter)
    experiment.model.double().eval()
    return experiment


def to_instance(experiment: Experiment, task: str, words: list[str]) -> Instance:
    reader: Any = build(DatasetReader, experiment.config.task(task).data_params.reader("train"))
    last = len(words) - 1
    gold = {
        "ner": (words, [("PERSON", (0, 0))]),
        "emd": (words, [("PER", (0, 0))]),
        "relation": (words, [(0, last, "PHYS")]),
        "coref": ([words], [[(0, 0), (last, last)]]),
    }
    instance = reader.text_to_instance(*gold[task])
    reader.apply_token_indexers(instance)
    instance.index_fields(experiment.vocab)
    return instance


def batches(experiment: Experiment, task: str) -> tuple[Batch, list[Batch]]:
    """The texts together, and each alone."""
    instances = [to_instance(experiment, task, words) for words in TEXTS]
    return collate(instances), [collate([instance]) for instance in instances]


@pytest.mark.parametrize("task", TASKS)
def test_predictions_alone_are_as_in_a_padded_batch(experiment, task) -> None:
    model = experiment.model
    together, each = batches(experiment, task)
    decoded = model.decode(task, model(task, together))
    for index, batch in enumerate(each):
        for name, (alone,) in model.decode(task, model(task, batch)).items():
            assert decoded[name][index] == alone


@pytest.mark.parametrize("task", ["ner", "emd", "coref"])
def test_the_loss_of_a_batch_is_the_sum_over_its_texts(experiment, task) -> None:
    # That of relations is a mean over the padded square, by its definition.
    together, each = batches(experiment, task)
    losses = [experiment.model(task, batch)["loss"] for batch in each]
    torch.testing.assert_close(experiment.model(task, together)["loss"], sum(losses))
