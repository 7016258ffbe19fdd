"""Running the entry points."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from hmtl.commands.main import main

REPOSITORY = Path(__file__).resolve().parent.parent
HEAVY = {"torch", "allennlp", "transformers", "spacy", "numpy", "fastapi", "uvicorn"}


class Finished(NamedTuple):
    """What a command left: its exit code, and what it wrote to standard output and standard error."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one message of a command that failed as it should: with no traceback beside it."""
        assert self.code == 1, self
        assert "Traceback" not in self.err, self.err
        (message,) = re.findall(r"^error: .*", self.err, re.MULTILINE | re.DOTALL)
        return message.strip()


# The scripts of 2018, and the command that each is now.
COMMANDS_OF_2018 = {
    "train.py": "train",
    "fine_tune.py": "fine-tune",
    "evaluate.py": "evaluate",
    "predict.py": "predict",
    "hmtl_senteval.py": "probe",
}


def words_of(script: str) -> list[str]:
    """What the command `hmtl` is told, for `hmtl check` or the name of a script."""
    name = COMMANDS_OF_2018.get(script)
    return script.split()[1:] if name is None else [name]


class Scripts:
    """Runs entry points within the process of the tests, where all imports are done already."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
        self.monkeypatch = monkeypatch
        self.capsys = capsys

    def __call__(self, script: str, *arguments: "str | Path") -> Finished:
        code, message = 0, ""
        self.capsys.readouterr()
        with self.monkeypatch.context() as patch:
            patch.setattr(sys, "path", [str(REPOSITORY), *sys.path])
            try:
                code = main([*words_of(script), *map(str, arguments)]) or 0
            except SystemExit as ended:
                # As the interpreter does it.
                code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
                message = ended.code if isinstance(ended.code, str) else ""
        out, err = self.capsys.readouterr()
        return Finished(code, out, err + message)


def run_in_a_process(script: str, *arguments: "str | Path") -> Finished:
    """The same, as a user runs it; takes the time of all imports."""
    environ = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "hmtl", *words_of(script), *map(str, arguments)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        env=environ,
        timeout=120,
    )
    return Finished(done.returncode, done.stdout, done.stderr)


def answer_without_heavy_imports(script: str, *arguments: "str | Path") -> Finished:
    """What a process answers that is only asked how it is used, and imports nothing that takes seconds."""
    program = (
        "import sys\n"
        "from hmtl.commands.main import main\n"
        "try:\n"
        f"    sys.exit(main({[*words_of(script), *map(str, arguments)]!r}))\n"
        "finally:\n"
        f"    heavy = {HEAVY!r} & set(sys.modules)\n"
        "    assert not heavy, heavy\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, timeout=60
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Finished(done.returncode, done.stdout, done.stderr)
