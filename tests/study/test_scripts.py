"""hmtl experiment as a user runs it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import (
    REPOSITORY,
    Scripts,
    run_in_a_process,
)
from tests.study.studies import grid_file

EXPERIMENTS, REPORT = "hmtl experiment", "hmtl report"


@pytest.mark.parametrize("option", [["--jobs", "0"], ["-o", "{"], ["-o", "[1]"]])
def test_options_that_cannot_be_are_usage_errors(
    tmp_path: Path, run_script: Scripts, option: list[str]
) -> None:
    done = run_script(EXPERIMENTS, grid_file(tmp_path), "--out", tmp_path / "out", *option)
    assert done.code == 2 and f"{option[0]}" in done.err.replace("--overrides", "-o")


def test_a_dry_run_lists_the_commands_and_makes_nothing(
    tmp_path: Path, run_script: Scripts
) -> None:
    out = tmp_path / "out"
    done = run_script(
        EXPERIMENTS, grid_file(tmp_path), "--out", out, "-n", "--only", "part", "--seeds", "2"
    )
    assert done.code == 0, done.err
    (command,) = done.out.splitlines()
    assert command.startswith("hmtl train ") and f"-s {out}/part/seed-2 " in command
    assert not out.exists()


@pytest.mark.parametrize("option", [["--only", "other"], ["--seeds", "3"]])
def test_what_the_grid_does_not_have_is_named(
    tmp_path: Path, run_script: Scripts, option: list[str]
) -> None:
    done = run_script(EXPERIMENTS, grid_file(tmp_path), "--out", tmp_path / "out", *option)
    assert done.error.startswith(f"error: {option[0]} {option[1]}: the grid has ")


def test_a_wrong_grid_is_one_message_before_anything_is_written(
    tmp_path: Path, run_script: Scripts
) -> None:
    setups = {"good": {}, "bad": {"overrides": {"model.ner.encodr": None}}}
    path = grid_file(tmp_path, setups=setups)
    done = run_script(EXPERIMENTS, path, "--out", tmp_path / "out")
    assert "setup 'bad': unknown key model.ner.encodr" in done.error
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_study_is_made_whole_after_a_failure_and_reported(tmp_path: Path) -> None:
    # The corpus of one setup is missing at first.
    late = tmp_path / "late"
    setups = {"all": {}, "late": {"overrides": {"data_root": str(late), "tasks": ["ner"]}}}
    grid, out = grid_file(tmp_path, setups=setups, seeds=[1]), tmp_path / "out"
    first = run_in_a_process(EXPERIMENTS, grid, "--out", out, "--jobs", "2")
    assert first.code == 1, first
    assert "failed: late/seed-1: error: task_ner.data_params" in first.out
    assert "1 of 2 runs are finished" in first.out
    made = (out / "all" / "seed-1" / "metrics.json").stat().st_mtime_ns
    (tmp_path / "corpus").rename(late)
    second = run_in_a_process(EXPERIMENTS, grid, "--out", out)
    assert second.code == 0, second
    assert (out / "all" / "seed-1" / "metrics.json").stat().st_mtime_ns == made
    late.rename(tmp_path / "corpus")
    late.symlink_to(tmp_path / "corpus")
    report = run_in_a_process(REPORT, out)
    assert report.code == 0, report
    assert "late" in (out / "report.md").read_text()


@pytest.mark.slow
def test_the_paper_s_study_runs_in_small(tmp_path: Path) -> None:
    grid = REPOSITORY / "configs" / "grids" / "paper_smoke.json"
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "hmtl",
            "experiment",
            grid,
            "--out",
            tmp_path / "out",
            "--jobs",
            "2",
        ],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    content = json.loads((tmp_path / "out" / "grid.json").read_text())
    for setup in content["setups"]:
        for seed in content["seeds"]:
            assert (tmp_path / "out" / setup / f"seed-{seed}" / "metrics.json").is_file()
    report = run_in_a_process(REPORT, tmp_path / "out")
    assert report.code == 0, report
    assert "are not finished" not in (tmp_path / "out" / "report.md").read_text()
