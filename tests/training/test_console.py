import io
import logging
from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from hmtl.config.schema import TrainerConfig
from hmtl.training import console
from hmtl.training.callbacks import EpochReport, RunReport, StepReport
from hmtl.training.console import SECONDS_BETWEEN_LINES, ConsoleCallback, progress_bar
from hmtl.training.tasks import RunningLoss


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """What the module takes for standard error."""
    stream = Terminal()
    monkeypatch.setattr(console, "sys", SimpleNamespace(stderr=stream))
    return stream


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """What the module takes for the time of day; `seconds` may be set."""
    clock = SimpleNamespace(seconds=0.0)
    monkeypatch.setattr(console, "time", SimpleNamespace(monotonic=lambda: clock.seconds))
    return clock


def run_report(step: int = 0, running_losses: Mapping[str, RunningLoss] | None = None) -> RunReport:
    return RunReport(
        epoch=0,
        step=step,
        running_losses=running_losses or {},
        step_in_epoch=step,
        steps_per_epoch=7,
        num_epochs=3,
        validation_metrics={"ner": "f1-measure-overall", "coref": "coref_f1"},
        model=torch.nn.Linear(1, 1),
    )


EPOCH = EpochReport(
    epoch=1,
    step=14,
    duration_in_seconds=65.4,
    training={"ner": {"loss": 12.3456}, "coref": {"loss": 0.5}},
    validation={
        "ner": {"loss": 9.8765, "f1-measure-overall": 0.87654},
        "coref": {"loss": 0.25, "coref_f1": 0.5},
    },
    proportions={"ner": 0.5, "coref": 0.5},
    learning_rates={"ner": 1e-3, "coref": 5e-4},
    best={"ner": True, "coref": False},
)


def run(callback: ConsoleCallback) -> None:
    callback.on_start(run_report())
    callback.on_epoch_start(0, 0)
    for step in range(1, 8):
        callback.on_step(StepReport(step, "ner", torch.tensor(1.5)))
    callback.on_validation_start(3)
    for _ in range(3):
        callback.on_validation_step()
    callback.on_epoch(EPOCH)
    callback.on_end()


def test_epoch_is_told_in_a_table(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="hmtl"):
        run(ConsoleCallback(TrainerConfig(no_tqdm=True)))
    start, epoch = caplog.messages
    assert start == "training: 2 tasks, 7 steps an epoch, at most 3 epochs"
    title, header, rule, ner, coref = epoch.splitlines()
    assert title == "epoch 2 (65 s)"
    assert header.split("  ")[0] == "task"
    assert set(rule) <= {"-", " "}
    assert ner.split() == "ner 12.346 9.877 f1-measure-overall 0.8765 yes 1.0e-03".split()
    assert coref.split() == "coref 0.500 0.250 coref_f1 0.5000 5.0e-04".split()


def test_loss_without_padding_is_told_beside_the_published_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    callback = ConsoleCallback(TrainerConfig(no_tqdm=True))
    callback.on_start(run_report())
    metrics = {**EPOCH.validation["ner"], "unpadded-loss": 0.375}
    with caplog.at_level(logging.INFO, logger="hmtl"):
        callback.on_epoch(replace(EPOCH, validation={"ner": metrics}))
    assert "9.877 (unpadded 0.375)" in caplog.text


def test_resumed_run_is_told_so(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="hmtl"):
        ConsoleCallback(TrainerConfig(no_tqdm=True)).on_start(run_report(step=4))
    assert caplog.messages[0].startswith("resuming: ")


def test_progress_bars_are_on_standard_error(
    terminal: Terminal, capsys: pytest.CaptureFixture
) -> None:
    run(ConsoleCallback(TrainerConfig()))
    assert capsys.readouterr().out == ""
    assert "epoch 1/3" in terminal.getvalue() and "validation" in terminal.getvalue()


def test_a_file_gets_no_progress_bars(capsys: pytest.CaptureFixture) -> None:
    run(ConsoleCallback(TrainerConfig()))
    list(progress_bar([{}], "ner", 1))
    assert capsys.readouterr() == ("", "")


