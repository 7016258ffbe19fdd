"""A corpus on two workers of Ray; skipped where Ray is not installed (`pip install 'hmtl[ray]'`)."""

import json
import os
import signal
import threading
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from hmtl.prediction import shards
from tests.running import Scripts

needs_ray = pytest.mark.skipif(not find_spec("ray"), reason="Ray is not installed")


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(shards, "LEAST_BYTES", 1000)
    monkeypatch.setattr(shards, "CHUNK", 100)
    path = tmp_path / "in.jsonl"
    texts = ["Ann Lee met Bob in Oslo.", "She likes him there.", "It rained. Ann left."] * 40
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    return path


@needs_ray
@pytest.mark.slow
def test_a_killed_worker_loses_and_doubles_nothing(
    run_script: Scripts, tiny_run: Path, corpus: Path, tmp_path: Path
) -> None:
    one, found = tmp_path / "one.jsonl", tmp_path / "found"
    assert (
        run_script("hmtl predict", "-s", tiny_run, corpus, "-o", one, "--device", "cpu").code == 0
    )
    killed: list[int] = []
    killing = threading.Thread(target=_kill_a_worker, args=(found, killed))
    killing.start()
    words: list[str | Path] = ["--on", "ray", "--workers", "2", "--device", "cpu", "-o", found]
    done = run_script("hmtl predict", "-s", tiny_run, corpus, *words)
    killing.join()
    assert (done.code, len(killed)) == (0, 1), done
    parts = sorted(found.glob("part-*"))
    assert len(parts) > 2
    assert b"".join(path.read_bytes() for path in parts) == one.read_bytes()
    again = run_script("hmtl predict", "-s", tiny_run, corpus, *words, "--recover")
    assert "0 of" in again.err and again.code == 0


def _kill_a_worker(found: Path, killed: list[int]) -> None:
    """Of the processes below this one, when the first answers are there."""
    end = time.monotonic() + 300
    while time.monotonic() < end and not killed:
        time.sleep(0.05)
        if list(found.glob("part-*")):
            for name in os.listdir("/proc"):
                if name.isdigit() and _is_worker(int(name)):
                    killed.append(int(name))
                    os.kill(int(name), signal.SIGKILL)
                    break


def _is_worker(process: int) -> bool:
    try:
        title = Path(f"/proc/{process}/cmdline").read_bytes()
        environ = Path(f"/proc/{process}/environ").read_bytes()
    except OSError:
        return False
    mine = f"PYTEST_CURRENT_TEST={os.environ['PYTEST_CURRENT_TEST']}".encode()
    return title.startswith(b"ray::MapWorker") and mine in environ


@needs_ray
@pytest.mark.slow
def test_what_is_wrong_with_a_record_is_one_message(
    run_script: Scripts, tiny_run: Path, corpus: Path, tmp_path: Path
) -> None:
    with open(corpus, "a") as file:
        file.write("{}\n")
    words: list[str | Path] = ["--on", "ray", "--workers", "1", "-o", tmp_path / "found"]
    done = run_script("hmtl predict", "-s", tiny_run, corpus, *words)
    assert f"{corpus}:121: a record with the keys" in done.error


@pytest.mark.skipif(bool(find_spec("ray")), reason="Ray is installed")
def test_that_ray_is_missing_is_said(
    run_script: Scripts, tiny_run: Path, corpus: Path, tmp_path: Path
) -> None:
    done = run_script(
        "hmtl predict", "-s", tiny_run, corpus, "--on", "ray", "-o", tmp_path / "found"
    )
    assert "pip install 'hmtl[ray]'" in done.error


@pytest.mark.parametrize(
    "words",
    [
        ["--on", "ray"],
        ["--on", "ray", "-o", "found", "--output-format", "brat", "in.txt"],
        ["--on", "ray", "-o", "found", "-"],
        ["--on", "ray", "-o", "found", "--workers", "0", "in.txt"],
        ["--input-format", "parquet", "in.parquet"],
        ["--workers", "2", "in.txt"],
    ],
)
def test_options_that_do_not_go_together_are_refused(run_script: Scripts, words: list[str]) -> None:
    done = run_script("hmtl predict", "-s", "run", *words)
    assert done.code == 2 and "error: " in done.err
