import importlib.util
import shlex
import sys
from pathlib import Path

import pytest

from hmtl.commands.cli import training_summary
from hmtl.commands.main import main


def test_summary_ends_with_a_command_that_shows_the_curves() -> None:
    metrics = {"nb_epoch_trained": 1, "training_duration": "00:00:00:13"}
    summary = training_summary(metrics, Path("my runs") / "a")
    assert summary.startswith("Trained 1 epoch in 00:00:00:13 ")
    python, flag, module, *arguments = shlex.split(summary.splitlines()[-1])
    assert (python, flag) == (sys.executable, "-m")
    assert importlib.util.find_spec(module) is not None
    assert arguments == ["--logdir", str(Path("my runs") / "a" / "log")]


@pytest.mark.parametrize(
    "words, hint",
    [
        (["predict", "-s", "run", "--outpt", "x"], "--outpt; did you mean '--output'?"),
        (["predict", "-s", "run", "--output-format=html", "--froce=1"], "did you mean '--force'?"),
        (["import", "webano", "in", "out"], "did you mean 'webanno'?"),
        (["predict", "-s", "run", "--qqq"], "unrecognized arguments: --qqq\n"),
    ],
)
def test_an_unknown_word_is_answered_with_a_known_one_near_it(
    words: list[str], hint: str, capsys: pytest.CaptureFixture
) -> None:
    with pytest.raises(SystemExit):
        main(words)
    error = capsys.readouterr().err
    assert error.startswith(f"usage: hmtl {words[0]} ")
    assert hint in error
