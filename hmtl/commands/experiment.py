"""
Train every setup of a grid with every seed, each in a process of its own. Finished runs are skipped and
interrupted ones are resumed, so the same command completes a study. Exit code 0: all runs are finished;
1: some failed, or the grid is wrong; 2: usage.
"""

import argparse
import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hmtl.commands.cli import add_include_package, running

if TYPE_CHECKING:
    from hmtl.study.grid import Grid, Run
    from hmtl.study.running import Study


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument("grid", type=Path, metavar="GRID", help="the grid, a JSON file")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="where the runs are written"
    )
    parser.add_argument(
        "--jobs", type=int, metavar="N", help="runs at a time (default: 1; with --on slurm all)"
    )
    parser.add_argument(
        "--on",
        choices=("slurm", "local"),
        help="hand the runs to submitit: as jobs of Slurm, or, to try that, of this machine",
    )
    parser.add_argument(
        "--cluster",
        default="",
        metavar="JSON",
        help="with --on: submitit's parameters of each job: "
        '\'{"timeout_min": 720, "slurm_partition": "gpu", "gpus_per_node": 1}\'',
    )
    parser.add_argument(
        "--only", nargs="+", metavar="SETUP", help="make the runs of these setups only"
    )
    parser.add_argument(
        "--seeds", nargs="+", type=int, metavar="SEED", help="make the runs with these seeds only"
    )
    parser.add_argument(
        "-o",
        "--overrides",
        default="",
        metavar="JSON",
        help="entries to replace in every run's configuration: '{\"multi_task_trainer.num_epochs\": 3}'",
    )
    parser.add_argument(
        "-n", "--dry-run", action="store_true", help="check the grid and list its runs"
    )
    add_include_package(parser)


def _complete(arguments: argparse.Namespace) -> None:
    if arguments.jobs is not None and arguments.jobs < 1:
        arguments.refuse(f"--jobs {arguments.jobs}: give the number of runs at a time")
    if arguments.cluster and not arguments.on:
        arguments.refuse("--cluster describes the jobs of --on")
    arguments.overrides = _parsed(arguments, "overrides")
    arguments.cluster = _parsed(arguments, "cluster")


def _parsed(arguments: argparse.Namespace, option: str) -> dict[str, object]:
    given = getattr(arguments, option)
    try:
        parsed: dict[str, object] = json.loads(given or "{}")
    except json.JSONDecodeError as error:
        arguments.refuse(f"--{option} is no JSON ({error})")
    if not isinstance(parsed, dict):
        arguments.refuse(f"--{option} must be a JSON object, not {given!r}")
    return parsed


def chosen_runs(grid: "Grid", arguments: argparse.Namespace) -> "list[Run]":
    """Those that the command line asks for."""
    names = [setup.name for setup in grid.setups]
    for option, wanted, known in (
        ("--only", arguments.only, names),
        ("--seeds", arguments.seeds, grid.seeds),
    ):
        unknown = [each for each in wanted or () if each not in known]
        if unknown:
            sys.exit(f"error: {option} {unknown[0]}: the grid has {', '.join(map(str, known))}")
    return [
        run
        for run in grid.runs
        if run.setup.name in (arguments.only or names)
        and run.seed in (arguments.seeds or grid.seeds)
    ]


def list_runs(study: "Study") -> None:
    """Prints what would be run."""
    from hmtl.study.running import command_of, is_finished

    for run in study.runs:
        if is_finished(run, study.directory):
            print(f"# {run.name} is finished")
        else:
            command = command_of(run, study.directory, study.include_packages)
            print(shlex.join(["hmtl", "train", *command]))


def run(arguments: argparse.Namespace) -> int:
    """Carry it out, and return the exit code."""
    _complete(arguments)
    with running(arguments.include_package):
        from hmtl.common.files import sole_writer, write_json
        from hmtl.study.checking import check_grid
        from hmtl.study.cluster import Cluster
        from hmtl.study.grid import read_grid
        from hmtl.study.results import GRID_FILE
        from hmtl.study.running import Study

        grid = read_grid(arguments.grid, arguments.overrides)
        check_grid(grid, arguments.out)
        study = Study(arguments.out, chosen_runs(grid, arguments), arguments.include_package)
        if arguments.dry_run:
            list_runs(study)
            return 0
        if arguments.on:
            study.launch = Cluster(arguments.on, arguments.out, arguments.cluster).launch
        at_a_time = len(study.runs) if arguments.on == "slurm" else 1
        with sole_writer(arguments.out):
            write_json(arguments.out / GRID_FILE, grid.as_json())
            study.run(arguments.jobs or at_a_time)
    for failure in study.failures:
        print(f"failed: {failure.run.name}: {failure.last_words} (all of it: {failure.log})")
    print(f"{len(study.runs) - len(study.failures)} of {len(study.runs)} runs are finished")
    return 1 if study.failures else 0
