"""Signals that ask a run to stop."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from hmtl.commands.cli import running
from hmtl.common.interruption import SIGNALS, Interrupted, StopRequest
from hmtl.runs import training
from hmtl.runs.assembly import Experiment
from hmtl.runs.training import train
from hmtl.training.callbacks import Callback, StepReport
from hmtl.training.trainer import MultiTaskTrainer
from script.torture import result_of
from tests.training.small_runs import REPOSITORY, small_config

pytestmark = pytest.mark.usefixtures("usual_signals")


def handlers() -> dict[int, object]:
    return {number: signal.getsignal(number) for number in SIGNALS}


@pytest.mark.parametrize("number", SIGNALS)
def test_first_signal_is_noted_and_handlers_are_put_back(number: int) -> None:
    before = handlers()
    with pytest.raises(Interrupted), StopRequest() as request:
        assert request.signal_number is None
        os.kill(os.getpid(), number)
        assert request.signal_number == number
        raise Interrupted(number)
    assert handlers() == before


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
from hmtl.common.interruption import StopRequest
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
    before = handlers()
    with pytest.raises(Interrupted), StopRequest(is_passed_on=True) as request:
        for number in (signal.SIGTERM, signal.SIGTERM):
            os.kill(os.getpid(), number)
        assert request.signal_number == signal.SIGTERM
        raise Interrupted(signal.SIGTERM)
    assert handlers() == before


@pytest.mark.parametrize("first", SIGNALS)
def test_closed_terminal_may_be_told_of_twice(first: int) -> None:
    """By the shell and by the system."""
    with pytest.raises(Interrupted), StopRequest() as request:
        os.kill(os.getpid(), first)
        os.kill(os.getpid(), signal.SIGHUP)
        raise Interrupted(request.signal_number or 0)


@pytest.mark.parametrize("number", SIGNALS)
def test_signal_that_is_ignored_from_the_start_stays_ignored(number: int) -> None:
    """As in a script's background job, and under nohup."""
    signal.signal(number, signal.SIG_IGN)
    other = next(each for each in SIGNALS if each != number)
    with pytest.raises(SystemExit), running([]), StopRequest() as request:
        os.kill(os.getpid(), number)
        assert request.signal_number is None
        os.kill(os.getpid(), other)
        os.kill(os.getpid(), number)
        raise Interrupted(request.signal_number or 0)
    assert signal.getsignal(number) is signal.SIG_IGN


def test_request_in_another_thread_leaves_signals_alone() -> None:
    seen = []

    def ask() -> None:
        with StopRequest():
            seen.append(handlers())

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert seen == [handlers()]


@pytest.mark.parametrize(
    "number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_signal_outside_of_training_gives_one_message_and_its_code(
    number: int, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    before = handlers()
    with pytest.raises(SystemExit) as exit, running([]):
        os.kill(os.getpid(), number)
        time.sleep(1)
    assert exit.value.code == code
    assert capsys.readouterr().err.startswith(f"stopped by {signal.Signals(number).name}: ")
    assert handlers() == before


class SignalAtStep(Callback):
    def __init__(self, number: int, step: int) -> None:
        self.number, self.step = number, step

    def on_step(self, report: StepReport) -> None:
        if report.step == self.step:
            os.kill(os.getpid(), self.number)


@pytest.mark.parametrize(
    "step, number", [(1, signal.SIGTERM), (4, signal.SIGTERM), (6, signal.SIGHUP)]
)
def test_run_finishes_its_step_and_is_saved_when_asked_to_stop(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    step: int,
    number: signal.Signals,
) -> None:
    train(small_config(), tmp_path / "whole", recover=False, force=False)
    build = training.build_trainer

    def with_signal(built: Experiment) -> MultiTaskTrainer:
        trainer = build(built)
        trainer.callbacks.append(SignalAtStep(number, step))
        return trainer

    with monkeypatch.context() as patch:
        patch.setattr(training, "build_trainer", with_signal)
        with pytest.raises(SystemExit) as exit, running([]):
            train(small_config(), tmp_path / "run", recover=False, force=False)
    assert exit.value.code == 128 + number
    message = capsys.readouterr().err.splitlines()[-1]
    assert message == (
        f"stopped by {number.name}: the run is saved in {tmp_path / 'run'} after step {step}; resume it with "
        "the same command and --recover"
    )
    train(small_config(), tmp_path / "run", recover=True, force=False)
    assert result_of(tmp_path / "whole").differences(result_of(tmp_path / "run")) == []


def test_interruption_knows_the_conventional_exit_code() -> None:
    assert Interrupted(signal.SIGINT).exit_code == 130
    assert Interrupted(signal.SIGTERM).exit_code == 143
