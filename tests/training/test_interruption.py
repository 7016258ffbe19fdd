"""Signals that ask a run to stop."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from hmtl import experiment
from hmtl.cli import running
from hmtl.experiment import Experiment, train
from hmtl.training.callbacks import Callback, StepReport
from hmtl.training.interruption import SIGNALS, Interrupted, StopRequest
from hmtl.training.trainer import MultiTaskTrainer
from script.torture import result_of
from tests.training.small_runs import REPOSITORY, small_config

HANDLERS_BEFORE = {number: signal.getsignal(number) for number in SIGNALS}


@pytest.mark.parametrize("number", SIGNALS)
def test_first_signal_is_noted_and_handlers_are_put_back(number: int) -> None:
    with pytest.raises(Interrupted), StopRequest() as request:
        assert request.signal_number is None
        os.kill(os.getpid(), number)
        assert request.signal_number == number
        raise Interrupted(number)
    assert {each: signal.getsignal(each) for each in SIGNALS} == HANDLERS_BEFORE


def test_signal_that_nobody_asked_for_is_sent_again() -> None:
    seen = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: seen.append(number))
    with StopRequest():
        os.kill(os.getpid(), signal.SIGTERM)
        assert seen == []
    assert seen == [signal.SIGTERM]
    signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize("first, second", [("SIGTERM", "SIGTERM"), ("SIGINT", "SIGTERM")])
def test_second_signal_ends_the_process_at_once(first: str, second: str) -> None:
    program = f"""
import os, signal
from hmtl.training.interruption import StopRequest
with StopRequest():
    os.kill(os.getpid(), signal.{first})
    print("goes on", flush=True)
    os.kill(os.getpid(), signal.{second})
    print("goes on again", flush=True)
"""
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True
    )
    assert ended.returncode == -getattr(signal, second)
    assert ended.stdout == "goes on\n"


def test_second_signal_changes_nothing_where_signals_are_passed_on() -> None:
    """torchrun passes on what a scheduler has sent to all processes already."""
    with pytest.raises(Interrupted), StopRequest(is_passed_on=True) as request:
        for number in (signal.SIGTERM, signal.SIGTERM):
            os.kill(os.getpid(), number)
        assert request.signal_number == signal.SIGTERM
        raise Interrupted(signal.SIGTERM)
    assert {each: signal.getsignal(each) for each in SIGNALS} == HANDLERS_BEFORE


def test_request_in_another_thread_leaves_signals_alone() -> None:
    seen = []

    def ask() -> None:
        with StopRequest():
            seen.append({number: signal.getsignal(number) for number in SIGNALS})

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert seen == [HANDLERS_BEFORE]


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signal_outside_of_training_gives_one_message_and_its_code(
    number: int, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit, running([]):
        os.kill(os.getpid(), number)
        time.sleep(1)
    assert exit.value.code == code
    assert capsys.readouterr().err.startswith(f"stopped by {signal.Signals(number).name}: ")
    assert {each: signal.getsignal(each) for each in SIGNALS} == HANDLERS_BEFORE


class SignalAtStep(Callback):
    def __init__(self, number: int, step: int) -> None:
        self.number, self.step = number, step

    def on_step(self, report: StepReport) -> None:
        if report.step == self.step:
            os.kill(os.getpid(), self.number)


@pytest.mark.parametrize("step", [1, 4, 6])
def test_run_finishes_its_step_and_is_saved_when_asked_to_stop(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    step: int,
) -> None:
    train(small_config(), tmp_path / "whole", recover=False, force=False)
    build = experiment.build_trainer

    def with_signal(built: Experiment) -> MultiTaskTrainer:
        trainer = build(built)
        trainer.callbacks.append(SignalAtStep(signal.SIGTERM, step))
        return trainer

    with monkeypatch.context() as patch:
        patch.setattr(experiment, "build_trainer", with_signal)
        with pytest.raises(SystemExit) as exit, running([]):
            train(small_config(), tmp_path / "run", recover=False, force=False)
    assert exit.value.code == 128 + signal.SIGTERM
    message = capsys.readouterr().err.splitlines()[-1]
    assert message == (
        f"stopped by SIGTERM: the run is saved in {tmp_path / 'run'} after step {step}; go on with the "
        "same command and --recover"
    )
    train(small_config(), tmp_path / "run", recover=True, force=False)
    assert result_of(tmp_path / "whole").differences(result_of(tmp_path / "run")) == []


def test_interruption_knows_the_conventional_exit_code() -> None:
    assert Interrupted(signal.SIGINT).exit_code == 130
    assert Interrupted(signal.SIGTERM).exit_code == 143
