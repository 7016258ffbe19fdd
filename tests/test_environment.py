import subprocess
import sys

import pytest

from hmtl.environment import (
    SPIN_COUNT,
    is_main_process,
    number_of_processes,
    number_of_restarts,
    set_thread_policy,
)


def test_set_thread_policy_takes_one_thread_and_lets_idle_ones_sleep() -> None:
    environ: dict[str, str] = {}
    set_thread_policy(environ)
    assert environ == {
        "OMP_NUM_THREADS": "1",
        "OMP_WAIT_POLICY": "PASSIVE",
        "GOMP_SPINCOUNT": SPIN_COUNT,
    }


@pytest.mark.parametrize(
    "chosen",
    [
        {"OMP_NUM_THREADS": "8", "OMP_WAIT_POLICY": "ACTIVE"},
        {"OMP_NUM_THREADS": "2", "OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "5"},
    ],
)
def test_set_thread_policy_keeps_what_the_user_chose(chosen: dict[str, str]) -> None:
    environ = dict(chosen)
    set_thread_policy(environ)
    assert environ == chosen


def test_set_thread_policy_acts_on_this_process_by_default(monkeypatch) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    script = (
        "import os, sys; from hmtl.environment import set_thread_policy; set_thread_policy(); "
        "assert os.environ['OMP_WAIT_POLICY'] == 'PASSIVE'; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize(
    "environ, number, is_main",
    [
        ({}, 1, True),
        # A scheduler of a cluster may say how many tasks there are, without a number for each.
        ({"WORLD_SIZE": "4"}, 1, True),
        ({"WORLD_SIZE": "1", "RANK": "0"}, 1, True),
        ({"WORLD_SIZE": "4", "RANK": "0"}, 4, True),
        ({"WORLD_SIZE": "4", "RANK": "3"}, 4, False),
    ],
)
def test_torchrun_says_which_process_this_is(
    environ: dict[str, str], number: int, is_main: bool
) -> None:
    assert number_of_processes(environ) == number
    assert is_main_process(environ) == is_main


@pytest.mark.parametrize("told, number", [({}, 0), ({"TORCHELASTIC_RESTART_COUNT": "2"}, 2)])
def test_torchrun_says_how_often_it_began_again(told: dict[str, str], number: int) -> None:
    assert number_of_restarts(told) == number
