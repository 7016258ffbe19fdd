import subprocess
import sys

import pytest

from hmtl.environment import SPIN_COUNT, set_thread_policy


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
