import importlib.util
import shlex
import sys
from pathlib import Path

from hmtl.commands.cli import training_summary


def test_summary_ends_with_a_command_that_shows_the_curves() -> None:
    metrics = {"nb_epoch_trained": 1, "training_duration": "00:00:00:13"}
    summary = training_summary(metrics, Path("my runs") / "a")
    assert summary.startswith("Trained 1 epoch in 00:00:00:13 ")
    python, flag, module, *arguments = shlex.split(summary.splitlines()[-1])
    assert (python, flag) == (sys.executable, "-m")
    assert importlib.util.find_spec(module) is not None
    assert arguments == ["--logdir", str(Path("my runs") / "a" / "log")]
