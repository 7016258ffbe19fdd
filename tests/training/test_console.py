import logging

import pytest
import torch

from hmtl.training.callbacks import EpochReport, RunReport, StepReport
from hmtl.training.console import ConsoleCallback, progress_bar


def run_report(step: int = 0) -> RunReport:
    return RunReport(
        epoch=0,
        step=step,
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
        run(ConsoleCallback(show_progress_bars=False))
    start, epoch = caplog.messages
    assert start == "training: 2 tasks, 7 steps an epoch, at most 3 epochs"
    title, header, rule, ner, coref = epoch.splitlines()
    assert title == "epoch 2 (65 s)"
    assert header.split("  ")[0] == "task"
    assert set(rule) <= {"-", " "}
    assert ner.split() == "ner 12.346 9.877 f1-measure-overall 0.8765 best so far 1.0e-03".split()
    assert coref.split() == "coref 0.500 0.250 coref_f1 0.5000 5.0e-04".split()


def test_run_that_goes_on_is_told_so(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="hmtl"):
        ConsoleCallback(show_progress_bars=False).on_start(run_report(step=4))
    assert caplog.messages[0].startswith("going on: ")


def test_progress_bars_are_on_standard_error(capsys: pytest.CaptureFixture) -> None:
    run(ConsoleCallback())
    out, err = capsys.readouterr()
    assert out == ""
    assert "epoch 1/3" in err and "validation" in err


def test_progress_bars_can_be_left_out(capsys: pytest.CaptureFixture) -> None:
    run(ConsoleCallback(show_progress_bars=False))
    assert capsys.readouterr() == ("", "")


def test_loss_is_read_from_the_device_now_and_then_only(monkeypatch: pytest.MonkeyPatch) -> None:
    reads = []

    class Loss:
        def __float__(self) -> float:
            reads.append(1)
            return 1.0

    callback = ConsoleCallback()
    callback.on_start(run_report())
    callback.on_epoch_start(0, 0)
    for step in range(1, 100):
        callback.on_step(StepReport(step, "ner", Loss()))  # type: ignore[arg-type]
    callback.on_end()
    assert len(reads) <= 2


def test_bar_goes_on_where_the_epoch_does(capsys: pytest.CaptureFixture) -> None:
    callback = ConsoleCallback()
    callback.on_start(run_report(step=5))
    callback.on_epoch_start(0, 5)
    callback.on_end()
    assert "5/7" in capsys.readouterr().err


def test_progress_bar_gives_what_it_is_given(capsys: pytest.CaptureFixture) -> None:
    batches: list = [{"a": 1}, {"a": 2}]
    assert list(progress_bar(batches, "ner", 2)) == batches
    assert "ner" in capsys.readouterr().err
