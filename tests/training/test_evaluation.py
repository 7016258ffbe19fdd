from pathlib import Path

import pytest
import torch

from hmtl.runs.assembly import Experiment
from hmtl.training.evaluation import evaluate, evaluate_on_test
from tests.fixtures import TASKS, assembled, tiny_config, write_corpus


@pytest.fixture(scope="module")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    directory = tmp_path_factory.mktemp("run")
    corpus = write_corpus(tmp_path_factory.mktemp("corpus"))
    config = tiny_config(corpus)
    config["task_emd"]["task_description"]["evaluate_on_test"] = False
    return assembled(config, directory)


def validation(experiment: Experiment, task: str):
    (data,) = [data for data in experiment.tasks if data.task.name == task]
    assert data.validation is not None
    return data.validation


@pytest.mark.parametrize("task", TASKS)
def test_evaluating_twice_gives_the_same(experiment: Experiment, task: str) -> None:
    batches = validation(experiment, task)
    first = evaluate(experiment.model, task, batches, experiment.device, full=True)
    assert evaluate(experiment.model, task, batches, experiment.device, full=True) == first


def test_evaluation_starts_counting_anew(experiment: Experiment) -> None:
    model, batches = experiment.model, validation(experiment, "ner")
    expected = evaluate(model, "ner", batches, experiment.device)
    model("ner", next(iter(batches)))
    assert evaluate(model, "ner", batches, experiment.device) == expected


def test_loss_is_the_mean_over_batches(experiment: Experiment) -> None:
    model, batches = experiment.model.eval(), validation(experiment, "coref")
    losses = [float(model("coref", batch)["loss"].detach()) for batch in batches]
    metrics = evaluate(model, "coref", batches, experiment.device)
    assert metrics["loss"] == pytest.approx(sum(losses) / len(losses))


@pytest.mark.parametrize("training", [True, False])
def test_evaluation_leaves_the_mode_as_it_was(experiment: Experiment, training: bool) -> None:
    experiment.model.train(training)
    evaluate(experiment.model, "ner", validation(experiment, "ner"), experiment.device)
    assert experiment.model.training is training


def test_evaluation_changes_neither_weights_nor_random_state(experiment: Experiment) -> None:
    before = {name: value.clone() for name, value in experiment.model.state_dict().items()}
    state = torch.get_rng_state()
    evaluate(experiment.model, "relation", validation(experiment, "relation"), experiment.device)
    assert torch.equal(torch.get_rng_state(), state)
    for name, value in experiment.model.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_evaluation_tells_of_its_batches(experiment: Experiment) -> None:
    told = []

    def bar(batches, title, total):
        told.append((title, total))
        return batches

    batches = validation(experiment, "ner")
    evaluate(experiment.model, "ner", batches, experiment.device, progress_bar=bar)
    assert told == [("ner", len(batches))]


def test_test_metrics_are_of_every_task_that_has_them(
    experiment: Experiment, tmp_path: Path
) -> None:
    metrics = evaluate_on_test(experiment.model, experiment.tasks, experiment.device)
    assert list(metrics) == ["ner", "relation", "coref"]
    assert set(metrics["coref"]["muc"]) == {"precision", "recall", "f1_score"}
    assert "f1-measure-PERSON" in metrics["ner"]
