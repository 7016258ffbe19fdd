"""The short form of `make torture`."""

import json
import subprocess
import sys

from tests.training.small_runs import OVERRIDES, REPOSITORY


def test_killed_runs_recover_to_the_run_that_was_never_interrupted() -> None:
    command = [sys.executable, str(REPOSITORY / "script" / "torture.py"), "--kills", "3"]
    tortured = subprocess.run(
        [*command, "--overrides", json.dumps(OVERRIDES)], capture_output=True, text=True
    )
    assert tortured.returncode == 0, tortured.stdout + tortured.stderr
    assert "equal to the run that was never interrupted: 3 of 3" in tortured.stdout
