import getpass
import importlib.metadata
import json
import platform
import socket
import subprocess
from pathlib import Path

import pytest
import torch

from hmtl.errors import DataError
from hmtl.runs import environment as run_environment
from hmtl.runs.environment import ENVIRONMENT_FILE, environment, record_environment
from tests.running import REPOSITORY


def recorded(directory: Path) -> list[dict]:
    return json.loads((directory / ENVIRONMENT_FILE).read_text())


def test_environment_says_what_is_installed() -> None:
    found = environment()
    assert found["python"] == platform.python_version()
    assert found["packages"]["allennlp"] == importlib.metadata.version("allennlp")
    assert found["torch"]["version"] == torch.__version__
    assert found["torch"]["cuda"] == torch.version.cuda


def test_environment_leaks_no_path_and_no_name_of_user_or_machine() -> None:
    found = environment()
    words = json.dumps({**found, "packages": sorted(found["packages"].values())})
    for secret in (str(Path.home()), str(REPOSITORY), str(Path.cwd()), socket.gethostname()):
        assert len(secret) < 3 or secret not in words
    assert f'"{getpass.getuser()}"' not in words


def git(directory: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    done = subprocess.run(
        ["git", "-C", str(directory), *identity, *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_environment_names_the_commit_and_whether_it_is_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "file").write_text("a")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "-q", "-m", "first")
    monkeypatch.setattr(run_environment, "REPOSITORY", tmp_path)
    found = environment()
    assert found["commit"] == git(tmp_path, "rev-parse", "HEAD")
    assert found["uncommitted_changes"] is False
    (tmp_path / "file").write_text("b")
    assert environment()["uncommitted_changes"] is True


def test_where_there_is_no_checkout_there_is_no_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_environment, "REPOSITORY", tmp_path)
    found = environment()
    assert (found["commit"], found["uncommitted_changes"]) == (None, False)


def test_a_run_that_goes_on_in_the_same_environment_records_it_once(tmp_path: Path) -> None:
    record_environment(tmp_path)
    record_environment(tmp_path)
    assert len(recorded(tmp_path)) == 1


def test_a_run_that_goes_on_in_another_environment_records_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_environment(tmp_path)
    monkeypatch.setattr(platform, "python_version", lambda: "3.99.0")
    record_environment(tmp_path)
    assert [each["python"] for each in recorded(tmp_path)][1:] == ["3.99.0"]


@pytest.mark.parametrize("content", ["", "{", "null", '{"python": 3}', "[" * 100_000])
def test_a_damaged_record_is_told_and_not_written_over(tmp_path: Path, content: str) -> None:
    (tmp_path / ENVIRONMENT_FILE).write_text(content)
    with pytest.raises(DataError, match=f"{ENVIRONMENT_FILE}:.* is .*Remove it"):
        record_environment(tmp_path)
    assert (tmp_path / ENVIRONMENT_FILE).read_text() == content
