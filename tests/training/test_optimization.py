"""Optimizers, and learning rates from step to step; in runs that are recovered, too."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from allennlp.common import Lazy, Params
from allennlp.common.checks import ConfigurationError
from allennlp.training.learning_rate_schedulers import LearningRateScheduler, PolynomialDecay
from allennlp.training.optimizers import Optimizer

from hmtl.config.checking import check_config
from hmtl.config.loading import Config
from hmtl.config.schema import SPLITS, TrainerConfig
from hmtl.runs.assembly import assemble, parse_config
from hmtl.runs.training import build_trainer, expected_steps, train
from hmtl.training.optimization import Adam, LinearWarmup, LinearWithWarmup, ReduceOnPlateau
from hmtl.training.samplers import UniformSampler
from script.torture import result_of
from tests.training.small_runs import (
    NUM_EPOCHS,
    STEPS_PER_EPOCH,
    Crash,
    CrashAtStep,
    small_config,
)


def optimizer(rate: float = 1.0) -> torch.optim.Optimizer:
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=rate)


def rates(mode: str, metrics: list[float], **params: Any) -> list[float]:
    """The learning rate after each epoch."""
    of = optimizer()
    scheduler = ReduceOnPlateau(of, mode, factor=0.5, patience=1, **params)
    found = []
    for metric in metrics:
        scheduler.step(metric)
        found.append(of.param_groups[0]["lr"])
    return found


RISING = [0.1, 0.2, 0.3, 0.4, 0.5]


def test_plateau_leaves_the_rate_while_the_metric_improves() -> None:
    assert rates("max", RISING) == [1.0] * 5
    assert rates("min", [-value for value in RISING]) == [1.0] * 5


def test_plateau_in_the_wrong_direction_lowers_the_rate_while_the_metric_improves() -> None:
    # SPEC 8.7: what the reference's configs ask for.
    assert rates("min", RISING) == [1.0, 1.0, 0.5, 0.5, 0.25]


def test_plateau_lowers_the_rate_after_its_patience() -> None:
    assert rates("max", [0.5, 0.5, 0.5, 0.5, 0.5]) == [1.0, 1.0, 0.5, 0.5, 0.25]


@pytest.mark.parametrize("mode, rate", [("rel", 1.0), ("abs", 0.5)])
def test_plateau_counts_as_improvement_what_exceeds_the_threshold(mode: str, rate: float) -> None:
    # From 0.1 to 0.105 is a twentieth, or five thousandths.
    metrics = [0.1, 0.105, 0.1105]
    assert rates("max", metrics, threshold=0.02, threshold_mode=mode)[-1] == rate


def test_plateau_never_goes_below_its_minimum() -> None:
    assert min(rates("max", [0.5] * 20, min_lr=0.2)) == 0.2


def test_plateau_counts_no_epoch_while_it_cools_down() -> None:
    # Without: 1.0, 1.0, 0.5, 0.5, 0.25, 0.25.
    assert rates("max", [0.5] * 7, cooldown=2) == [1.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.25]


def test_plateau_makes_no_change_that_is_too_small() -> None:
    assert rates("max", [0.5] * 8, eps=0.3)[-1] == 0.5


def test_plateau_needs_a_metric() -> None:
    with pytest.raises(ValueError, match="needs the validation metric"):
        ReduceOnPlateau(optimizer(), "max").step()


def test_plateau_goes_on_from_its_state() -> None:
    one = ReduceOnPlateau(optimizer(), "max", factor=0.5, patience=2)
    one.step(0.5)
    one.step(0.5)
    of = optimizer()
    other = ReduceOnPlateau(of, "max", factor=0.5, patience=2)
    other.load_state_dict(one.state_dict())
    other.step(0.5)
    assert of.param_groups[0]["lr"] == 1.0
    other.step(0.5)
    assert of.param_groups[0]["lr"] == 0.5


def test_plateau_takes_the_place_of_allennlps() -> None:
    params = Params({"type": "reduce_on_plateau", "mode": "max", "patience": 3})
    assert isinstance(
        LearningRateScheduler.from_params(params, optimizer=optimizer()), ReduceOnPlateau
    )


# Warm-up

PLATEAU = {"type": "reduce_on_plateau", "mode": "max", "factor": 0.5, "patience": 0}


def warmup(of: torch.optim.Optimizer, **params: Any) -> LearningRateScheduler:
    block = {"type": "linear_warmup", **params}
    return LearningRateScheduler.from_params(Params(block), optimizer=of)


def rates_of_steps(scheduler: LearningRateScheduler, of: torch.optim.Optimizer, steps: int) -> list:
    """The rates of each group with which so many steps are made."""
    found = []
    for _ in range(steps):
        found.append([group["lr"] for group in of.param_groups])
        scheduler.step_batch()
    return found


def test_warmup_raises_each_groups_rate_to_its_own() -> None:
    parameters = [torch.nn.Parameter(torch.zeros(1)) for _ in range(2)]
    groups: list[dict[str, Any]] = [
        {"params": parameters[:1], "lr": 0.04},
        {"params": parameters[1:]},
    ]
    of = torch.optim.SGD(groups, lr=1.0)
    rates = rates_of_steps(warmup(of, num_steps=4), of, 6)
    shares = [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]
    assert rates == [[pytest.approx(0.04 * share), pytest.approx(share)] for share in shares]


def test_warmup_gives_way_to_the_scheduler_that_follows() -> None:
    of = optimizer()
    scheduler = warmup(of, num_steps=2, then=PLATEAU)
    # Two epochs that end in the warm-up do not count as epochs without improvement.
    scheduler.step(0.5)
    rates_of_steps(scheduler, of, 1)
    scheduler.step(0.5)
    assert rates_of_steps(scheduler, of, 2) == [[1.0], [1.0]]
    scheduler.step(0.5)
    assert rates_of_steps(scheduler, of, 2) == [[1.0], [1.0]]
    scheduler.step(0.5)
    assert rates_of_steps(scheduler, of, 2) == [[0.5], [0.5]]


def test_warmup_gives_way_to_a_scheduler_that_acts_at_each_step() -> None:
    triangle = {"type": "slanted_triangular", "num_epochs": 1, "num_steps_per_epoch": 6}
    of, alone = optimizer(), optimizer()
    scheduler = warmup(of, num_steps=2, then=triangle)
    rates_of_steps(scheduler, of, 2)
    expected = LearningRateScheduler.from_params(Params(dict(triangle)), optimizer=alone)
    expected.step_batch()
    scheduler.step_batch()
    assert rates_of_steps(scheduler, of, 4) == rates_of_steps(expected, alone, 4)


@pytest.mark.parametrize("steps", [1, 3, 5])
def test_warmup_goes_on_from_its_state(steps: int) -> None:
    def built() -> tuple[LearningRateScheduler, torch.optim.Optimizer]:
        of = optimizer()
        return warmup(of, num_steps=4, then=PLATEAU), of

    def go_on(scheduler: LearningRateScheduler, of: torch.optim.Optimizer) -> list:
        rates = rates_of_steps(scheduler, of, 4)
        scheduler.step(0.1)
        return rates + rates_of_steps(scheduler, of, 2)

    one, first = built()
    rates_of_steps(one, first, steps)
    one.step(0.5)
    other, second = built()
    other.load_state_dict(one.state_dict())
    second.load_state_dict(first.state_dict())
    assert go_on(one, first) == go_on(other, second)


def test_warmup_of_no_step_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="num_steps is 0; write at least 1"):
        LinearWarmup(optimizer(), 0)


def test_warmup_takes_a_scheduler_that_is_built_later() -> None:
    of = optimizer()
    built = LinearWarmup(of, 1, Lazy(ReduceOnPlateau, constructor_extras={"mode": "max"}))
    built.step_batch()
    assert built.is_over


# Warm-up and decay


def test_decay_rises_and_falls_over_the_steps_that_it_is_told_of() -> None:
    of = optimizer()
    scheduler = LinearWithWarmup(of, warmup_steps=2, expected_steps=20)
    found = [rate for (rate,) in rates_of_steps(scheduler, of, 22)]
    assert found == pytest.approx([0.0, 0.5, *(1 - step / 18 for step in range(19)), 0.0])


def test_warmup_before_a_decay_takes_no_more_than_a_tenth_of_a_small_corpus() -> None:
    of = optimizer()
    scheduler = LinearWithWarmup(of, expected_steps=20)
    assert [max(rate) for rate in rates_of_steps(scheduler, of, 3)] == [0.0, 0.5, 1.0]


def test_decay_takes_the_place_of_allennlps_with_the_same_rates() -> None:
    params = {"type": "linear_with_warmup", "num_epochs": 3, "num_steps_per_epoch": 2}
    of, alone = optimizer(), optimizer()
    built = LearningRateScheduler.from_params(Params({**params, "warmup_steps": 2}), optimizer=of)
    assert isinstance(built, LinearWithWarmup)
    theirs = PolynomialDecay(alone, 3, 2, warmup_steps=2)
    assert rates_of_steps(built, of, 8) == rates_of_steps(theirs, alone, 8)


@pytest.mark.parametrize("told", [{}, {"num_epochs": 3}, {"num_epochs": 3, "expected_steps": 6}])
def test_decay_over_unknown_steps_is_refused(told: dict[str, int]) -> None:
    with pytest.raises(ConfigurationError, match="needs both num_epochs and num_steps_per_epoch"):
        LinearWithWarmup(optimizer(), **told)


def test_decay_lasts_as_long_as_each_task_is_expected_to_be_trained(tmp_path: Path) -> None:
    config = config_with({"type": "linear_with_warmup", "warmup_steps": 0})
    config["multi_task_trainer"]["sampling_method"] = {"type": "uniform", "factors": {"ner": 3.0}}
    config["multi_task_trainer"]["optimizer"]["lr"] = 1.0
    trainer = build_trainer(assemble(parse_config(config), tmp_path, SPLITS))
    # 3 epochs of 2 batches of relations, and of 2 of names that count three times.
    steps = NUM_EPOCHS * (2 + 3 * 2)
    for name, share in (("ner", 3 / 4), ("relation", 1 / 4)):
        trainer.train_step(name)
        assert trainer.tasks[name].learning_rate == pytest.approx(1 - 1 / (steps * share))


def test_expected_steps_are_fewer_where_each_takes_several_batches_and_one_at_least() -> None:
    settings = TrainerConfig(
        scheduler="linear_with_warmup", num_epochs=3, gradient_accumulation_steps=2
    )
    sampler = UniformSampler({"ner": 8, "emd": 4}, seed=1, factors={"emd": 0.01})
    # Of 3 epochs of 8 batches two a step, nearly all.
    assert expected_steps(settings, sampler) == {"ner": 12, "emd": 1}


def test_decay_of_a_resumed_run_ends_where_its_epochs_now_end() -> None:
    before, of = LinearWithWarmup(optimizer(), warmup_steps=0, expected_steps=4), optimizer()
    for _ in range(4):
        before.step_batch()
    after = LinearWithWarmup(of, warmup_steps=0, expected_steps=8)
    after.load_state_dict(before.state_dict())
    after.step_batch()
    assert of.param_groups[0]["lr"] == pytest.approx(3 / 8)


def weights() -> list[tuple[str, torch.nn.Parameter]]:
    torch.manual_seed(0)
    return [
        ("table", torch.nn.Parameter(torch.randn(5, 3))),
        ("bias", torch.nn.Parameter(torch.randn(3))),
    ]


def steps(optimizer: torch.optim.Optimizer, named: list[tuple[str, torch.nn.Parameter]]) -> None:
    torch.manual_seed(1)
    for _ in range(5):
        for _, parameter in named:
            parameter.grad = torch.randn_like(parameter)
        optimizer.step()


@pytest.mark.parametrize("options", [{}, {"weight_decay": 0.1}, {"amsgrad": True}])
def test_adam_steps_as_the_plain_one_of_torch(options: dict) -> None:
    ours, theirs = weights(), weights()
    params = Params({"type": "adam", "lr": 0.01, **options})
    steps(Optimizer.from_params(params, model_parameters=ours), ours)
    steps(torch.optim.Adam([each for _, each in theirs], lr=0.01, **options), theirs)
    for (_, each), (_, expected) in zip(ours, theirs, strict=True):
        torch.testing.assert_close(each, expected)


def test_adam_takes_groups_with_rates_of_their_own() -> None:
    named = weights()
    optimizer = Adam(named, parameter_groups=[(["^table$"], {"lr": 0.5})], lr=0.01)
    rates = {id(each): group["lr"] for group in optimizer.param_groups for each in group["params"]}
    assert rates == {id(named[0][1]): 0.5, id(named[1][1]): 0.01}


def test_adam_goes_on_from_its_state() -> None:
    whole, halved = weights(), weights()
    optimizer = Adam(whole)
    steps(optimizer, whole)
    steps(optimizer, whole)
    first = Adam(halved)
    steps(first, halved)
    second = Adam(halved)
    second.load_state_dict(first.state_dict())
    steps(second, halved)
    assert all(torch.equal(a, b) for (_, a), (_, b) in zip(whole, halved, strict=True))


PLATEAU_AT_ONCE = {"type": "reduce_on_plateau", "patience": 0}
LENGTHS = {"num_epochs": NUM_EPOCHS, "num_steps_per_epoch": STEPS_PER_EPOCH}
SCHEDULERS: list[dict[str, Any]] = [
    {"type": "linear_warmup", "num_steps": 3, "then": PLATEAU_AT_ONCE},
    {"type": "noam", "model_size": 16, "warmup_steps": 3},
    {"type": "linear_with_warmup", "warmup_steps": 2},
    {"type": "slanted_triangular", **LENGTHS},
]


def config_with(scheduler: dict[str, Any]) -> Config:
    config = small_config()
    config["multi_task_trainer"]["scheduler"] = scheduler
    check_config(config)
    return config


def test_warmup_counts_the_steps_of_its_own_task(tmp_path: Path) -> None:
    config = config_with({"type": "linear_warmup", "num_steps": 4})
    config["multi_task_trainer"]["optimizer"]["lr"] = 0.4
    trainer = build_trainer(assemble(parse_config(config), tmp_path, SPLITS))
    for name in ("ner", "ner", "relation"):
        trainer.train_step(name)
    assert trainer.tasks["ner"].learning_rate == pytest.approx(0.3)
    assert trainer.tasks["relation"].learning_rate == pytest.approx(0.2)


@pytest.mark.parametrize("scheduler", SCHEDULERS, ids=lambda scheduler: scheduler["type"])
def test_rates_of_a_recovered_run_are_those_of_an_uninterrupted_one(
    tmp_path: Path, build_with: Callable, scheduler: dict
) -> None:
    config = config_with(scheduler)
    train(config, tmp_path / "whole", recover=False, force=False)
    build_with(CrashAtStep(4))
    with pytest.raises(Crash):
        train(config, tmp_path / "run", recover=False, force=False)
    build_with()
    train(config, tmp_path / "run", recover=True, force=False)
    assert result_of(tmp_path / "whole").differences(result_of(tmp_path / "run")) == []
