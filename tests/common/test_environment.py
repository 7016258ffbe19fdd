import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

from hmtl.common.environment import (
    SPIN_COUNT,
    ensure_home,
    is_main_process,
    number_of_restarts,
    set_thread_policy,
    world_size,
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
        "import os, sys; from hmtl.common.environment import set_thread_policy; set_thread_policy(); "
        "assert os.environ['OMP_WAIT_POLICY'] == 'PASSIVE'; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.fixture
def no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """As for a number that is no user's, in a container."""

    def unknown(number: int) -> None:
        raise KeyError(number)

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("HMTL_CACHE_DIR", raising=False)


@pytest.mark.usefixtures("no_home")
@pytest.mark.parametrize(
    "chosen, cache",
    [
        ({}, "off"),
        ({"HMTL_CACHE_DIR": "/b"}, "/b"),
        ({"XDG_CACHE_HOME": "/c"}, None),
    ],
)
def test_user_without_a_home_has_an_empty_one_and_no_cache_there(
    chosen: dict[str, str],
    cache: "str | None",
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for name, value in chosen.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(RuntimeError):
        Path.home()
    ensure_home()
    assert list(Path.home().iterdir()) == []
    assert os.environ.get("HMTL_CACHE_DIR") == cache
    assert "this user has no home directory" in caplog.text
    ensure_home()
    assert len(caplog.records) == 1


def test_home_of_a_user_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    ensure_home()
    assert Path.home() == tmp_path


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
    assert world_size(environ) == number
    assert is_main_process(environ) == is_main


@pytest.mark.parametrize("told, number", [({}, 0), ({"TORCHELASTIC_RESTART_COUNT": "2"}, 2)])
def test_torchrun_says_how_often_it_began_again(told: dict[str, str], number: int) -> None:
    assert number_of_restarts(told) == number
