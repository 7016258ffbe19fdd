import subprocess
import sys

from hmtl.environment import set_thread_policy


def test_set_thread_policy_lets_idle_threads_sleep() -> None:
    environ: dict[str, str] = {}
    set_thread_policy(environ)
    assert environ == {"OMP_WAIT_POLICY": "PASSIVE"}


def test_set_thread_policy_keeps_what_the_user_chose() -> None:
    environ = {"OMP_WAIT_POLICY": "ACTIVE"}
    set_thread_policy(environ)
    assert environ == {"OMP_WAIT_POLICY": "ACTIVE"}


def test_set_thread_policy_acts_on_this_process_by_default(monkeypatch) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    script = (
        "import os, sys; from hmtl.environment import set_thread_policy; set_thread_policy(); "
        "assert os.environ['OMP_WAIT_POLICY'] == 'PASSIVE'; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
