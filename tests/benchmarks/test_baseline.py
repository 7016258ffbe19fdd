"""The fast parts and the plain ones are the same functions: training takes the same way with either."""

import copy
import dataclasses
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch

from benchmarks import workload
from benchmarks.baseline.plain import make_plain
from benchmarks.baseline.training import PlainTraining
from hmtl.metrics.unpadded_loss import UNPADDED_LOSS
from hmtl.modules.few_calls import few_calls_everywhere
from hmtl.runs.assembly import Experiment, assemble, parse_config
from hmtl.runs.training import build_trainer

NUM_SENTENCES, NUM_DOCUMENTS = 40, 3
STEPS = 16
TASKS = ["ner", "emd", "relation", "coref"]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    """Without dropout, whose chances the two forms draw from different sources."""
    directory: Path = tmp_path_factory.mktemp("workload")
    workload.write_corpora(directory / "corpora", NUM_SENTENCES, NUM_DOCUMENTS)
    config = workload.config_for(directory / "corpora")
    workload.set_dropout(config, 0.0)
    return assemble(parse_config(config), directory / "run", ("train", "validation"))


def losses_of_mixed_training(fast: Experiment, plain: bool) -> list[float]:
    model = copy.deepcopy(fast.model).train()
    trainer = build_trainer(dataclasses.replace(fast, model=model))
    for task in trainer.tasks.values():
        task.stream.load_state_dict({"passes": 0, "position": 0})
    if plain:
        make_plain(model)
    training = PlainTraining(model, TASKS)
    losses = []
    for step in range(STEPS):
        name = TASKS[step % len(TASKS)]
        if plain:
            losses.append(training.step(name, trainer.tasks[name].stream.next_batch()))
        else:
            losses.append(float(trainer.train_step(name).loss))
    return losses


def test_loss_curve_of_mixed_training_is_that_of_the_plain_form(small: Experiment) -> None:
    fast = losses_of_mixed_training(small, plain=False)
    plain = losses_of_mixed_training(small, plain=True)
    assert plain[: len(TASKS)] != plain[-len(TASKS) :]
    torch.testing.assert_close(fast, plain, rtol=1e-3, atol=1e-4)
    with few_calls_everywhere():
        of_accelerators = losses_of_mixed_training(small, plain=False)
    assert of_accelerators != fast
    torch.testing.assert_close(of_accelerators, plain, rtol=1e-3, atol=1e-4)


@pytest.fixture(params=["few numbers", "few calls"])
def way(request) -> Iterator[None]:
    """The way of the CPU and that of accelerators."""
    with few_calls_everywhere() if request.param == "few calls" else nullcontext():
        yield


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("name", TASKS)
def test_metrics_are_those_of_the_plain_form(small: Experiment, name: str) -> None:
    plain = copy.deepcopy(small.model)
    make_plain(plain)
    data = next(each for each in small.tasks if each.task.name == name)
    assert data.validation is not None
    for model in (small.model.eval(), plain.eval()):
        with torch.no_grad():
            for batch in data.validation:
                model(name, batch)
    found = small.model.get_metrics(name, reset=True)
    # The plain form has the published loss alone.
    expected = {**plain.get_metrics(name), UNPADDED_LOSS: found.get(UNPADDED_LOSS)}
    assert {key: found[key] for key in found} == pytest.approx(
        {key: expected[key] for key in found}
    )