def test_a_file_gets_a_line_now_and_then(
    clock: SimpleNamespace, caplog: pytest.LogCaptureFixture
) -> None:
    loss = RunningLoss()
    callback = ConsoleCallback(TrainerConfig())
    callback.on_start(run_report(running_losses={"ner": loss, "coref": RunningLoss()}))
    callback.on_epoch_start(0, 0)
    with caplog.at_level(logging.INFO, logger="hmtl"):
        for step, value in enumerate([1.0, 2.0, 3.0, 6.0], start=1):
            clock.seconds += SECONDS_BETWEEN_LINES / 2
            loss.add(torch.tensor(value))
            callback.on_step(StepReport(step, "ner", torch.tensor(value)))
    # Half a minute a step; seven steps an epoch, three epochs.
    assert caplog.messages == [
        "epoch 1/3: 2 of 7, 02:30 left, at most 09:30 left of the run, ner 1.5",
        "epoch 1/3: 4 of 7, 01:30 left, at most 08:30 left of the run, ner 3",
    ]


def test_evaluation_tells_a_file_now_and_then(
    clock: SimpleNamespace, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="hmtl"):
        for _ in progress_bar([{}] * 3, "ner", 3):
            clock.seconds += SECONDS_BETWEEN_LINES / 2
    assert caplog.messages == ["ner: 2 of 3, 00:30 left"]


def test_nothing_is_shown_if_not_wanted(
    terminal: Terminal, clock: SimpleNamespace, caplog: pytest.LogCaptureFixture
) -> None:
    callback = ConsoleCallback(TrainerConfig(no_tqdm=True))
    callback.on_start(run_report())
    caplog.clear()
    callback.on_epoch_start(0, 0)
    clock.seconds += SECONDS_BETWEEN_LINES
    callback.on_step(StepReport(1, "ner", torch.tensor(1.5)))
    assert terminal.getvalue() + caplog.text == ""


def test_bar_shows_mean_losses_and_how_long_the_run_takes(
    clock: SimpleNamespace, terminal: Terminal
) -> None:
    losses = {"ner": RunningLoss(), "coref": RunningLoss()}
    callback = ConsoleCallback(TrainerConfig())
    callback.on_start(run_report(running_losses=losses))
    callback.on_epoch_start(0, 0)
    for step, (name, value) in enumerate([("ner", 1.0), ("coref", 0.5), ("ner", 2.0)], start=1):
        clock.seconds += 2
        losses[name].add(torch.tensor(value))
        callback.on_step(StepReport(step, name, torch.tensor(value)))
    callback.on_validation_start(1)
    assert "at most 00:36 left of the run, ner 1.5, coref 0.5" in terminal.getvalue()


def test_loss_is_read_from_the_device_now_and_then_only(
    clock: SimpleNamespace, terminal: Terminal
) -> None:
    reads = []

    class Loss(RunningLoss):
        def mean(self) -> float:
            reads.append(1)
            return 1.0

    loss = Loss()
    loss.count = 1
    callback = ConsoleCallback(TrainerConfig())
    callback.on_start(run_report(running_losses={"ner": loss}))
    callback.on_epoch_start(0, 0)
    for step in range(1, 101):
        clock.seconds += 0.03125
        callback.on_step(StepReport(step, "ner", torch.tensor(1.0)))
    callback.on_end()
    assert len(reads) == 3


def test_bar_goes_on_where_the_epoch_does(terminal: Terminal) -> None:
    callback = ConsoleCallback(TrainerConfig())
    callback.on_start(run_report(step=5))
    callback.on_epoch_start(0, 5)
    callback.on_end()
    assert "5/7" in terminal.getvalue()


def test_progress_bar_gives_what_it_is_given(terminal: Terminal) -> None:
    batches: list = [{"a": 1}, {"a": 2}]
    assert list(progress_bar(batches, "ner", 2)) == batches
    assert "ner" in terminal.getvalue()
